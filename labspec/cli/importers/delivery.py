"""How every import hands over its spec: to stdout or a file, with what could not be carried over on stderr."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from labspec.cli.options import as_json, everywhere, together
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.imports.report import Imported, Loss

FORMAT = 1
EXIT_LOST = 1
EXITS = """\b
Exit codes:
  0  written
  1  refused; with --strict, also where something is lost"""
"""What the help of every import says of its exit codes."""


class Delivery(NamedTuple):
    """Where the spec goes, and how its losses are told."""

    out: Path | None
    force: bool
    name: str | None
    as_json: bool
    strict: bool

    @property
    def folder(self) -> Path:
        """The folder that the spec is going to be in."""
        return (self.out.parent if self.out else Path()).absolute()


def _collected(function: Any) -> Any:
    """Return the command with its common options as one argument `delivery`."""

    def called(**given: Any) -> Any:
        common = {field: given.pop(field) for field in Delivery._fields}
        return function(delivery=Delivery(**common), **given)

    called.__name__, called.__doc__ = function.__name__, function.__doc__
    called.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    return called


def _lab_name(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    from labspec.spec.head import LONGEST_NAME, NAME_PATTERN

    if name is not None and (len(name) > LONGEST_NAME or not re.fullmatch(NAME_PATTERN[1:-1], name)):
        raise LabError(
            f"--name {name}: that is no name of a lab",
            hint=f"use small letters, digits, '-' and '_', and at most {LONGEST_NAME} of them",
        )
    return name


options = together(
    click.option(
        "-o",
        "--out",
        "out",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the spec to FILE instead of stdout.",
    ),
    click.option("--force", is_flag=True, help="Overwrite FILE."),
    click.option("--name", metavar="LAB", callback=_lab_name, help="The lab's name, instead of the source's."),
    click.option("--strict", is_flag=True, help="Exit with 1 where something could not be carried over."),
    as_json,
    everywhere,
    _collected,
)


def deliver(imported: Imported, delivery: Delivery) -> int:
    """Write the spec and tell what it lacks; return the exit code. Raises LabError where the file may not be written.

    With --strict and a loss, no file is written.
    """
    from labspec.imports.writing import spec_text

    text = spec_text(imported, delivery.name)
    refused = bool(delivery.strict and imported.losses)
    if delivery.out and not refused:
        write(delivery.out, text, force=delivery.force)
    if delivery.as_json:
        where = {"file": str(delivery.out)} if delivery.out else {"spec": text}
        lost = [loss.as_json() for loss in imported.losses]
        click.echo(json.dumps({"format": FORMAT, **where, "lost": lost}))
    else:
        _tell(imported.losses)
        if not delivery.out:
            click.echo(text, nl=False)
        elif not refused:
            click.echo(f"wrote {click.format_filename(delivery.out)}")
    return EXIT_LOST if refused else 0


def write(path: Path, text: str, *, force: bool) -> None:
    """Write a file. Raises LabError where there is one already, unless `force`."""
    from labspec.host.state import write_atomic

    if path.exists() and not force:
        raise LabError(f"{path} exists already", hint="--force overwrites it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode(), 0o644)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}") from error


def _tell(losses: tuple[Loss, ...]) -> None:
    from labspec.report.diagnostics import diagnostic_lines

    for loss in losses:
        for line in diagnostic_lines(loss.diagnostic(), "not carried over", "yellow"):
            click.echo(line, err=True)
