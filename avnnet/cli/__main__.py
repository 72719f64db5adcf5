"""`python -m avnnet.cli`: the same as `avnnet`."""

from avnnet.cli import run

if __name__ == "__main__":
    run()
