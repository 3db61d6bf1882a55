"""labspec import: specs made of what other tools' files say, or of what runs on this host."""

from __future__ import annotations

import click

from labspec.cli import options
from labspec.cli.commands import LazyGroup

COMMANDS = {
    "compose": "Compose files, merged as compose merges them",
    "dockerfile": "A Dockerfile, with its instructions as steps",
    "unit": "Unit files of systemd, and drop-ins",
    "daemon": "The Docker daemon's daemon.json",
    "rkt": "An 'rkt run' command line",
    "bundle": "The config.json of an OCI bundle",
    "run": "A 'docker run' command line",
    "live": "What is on this host, to be adopted",
}
"""Command -> what it imports; module `labspec.cli.importers.<name>` is imported only to call it."""

EPILOG = """The spec goes to stdout, or with -o to a file. What a spec cannot say is told by name on stderr; nothing is
left out silently. --strict makes that an error.

\b
Exit codes:
  0  written
  1  refused; with --strict, also where something is lost

\b
Examples:
  labspec import compose compose.yaml -o lab.yaml
  labspec import run -- docker run -d -p 80:80 nginx
  labspec import live --project shop -o lab.yaml
  labspec plan                         what apply would change, and why

Read on: docs/coming-from.md."""


class Importers(LazyGroup):
    """The sources that a spec can be made of."""

    names = tuple(COMMANDS)
    modules = "labspec.cli.importers"
    unknown = "there is no 'labspec import {}'"
    help_of_names = f"known: {', '.join(COMMANDS)}"

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Sources"):
            formatter.write_dl(list(COMMANDS.items()) or [("", "")])


@click.group(
    "import", cls=Importers, epilog=EPILOG, short_help="Write a spec from compose files, a command, or what runs here"
)
@options.everywhere
def command() -> None:
    """Write a spec that says what a compose file, a command line or a running host says."""
