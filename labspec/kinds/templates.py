"""The Jinja templates that lay out generated files: text around values that are serialised already."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).resolve().parent.parent


def rendered(template: str, *, escape: bool = False, **values: Any) -> str:
    """Return a template of the folder `generators` with these values. What it does not get is an error.

    With `escape`, a value is text to HTML, unless it is markup already (markupsafe.Markup).
    """
    return _environment(escape).get_template(template).render(values)


@cache
def _environment(escape: bool) -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # The wheel has the templates inside the package; a checkout has them beside it.
    folders = [_PACKAGE / "generators", _PACKAGE.parent / "generators"]
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=escape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
