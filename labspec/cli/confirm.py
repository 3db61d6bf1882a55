"""labspec confirm: keep, or put back, the settings that were applied with --confirm-within."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli import options

EPILOG = """\b
Exit codes:
  0  kept, or with --revert put back
  1  nothing waits for it, or it failed

\b
Examples:
  labspec apply --confirm-within 60s  the host's settings go back in a minute,
  labspec confirm                     unless this is run before
  labspec confirm --revert            put them back now

Read on: docs/how-it-works.md."""


@click.command("confirm", epilog=EPILOG, short_help="Keep settings that were applied with --confirm-within")
@options.spec
@click.option("--revert", is_flag=True, help="Put the settings back now.")
@click.option("--lab", "name", metavar="NAME", help="The lab's name, instead of its spec.")
@options.variables
@options.everywhere
def command(
    spec: str | None,
    revert: bool,
    name: str | None,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
) -> int:
    """Keep the settings of the host that 'labspec apply --confirm-within' has made.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.core.diagnostic import LabError
    from labspec.engine import pending
    from labspec.host.host import Host

    if name is None:
        name = options.load(spec, variables, variable_files).name
    elif not name.replace("-", "").replace("_", "").isalnum():
        raise LabError(f"--lab {name!r}: no name of a lab")
    if not revert:
        kept = pending.confirm(Host(), name)
        click.echo(f"Confirmed: {', '.join(kept)} stay as they are.")
        return 0
    from labspec.report.diagnostics import print_diagnostics
    from labspec.report.progress import display

    with display(as_json=False, colour=click.get_current_context().color) as show:
        outcome = pending.revert(Host(), name, show)
    for _, error in outcome.failed:
        print_diagnostics(error.diagnostics, click.get_current_context().color)
    if outcome.failed or outcome.skipped:
        return 1
    click.echo("Put back: the settings are as they were before the last apply.")
    return 0
