"""labspec schema: print the JSON Schema of a spec."""

from __future__ import annotations

import json
from pathlib import Path

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

EPILOG = """An editor with the YAML language server completes and checks a lab.yaml that begins with the line

\b
  # yaml-language-server: $schema=./labspec.schema.json

\b
Exit codes:
  0  printed, or written
  1  FILE cannot be written

\b
Examples:
  labspec schema -o labspec.schema.json
  labspec schema | jq '.properties | keys'

Read on: docs/spec.md, the same for people."""


@click.command("schema", epilog=EPILOG, short_help="Print the JSON Schema of a spec, for editors")
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to FILE instead.",
)
@options.everywhere
def command(out: Path | None) -> None:
    """Print the JSON Schema of a lab.yaml, for editors and other tools."""
    text = schema_text()
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(f"cannot write {out}: {error.strerror}") from error
    click.echo(click.format_filename(out))


def schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) as indented text."""
    from labspec.spec.loader import schema

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
