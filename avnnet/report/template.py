"""A page from one of the package's templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2


def rendered(template: str, content: Mapping[str, Any]) -> str:
    """The text of a page; a name that the template asks for and the content lacks is an error.

    Args:
        template: file name in `report/templates`.
        content: what the template names; text is escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("avnnet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)
