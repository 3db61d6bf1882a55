"""labspec import dockerfile: an image made of a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli.importers import delivery

EPILOG = f"""Each instruction becomes a step, and a comment stays above what it is about. Stages, heredocs, mounts and
build arguments come along; the Dockerfile that 'labspec render' writes of the spec has the same instructions. What it
copies is looked for in the folder of the spec: put the spec into the folder that was the build's context.

{delivery.EXITS}

\b
Examples:
  labspec import dockerfile Dockerfile -o lab.yaml
  labspec import dockerfile web/Dockerfile --image web | less

Read on: docs/coming-from.md; docs/spec.md for steps."""


@click.command("dockerfile", epilog=EPILOG, short_help="An image, with its instructions as steps")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--image", metavar="NAME", help="The image's name in the spec, instead of its folder's.")
@delivery.options
def command(file: Path, image: str | None, delivery: delivery.Delivery) -> int:
    """Write the spec of the image that a Dockerfile describes."""
    from labspec.cli.importers.delivery import deliver
    from labspec.cli.init import lab_name
    from labspec.imports.dockerfile import import_dockerfile

    lab = lab_name(file.absolute().parent)
    return deliver(import_dockerfile(file, image or lab, delivery.name or lab), delivery)
