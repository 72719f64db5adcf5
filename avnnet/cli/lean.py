"""Imports that take less time, for commands that a person waits for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

# what MONAI imports if it is there, for functions that a prediction calls none of
UNUSED = (
    "cupy", "cv2", "h5py", "itk", "lmdb", "matplotlib", "mlflow", "nibabel", "onnx", "onnxruntime", "onnxscript",
    "PIL", "psutil", "scipy.signal", "skimage", "sklearn", "tensorboard", "tqdm", "transformers",
)  # fmt: skip


class _Hides(MetaPathFinder):
    """Says of some packages that they are not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Refuses a hidden package, and leaves the others to the next finder.

        Raises:
            ModuleNotFoundError: of a hidden one.
        """
        if any(fullname == name or fullname.startswith(f"{name}.") for name in self.names):
            raise ModuleNotFoundError(f"{fullname} is hidden while MONAI is imported", name=fullname)


@contextmanager
def hidden(names: Sequence[str] = UNUSED) -> Iterator[None]:
    """Packages that are not imported yet cannot be, until the block ends.

    Args:
        names: of packages and modules.

    Examples:
        >>> with hidden(["wave"]):
        ...     import wave
        Traceback (most recent call last):
        ...
        ModuleNotFoundError: wave is hidden while MONAI is imported
    """
    finder = _Hides(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def lean_imports(*, is_whole: bool = False) -> Iterator[None]:
    """Imports in two thirds of their time: MONAI without what only its other functions need, and without collecting.

    Parts of MONAI that draw do not work then. A command ends soon and calls none of them; in notebooks and trainings
    MONAI is imported as ever.

    Args:
        is_whole: all of MONAI, for classes of a user's own.
    """
    was_enabled = gc.isenabled()
    gc.disable()  # it would look through hundreds of thousands of new objects again and again, which all stay
    try:
        if is_whole:
            yield
        else:
            with hidden():
                import monai.transforms  # noqa: F401
            yield
    finally:
        if was_enabled:
            gc.enable()
