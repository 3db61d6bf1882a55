"""labspec import bundle: an OCI bundle, from its config.json."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli.importers import delivery

EPILOG = f"""A config.json does not say what its root file system was made of: --image does. A spec says how a bundle
differs from what 'runc spec' writes; every other setting is told by its path: linux.resources.memory.limit.

{delivery.EXITS}

\b
Examples:
  labspec import bundle box/config.json --image debian:latest
  labspec import bundle config.json --image alpine --strict -o lab.yaml

Read on: docs/coming-from.md; docs/spec.md for bundles."""


@click.command("bundle", epilog=EPILOG, short_help="An OCI bundle, from its config.json")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--image", metavar="IMAGE", required=True, help="The image of the root file system.")
@click.option("--as", "title", metavar="NAME", help="The bundle's name in the spec, instead of its folder's.")
@delivery.options
def command(file: Path, image: str, title: str | None, delivery: delivery.Delivery) -> int:
    """Write the spec of the bundle that a config.json describes."""
    from labspec.cli.importers.delivery import deliver
    from labspec.cli.init import lab_name
    from labspec.imports.bundle import import_bundle

    lab = lab_name(file.absolute().parent)
    return deliver(import_bundle(file, title or lab, image, delivery.name or lab), delivery)
