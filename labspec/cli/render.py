"""labspec render: write the lab as files that Docker understands without labspec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab

FORMAT = 1

EPILOG = """The files do not depend on this host and are the same at every run, so that they can be kept in git.

\b
Exit codes:
  0  written
  1  the spec has mistakes, or DIR cannot be written to

\b
Examples:
  labspec render -o out
  docker compose -f out/compose.yaml up

Read on: docs/how-it-works.md."""


@click.command("render", epilog=EPILOG, short_help="Write the lab as Dockerfiles and compose.yaml")
@options.spec
@click.option(
    "-o",
    "--out",
    "out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write to; made if need be.",
)
@options.variables
@options.as_json
@options.everywhere
def command(
    spec: str | None, out: Path, variables: dict[str, str], variable_files: tuple[Path, ...], as_json: bool
) -> None:
    """Write the lab as Dockerfiles, build contexts and a compose.yaml that work without labspec.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.outputs.render import render

    lab = _loaded(spec, variables, variable_files)
    files = [str(path) for path in render(lab, out)]
    if as_json:
        click.echo(json.dumps({"format": FORMAT, "files": files}))
        return
    for file in files:
        click.echo(click.format_filename(file))


def _loaded(spec: str | None, variables: dict[str, str], variable_files: tuple[Path, ...]) -> Lab:
    """Return the lab. What services build from need not be here: a compose file says it all the same."""
    try:
        return options.load(spec, variables, variable_files)
    except LabError:
        from labspec.host import inputs
        from labspec.spec.loader import load

        with inputs.without_builds():
            lab = load(None if spec is None else Path(spec), variables=variables, variable_files=variable_files)
    for resource in lab.resources:
        for why in resource.options.get("absent", ()):
            click.echo(f"not written: what {resource.address} is built from: {why}", err=True)
    return lab
