"""labspec show: look into what runs, as the kernel and the engine see it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from labspec.cli import options
from labspec.engine.views.model import KINDS

EPILOG = """\b
Views:
  namespaces  which of the host's it has for itself, and which it shares
  cgroups     what it may use of memory, processors, tasks, disks; and uses
  mounts      what its files are made of, and where on the host that is
  rights      user, capabilities, seccomp, AppArmor, the engine's socket
  api         what the Docker Engine API answers

\b
Exit codes:
  0  shown
  1  there is no such thing, or it may not be seen

\b
Examples:
  labspec show namespaces                    all of the lab, in one table
  labspec show namespaces service.web        one service beside the host
  labspec show cgroups service.web/2         its second container
  labspec show rights unit.web.service       a unit, bundle, machine or pod
  labspec show mounts host                   the host itself
  labspec show api service.web               as docker inspect
  labspec show api /containers/json --query '[].Names'
  labspec show api '/containers/{service.web}/top'

Read on: docs/views.md."""


@click.command("show", epilog=EPILOG, short_help="Look into what runs: namespaces, cgroups, mounts, rights")
@click.argument("kind", metavar="VIEW", type=click.Choice(KINDS))
@click.argument("address", required=False, metavar="[ADDRESS]", shell_complete=options.complete_addresses)
@click.option("--query", metavar="JMESPATH", help="What to take of an answer of the API (https://jmespath.org).")
@click.option("--spec", "spec", metavar="SPEC", type=click.Path(), help="The lab's file or folder; ./lab.yaml.")
@options.variables
@options.as_json
@options.everywhere
def command(
    kind: str,
    address: str | None,
    query: str | None,
    spec: str | None,
    variables: dict[str, str],
    variable_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Look into what of the lab runs, with the host beside it. Changes nothing.

    ADDRESS is service.web, unit.web.service, bundle.box, ... or host; without one, everything of the lab that runs is
    shown in one table. VIEW api takes a path of the Engine API, too. Most of it only root may see.
    """
    from labspec.engine.views import view
    from labspec.host.host import Host
    from labspec.report.views import view_lines

    lab = options.load(spec, variables, variable_files)
    found = view(kind, lab, Host(), address, query)
    if as_json:
        click.echo(json.dumps(found.as_json()))
        return
    for line in view_lines(found, lambda text: click.style(text, bold=True)):
        click.echo(line)
