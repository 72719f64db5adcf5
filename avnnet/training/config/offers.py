"""The classes that avnnet has for an argument of a config."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def offered(place: Sequence[str], bases: Sequence[type] = ()) -> list[str]:
    """The import paths of the classes that fit, some of torch among them; empty where none is known.

    Args:
        place: of the argument in a config, name by name.
        bases: whose children it takes.

    Examples:
        >>> offered(["model", "net", "init_args", "skip"])
        ['avnnet.models.Concat', 'avnnet.models.Add', 'avnnet.models.AttentionGate']
    """
    from torch import nn

    from avnnet import losses, models

    by_name: dict[str, Sequence[type]] = {
        "block": models.BLOCKS,
        "norm": models.NORMS,
        "act": (models.LeakyReLU, nn.ReLU, nn.GELU, nn.SiLU),
        "skip": (models.Concat, models.Add, models.AttentionGate),
        "up": (models.TransposedConv, models.MedNeXtUp),
        "loss": [getattr(losses, name) for name in losses.__all__ if name[:1].isupper()],
    }
    if tuple(place) == ("model", "net"):
        return [public_path(one) for one in models.NETWORKS]
    if place[-1] in by_name:
        fitting = by_name[place[-1]]
        return [public_path(one) for one in fitting]
    children: list[type] = []
    for base in bases:
        children += type.__subclasses__(base) if base.__module__.startswith("avnnet.") else []
    return sorted(public_path(one) for one in children if not one.__name__.startswith("_"))


def in_words(paths: Sequence[str]) -> str:
    """Import paths in a sentence, a module once with all its classes.

    Args:
        paths: of classes, with their modules.

    Examples:
        >>> in_words(["avnnet.models.Add", "avnnet.models.Concat", "torch.nn.ReLU"])
        'avnnet.models has Add, Concat, and torch.nn has ReLU'
    """
    found = [path.rpartition(".") for path in paths]
    lists = {home: ", ".join(name for module, _, name in found if module == home) for home, _, _ in found}
    return ", and ".join(f"{home} has {names}" for home, names in lists.items())


def public_path(cls: type) -> str:
    """The shortest import path of a class.

    Args:
        cls: the class.

    Examples:
        >>> from torch import nn
        >>> public_path(nn.Module), public_path(dict)
        ('torch.nn.Module', 'dict')
    """
    if cls.__module__ == "builtins":
        return cls.__name__
    parts = cls.__module__.split(".")
    for count in range(1, len(parts)):
        module = ".".join(parts[:count])
        if module != "avnnet" and getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return f"{module}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__name__}"
