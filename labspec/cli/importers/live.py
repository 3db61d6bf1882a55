"""labspec import live: a spec of what is on this host, which apply then adopts."""

from __future__ import annotations

from typing import Any

import click

from labspec.cli.importers import delivery
from labspec.cli.options import Decorator

EPILOG = """The spec names under 'adopt' what it takes over: 'labspec apply' makes nothing anew, and the next plan is
empty. Networks and volumes that containers use and that are not chosen stay somebody else's (external). Values of
variables that containers have are written out, secrets among them.

\b
Examples:
  labspec import live --project shop -o lab.yaml   what 'docker compose up' made
  labspec import live --container web --volume data
  labspec import live --label team=ops --daemon --unit backup.service
  labspec import live --all -o lab.yaml"""


def _many(option: str, field: str, what: str) -> Decorator[Any]:
    return click.option(option, field, metavar="NAME", multiple=True, help=f"{what} Repeatable.")


@click.command("live", epilog=EPILOG, short_help="From what is on this host, to be adopted")
@_many("--container", "containers", "This container, by name or id.")
@_many("--label", "labels", "Containers with this label, KEY or KEY=VALUE.")
@_many("--project", "projects", "All that a compose project has.")
@_many("--network", "networks", "This network.")
@_many("--volume", "volumes", "This volume.")
@_many("--image", "images", "This image.")
@_many("--unit", "units", "This unit of systemd.")
@click.option("--daemon", is_flag=True, help="The settings of the Docker daemon.")
@click.option("--all", "everything", is_flag=True, help="All containers, networks and volumes that no lab has.")
@delivery.options
def command(
    containers: tuple[str, ...],
    labels: tuple[str, ...],
    projects: tuple[str, ...],
    networks: tuple[str, ...],
    volumes: tuple[str, ...],
    images: tuple[str, ...],
    units: tuple[str, ...],
    daemon: bool,
    everything: bool,
    delivery: delivery.Delivery,
) -> int:
    """Write the spec of what is on this host already. Changes nothing there."""
    from labspec.cli.importers.delivery import deliver
    from labspec.host.host import Host
    from labspec.imports.live import Choice, import_live

    choice = Choice(containers, labels, projects, networks, volumes, images, units, daemon, everything)
    return deliver(import_live(Host(), choice, delivery.name), delivery)
