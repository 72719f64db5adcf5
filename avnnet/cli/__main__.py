"""`python -m avnnet.cli`: the same as `avnnet`."""

import sys

from avnnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
