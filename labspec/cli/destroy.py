"""labspec destroy: remove everything that a lab has on the host."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli import options

EPILOG = """Only what labspec made for this lab is removed, by its labels; external volumes and networks, and
everything that somebody else made, stay. Volumes of the lab go with the data in them.

\b
Exit codes:
  0    done, or nothing to do
  1    refused or failed; what is done stays done
  75   another process is changing the lab
  130  stopped by Ctrl-C

\b
Examples:
  labspec plan --destroy             look first
  labspec destroy
  labspec destroy -y
  labspec destroy --target stack.portainer

Read on: docs/how-it-works.md."""


@click.command("destroy", epilog=EPILOG, short_help="Remove everything that the lab has on this host")
@options.spec
@options.approve
@options.variables
@options.targets
@options.steps
@options.verbose
@options.as_json
@options.everywhere
def command(
    spec: str | None,
    approved: bool,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    targets: tuple[str, ...],
    steps: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Remove everything that the lab has on this host: containers, networks, volumes with their data, images.

    SPEC is a lab.yaml or its folder; without it ./lab.yaml is read.
    """
    from labspec.cli.execution import Request, execute

    lab = options.load(spec, variables, variable_files)
    request = Request("destroy", lab, targets, approved=approved)
    return execute(request, steps=steps, verbose=verbose, as_json=as_json)
