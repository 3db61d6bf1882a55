"""labspec import rkt: a pod, from an rkt command line."""

from __future__ import annotations

import click

from labspec.cli.importers import delivery

EPILOG = f"""Give the command behind '--', or all of it as one text in quotes. It may stand behind 'sudo' and
'systemd-run'; the unit's name comes along. The pod is named by --as, else by the app's name or the image.

{delivery.EXITS}

\b
Examples:
  labspec import rkt 'rkt run docker://alpine --exec /bin/sleep -- 99'
  labspec import rkt -- systemd-run --unit=web rkt run docker://nginx

Read on: docs/coming-from.md."""


@click.command("rkt", epilog=EPILOG, short_help="A pod, from an 'rkt run' command line")
@click.argument("line", metavar="COMMAND", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--as", "title", metavar="NAME", help="The pod's name in the spec.")
@delivery.options
def command(line: tuple[str, ...], title: str | None, delivery: delivery.Delivery) -> int:
    """Write the spec of the pod that an 'rkt run' starts."""
    from labspec.cli.importers.delivery import deliver
    from labspec.imports.rkt import import_rkt

    return deliver(import_rkt(line, delivery.name or "rkt", title), delivery)
