"""The options that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from labspec.cli.main import enter
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]


def together(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several; the first stands first in the help."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _variables(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, equals, content = value.partition("=")
        if not name or not equals:
            raise LabError(f"--var {value}: a variable is given as NAME=VALUE", hint="for example --var port=8080")
        pairs[name] = content
    return pairs


def complete_addresses(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the addresses of the lab that the rest of the command line names; a broken spec completes nothing."""
    from click.shell_completion import CompletionItem

    try:
        lab = load(context.params.get("spec"), context.params.get("variables") or {}, ())
    except Exception:  # the user is in the middle of a line: silence is the only good answer
        return []
    return [
        CompletionItem(resource.address, help=resource.kind)
        for resource in lab.resources
        if resource.address.startswith(incomplete)
    ]


spec = click.argument("spec", required=False, metavar="[SPEC]", type=click.Path())

variables = together(
    click.option(
        "--var",
        "variables",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_variables,
        help="Set a variable of the spec. Repeatable.",
    ),
    click.option(
        "--var-file",
        "variable_files",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Set variables from a YAML file; --var goes before it. Repeatable.",
    ),
)

targets = click.option(
    "--target",
    "targets",
    metavar="ADDRESS",
    multiple=True,
    shell_complete=complete_addresses,
    help="Only this object and what it needs: service.web, or a whole group such as stack.portainer. Repeatable.",
)

replace = click.option(
    "--replace",
    "replace",
    metavar="ADDRESS",
    multiple=True,
    shell_complete=complete_addresses,
    help="Make this object anew, even where nothing differs. Repeatable.",
)

allow = click.option(
    "--allow",
    "allow",
    metavar="NAME",
    multiple=True,
    callback=lambda _context, _parameter, names: frozenset(names),
    help="Accept a power over the host that the plan warns of, such as privileged. Repeatable.",
)

allow_missing = click.option(
    "--allow-missing",
    "allow_missing",
    is_flag=True,
    help="Leave out what needs a program that this host does not have, such as rkt.",
)

approve = click.option("-y", "--auto-approve", "approved", is_flag=True, help="Do not ask for 'yes'.")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text (docs/json.md).")

steps = click.option("--steps", is_flag=True, help="Show the steps that each change takes.")

verbose = click.option("-v", "--verbose", is_flag=True, help="Show the steps, and every value whole.")

everywhere = together(
    click.option(
        "-C",
        "working_folder",
        type=click.Path(file_okay=False),
        hidden=True,
        is_eager=True,
        expose_value=False,
        callback=lambda _context, _option, folder: enter(folder),
    ),
    click.option("--no-color", is_flag=True, hidden=True, expose_value=False),
)
"""What the group takes is taken behind a command's name too, where fingers put it."""


_LONGEST = 24 * 3600


def seconds(text: str) -> int:
    """Return the seconds of a time such as 60s or 5m. Raises LabError for what is none, or longer than a day."""
    number, unit = text[:-1], text[-1:]
    found = int(number) * (60 if unit == "m" else 1) if unit in ("s", "m") and number.isdecimal() else 0
    if not 0 < found <= _LONGEST:
        raise LabError(f"{text}: no time that can be waited", hint="for example 60s, or 5m")
    return found


def load(path: str | Path | None, variables: dict[str, str], variable_files: tuple[Path, ...]) -> Lab:
    """Return the lab of a spec file or folder (None: ./lab.yaml). Raises LabError with every mistake in it."""
    from labspec.spec.cache import load as load_spec

    return load_spec(None if path is None else Path(path), variables=variables, variable_files=variable_files)
