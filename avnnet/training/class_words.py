"""What to say of a class in a config that is not there, or does not take what it is given."""

from __future__ import annotations

import difflib
import inspect
import re
import sys

CLASS = re.compile(r"class_path[= ]'([\w.]+)'")
REFUSED = re.compile(r"Option '([\w.]+)' is not accepted")
ABSENT = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
NOWHERE = re.compile(r"No module named '([\w.]+)'")


def class_hint(message: str) -> str:
    """What would work instead, to stand behind what jsonargparse says of a class; empty where it says nothing of one.

    Nothing is imported here: the class has been when its arguments were looked at.

    Args:
        message: of jsonargparse, in one line.

    Examples:
        >>> import avnnet.models
        >>> class_hint("module 'avnnet.models' has no attribute 'UNet3d'")
        " Did you mean 'avnnet.models.UNet3D'?"
        >>> class_hint("Problem with given class_path 'avnnet.models.Foreign': Option 'block' is not accepted")[:58]
        ' avnnet.models.Foreign takes net, ndim, in_channels, divis'
    """
    refused, absent = REFUSED.search(message), ABSENT.search(message)
    if refused:
        return _of_option(refused[1], CLASS.findall(message))
    if absent:
        names = [name for name in dir(sys.modules.get(absent[1])) if name[:1].isupper()]
        near = difflib.get_close_matches(absent[2], names, n=1, cutoff=0.6)
        return f" Did you mean '{absent[1]}.{near[0]}'?" if near else ""
    if NOWHERE.search(message):
        return " Run the command in the folder of the module, or install its package."
    return ""


def _of_option(option: str, paths: list[str]) -> str:
    """Of the classes that a message names, the innermost without the option is the one that refuses it."""
    for path in reversed(paths):
        module, _, name = path.rpartition(".")
        cls = getattr(sys.modules.get(module), name, None)
        names = list(inspect.signature(cls).parameters) if isinstance(cls, type) else [option]
        if option not in names:
            near = difflib.get_close_matches(option, names, n=1, cutoff=0.6)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            return (
                f"{meant} {path} takes {', '.join(names)}. An overlay of init_args alone is for the class of the "
                "config below it: give class_path too, or lay it over another config."
            )
    return ""
