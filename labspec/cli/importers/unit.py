"""labspec import unit: units made of unit files."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli.importers import delivery

EPILOG = f"""A file is named as systemd names it: NAME.service, NAME.timer, or UNIT.d/NAME.conf, which becomes a
drop-in. All keys stay, in their order, and so do comments. Beside a unit's sections a spec says what labspec does with
it: see 'state' and 'enabled' in docs/spec.md.

{delivery.EXITS}

\b
Examples:
  labspec import unit backup.service backup.timer -o lab.yaml
  labspec import unit /etc/systemd/system/docker.service.d/proxy.conf

Read on: docs/coming-from.md; docs/spec.md for units."""


@click.command("unit", epilog=EPILOG, short_help="Units of systemd, from their files")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@delivery.options
def command(files: tuple[Path, ...], delivery: delivery.Delivery) -> int:
    """Write the spec of the units that unit files describe."""
    from labspec.cli.importers.delivery import deliver
    from labspec.cli.init import lab_name
    from labspec.imports.unit import import_units

    lab = delivery.name or lab_name(Path(files[0].name.partition(".")[0]))
    return deliver(import_units(files, lab), delivery)
