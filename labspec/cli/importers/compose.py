"""labspec import compose: a spec made of compose files."""

from __future__ import annotations

from pathlib import Path

import click

from labspec.cli.importers import delivery

EPILOG = (
    """Several files are merged as 'docker compose -f ONE -f TWO' merges them, what services extend and what files
include is taken in, anchors and x- fragments are written out. A variable becomes one of the spec's 'vars': what is
${PORT:-80} in the compose file is ${{ vars.port }} in the spec, and 'labspec plan --var port=81' sets it. Without FILE
it is the compose file in this folder, and its override.

What compose refuses is refused with its place in the file. Where docker compose is installed, the spec is compared
with the compose files as 'docker compose config' sees both; what differs is told by name.

"""
    + f"""{delivery.EXITS}

\b
Examples:
  labspec import compose compose.yaml -o lab.yaml
  labspec import compose compose.yaml compose.prod.yaml --profile debug
  labspec import compose --as stack shop/compose.yaml -o lab.yaml

Read on: docs/coming-from.md."""
)


@click.command("compose", epilog=EPILOG, short_help="From compose files, merged as compose merges them")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--profile", "profiles", metavar="NAME", multiple=True, help="Make a profile active. Repeatable.")
@click.option(
    "--env-file",
    "env_files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take variables from FILE instead of .env. Repeatable.",
)
@click.option(
    "--no-interpolate",
    is_flag=True,
    help="Take no value from this host: variables without a default have none, and plan asks for them.",
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(["services", "stack"]),
    default="services",
    help="Make the lab's own services of it, the default, or a stack.",
)
@delivery.options
def command(
    files: tuple[Path, ...],
    profiles: tuple[str, ...],
    env_files: tuple[Path, ...],
    no_interpolate: bool,
    kind: str,
    delivery: delivery.Delivery,
) -> int:
    """Write the spec of one or several compose files."""
    from labspec.cli.importers.delivery import deliver
    from labspec.imports.compose import ComposeFiles, default_files, import_compose

    chosen = files or default_files(Path())
    wish = ComposeFiles(
        chosen,
        delivery.folder if delivery.out else chosen[0].absolute().parent,
        profiles,
        env_files,
        delivery.name,
        stack_name(chosen) if kind == "stack" else None,
        not no_interpolate,
    )
    return deliver(import_compose(wish), delivery)


def stack_name(files: tuple[Path, ...]) -> str:
    """Return the name of the stack that compose files become: their folder's."""
    from labspec.imports.compose import project_name

    return project_name(files[0].absolute().parent.name)
