"""labspec import live: a spec of what is on this host, which apply then adopts."""

from __future__ import annotations

from typing import Any

import click

from labspec.cli.importers import delivery
from labspec.cli.options import Decorator

EPILOG = f"""The spec names under 'adopt' what it takes over: 'labspec apply' makes nothing anew, restarts nothing, and
the next plan is empty. Units and settings of the daemon need not be named there: they are as the spec says already.

Networks and volumes that containers use and that are not chosen stay somebody else's (external). So do images, for an
image does not tell what it was built from; with NAME=DOCKERFILE one is adopted as what that Dockerfile makes.

Values of variables that containers have are written out, secrets among them.

{delivery.EXITS}

\b
Examples:
  labspec import live --project shop -o lab.yaml   what compose has up
  labspec import live --container web --volume data
  labspec import live --label team=ops --daemon --unit backup.service
  labspec import live --project shop --image shop-web=web/Dockerfile
  labspec import live --all -o lab.yaml

Read on: docs/how-it-works.md, 'Adopting what is there'."""


def _many(option: str, field: str, what: str) -> Decorator[Any]:
    return click.option(option, field, metavar="NAME", multiple=True, help=f"{what} Repeatable.")


@click.command("live", epilog=EPILOG, short_help="From what is on this host, to be adopted")
@_many("--container", "containers", "This container, by name or id.")
@_many("--label", "labels", "Containers and images with this label, KEY or KEY=VALUE.")
@_many("--project", "projects", "All that a compose project has.")
@_many("--network", "networks", "This network.")
@_many("--volume", "volumes", "This volume.")
@_many("--image", "images", "This image; NAME=DOCKERFILE: as built from that.")
@click.option("--used-images", is_flag=True, help="The images that the chosen containers use.")
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
    used_images: bool,
    delivery: delivery.Delivery,
) -> int:
    """Write the spec of what is on this host already. Changes nothing there."""
    from labspec.cli.importers.delivery import deliver
    from labspec.host.host import Host
    from labspec.imports.live import Choice, import_live

    choice = Choice(containers, labels, projects, networks, volumes, images, units, daemon, everything, used_images)
    return deliver(import_live(Host(), choice, delivery.name, delivery.folder), delivery)
