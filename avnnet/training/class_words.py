"""What to say of a class in a config that is not there, or does not take what an overlay gives it."""

from __future__ import annotations

import difflib
import inspect
import re
import sys

REFUSED = re.compile(r"class_path '([\w.]+)':.*?Option '([\w.]+)' is not accepted")
ABSENT = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
NOWHERE = re.compile(r"No module named '([\w.]+)'")


def class_hint(message: str) -> str:
    """What would work instead, behind what jsonargparse says of a class; empty where it says nothing of one.

    Nothing is imported here: the class has been when its arguments were looked at.

    Args:
        message: of jsonargparse, in one line.

    Examples:
        >>> import avnnet.models
        >>> class_hint("Problem with given class_path 'avnnet.models.Foreign': Option 'block' is not accepted")
        " avnnet.models.Foreign takes net, ndim, in_channels, divisors. An overlay without class_path changes the class \
of the config below it; lay it over a config whose class takes 'block'"
        >>> class_hint("module 'avnnet.models' has no attribute 'UNet3d'")
        " Did you mean 'avnnet.models.UNet3D'?"
    """
    refused = REFUSED.findall(message)
    if refused:
        path, option = refused[-1]
        cls = _class(path)
        takes = f" {path} takes {', '.join(inspect.signature(cls).parameters)}." if cls is not None else ""
        return (
            f"{takes} An overlay without class_path changes the class of the config below it; lay it over a config whose "
            f"class takes {option!r}"
        )
    absent = ABSENT.search(message)
    if absent:
        names = [name for name in dir(sys.modules.get(absent[1])) if name[:1].isupper()]
        near = difflib.get_close_matches(absent[2], names, n=1, cutoff=0.6)
        return f" Did you mean '{absent[1]}.{near[0]}'?" if near else ""
    if NOWHERE.search(message):
        return " Run the command in the folder of the module, or install its package."
    return ""


def _class(path: str) -> type | None:
    module, _, name = path.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else None
