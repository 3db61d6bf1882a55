"""labspec import run: a spec made of a docker run command line."""

from __future__ import annotations

import os

import click

from labspec.cli.importers import delivery

EPILOG = f"""Give the command behind '--', or all of it as one text in quotes, as it is copied from a page: line ends
with a backslash, quotes, $HOME and $(pwd) are read as a shell reads them, and nothing is run. docs/docker-run.md has
every flag. The service is named by --name, else by the image; 'labspec apply' makes a container like the command's.

{delivery.EXITS}

\b
Examples:
  labspec import run -- docker run -d --name web -p 80:80 nginx
  labspec import run 'docker run -it -v $(pwd):/work debian' -o lab.yaml

Read on: docs/docker-run.md, docs/coming-from.md."""


@click.command(
    "run",
    epilog=EPILOG,
    short_help="From a 'docker run' command line",
    context_settings={"ignore_unknown_options": False},
)
@click.argument("words", nargs=-1, metavar="COMMAND", required=True, type=click.UNPROCESSED)
@delivery.options
def command(words: tuple[str, ...], delivery: delivery.Delivery) -> int:
    """Write the spec of the container that a 'docker run' or 'docker create' makes."""
    from labspec.cli.importers.delivery import deliver
    from labspec.imports.run import import_run

    return deliver(import_run(words, delivery.folder, dict(os.environ)), delivery)
