"""The fixtures of masks, for the commands that read them."""

from tests.measure.conftest import head  # noqa: F401  # a fixture
