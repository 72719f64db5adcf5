"""What stops the device script as a whole, and what stops one step of it."""

from avnnet.errors import AvnnetError


class NotReady(AvnnetError):
    """The machine lacks a GPU, or packages that nobody brought."""


class StepFailed(AvnnetError):
    """A step found something else than it should have."""


class OutOfTime(BaseException):
    """The seconds of a step are over.

    No `Exception`: compilers and loaders catch those and go on.
    """
