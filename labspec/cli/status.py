"""labspec status: show what of a lab is on the host, and how it does."""

from __future__ import annotations

import json
from pathlib import Path

import click

from labspec.cli import options

EPILOG = """\b
States:
  ok          as the spec says      drifted    differs from the spec
  missing     not on this host      stopped    there, but not running
  unhealthy   its health check fails
  orphaned    on this host, no longer in the spec

\b
Exit codes:
  0  shown, whatever the states are
  1  the spec or the host cannot be read

\b
Examples:
  labspec status
  labspec status --json | jq '.resources[] | select(.state != "ok")'

Read on: docs/how-it-works.md; docs/json.md for --json."""


@click.command("status", epilog=EPILOG, short_help="Show what of the lab is there, and how it does")
@options.spec
@options.variables
@options.as_json
@options.everywhere
def command(spec: str | None, variables: dict[str, str], variable_files: tuple[Path, ...], as_json: bool) -> None:
    """Show what of the lab is on this host, and how it does. Changes nothing.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.engine import workflow
    from labspec.host.host import Host
    from labspec.report.status import status_json, status_lines

    lab = options.load(spec, variables, variable_files)
    rows = workflow.status(lab, Host())
    if as_json:
        click.echo(json.dumps(status_json(lab.name, rows)))
        return
    for line in status_lines(lab.name, rows):
        click.echo(line)
    if any(row.state != "ok" for row in rows):
        click.echo("\n'labspec plan' shows what apply would change.", err=True)
