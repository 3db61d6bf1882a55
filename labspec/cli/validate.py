"""labspec validate: check the spec without looking at the host."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from labspec.cli import options
from labspec.core.resource import Lab

FORMAT = 1

EPILOG = """Every mistake is shown with its place, its line, and what to try. Needs no Docker engine.

\b
Exit codes:
  0  the spec is valid
  1  it has mistakes

\b
Examples:
  labspec validate
  labspec validate labs/tp1
  labspec validate --json | jq -r '.diagnostics[]?.message'

Read on: docs/spec.md."""


@click.command("validate", epilog=EPILOG, short_help="Check the spec, without looking at the host")
@options.spec
@options.variables
@options.as_json
@options.everywhere
def command(spec: str | None, variables: dict[str, str], variable_files: tuple[Path, ...], as_json: bool) -> None:
    """Check the spec, and the files that it names, without looking at the host.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    lab = options.load(spec, variables, variable_files)
    kinds = Counter(resource.kind for resource in lab.resources)
    if as_json:
        about = {"name": lab.name, "title": lab.title, "file": lab.file}
        click.echo(json.dumps({"format": FORMAT, "valid": True, "lab": about, "resources": dict(kinds)}))
        return
    click.echo(f"lab {lab.name} is valid: {_inventory(lab, kinds)}")


def _inventory(lab: Lab, kinds: Counter[str]) -> str:
    from labspec.report.text import count

    if not lab.resources:
        return "it asks for nothing yet"
    return ", ".join(count(number, kind) for kind, number in kinds.items())
