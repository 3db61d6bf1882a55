"""labspec doctor: check that the machine has what labspec needs."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from labspec.cli import options

FORMAT = 1
EXIT_MISSING = 1

EPILOG = """Changes nothing.

\b
Exit codes:
  0  all that is required is there
  1  something required is missing

\b
Examples:
  labspec doctor
  labspec doctor --json | jq -r '.checks[] | select(.ok | not) | .hint'

Read on: README.md."""


@click.command("doctor", epilog=EPILOG, short_help="Check that this machine has what labspec needs")
@options.as_json
@options.everywhere
def command(as_json: bool) -> int:
    """Check that this machine has what labspec needs, and say how to get what is missing."""
    from labspec.cli.checkup import checkup
    from labspec.host.host import Host
    from labspec.report.text import count, pad, printable, width

    findings = list(checkup(Host()))
    missing = [finding for finding in findings if finding.required and not finding.ok]
    if as_json:
        checks = [asdict(finding) for finding in findings]
        click.echo(json.dumps({"format": FORMAT, "ok": not missing, "checks": checks}))
        return EXIT_MISSING if missing else 0
    columns = max(width(finding.name) for finding in findings)
    for finding in findings:
        word, colour = ("ok", "green") if finding.ok else ("missing", "red") if finding.required else ("-", "yellow")
        mark = click.style(pad(word, 7), fg=colour)
        click.echo(f"{mark}  {pad(finding.name, columns)}  {printable(finding.found)}")
        if not finding.ok and finding.hint:
            click.echo(click.style(f"{'':9}{'':{columns}}  = {printable(finding.hint)}", fg="cyan"))
    click.echo()
    click.echo(f"{count(len(missing), 'need')} not met." if missing else "This machine is ready for labspec.")
    return EXIT_MISSING if missing else 0
