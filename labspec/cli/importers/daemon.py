"""labspec import daemon: the Docker daemon's settings, from a daemon.json."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli.importers import delivery

EPILOG = f"""Every key comes along with its value; one that this labspec does not know goes under 'x-unchecked'. After
'labspec apply', keys of the host's daemon.json that the spec does not name are as they were.

{delivery.EXITS}

\b
Examples:
  labspec import daemon /etc/docker/daemon.json
  labspec import daemon daemon.json -o lab.yaml

Read on: docs/coming-from.md; docs/spec.md for settings."""


@click.command("daemon", epilog=EPILOG, short_help="The Docker daemon's settings, from its daemon.json")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@delivery.options
def command(file: Path, delivery: delivery.Delivery) -> int:
    """Write the spec of the settings that a daemon.json has."""
    from labspec.cli.importers.delivery import deliver
    from labspec.imports.daemon import import_daemon

    return deliver(import_daemon(file, delivery.name or "daemon"), delivery)
