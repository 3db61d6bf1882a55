"""Every command's help is a manual page: what it does, every option, exit codes, examples, where to read on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from labspec.cli.main import cli

ROOT = Path(__file__).parents[2]
COLUMNS = 80
UNLIKE = {"labspec completion": "To have it in every new shell"}
"""Commands whose examples have another title."""


def commands(
    command: click.Command, path: str, above: click.Context | None = None
) -> Iterator[tuple[str, str, click.Command]]:
    """Yield the path, the help on a terminal of 80 columns, and the command, of it and of those below it."""
    # The names of the help option stay with a command once its help was shown.
    shown = {**command.context_settings, "terminal_width": COLUMNS}
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=above, **shown)
    yield path, command.get_help(context), command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}", context)


PAGES = list(commands(cli, "labspec"))


def test_there_are_all_of_them() -> None:
    assert {"labspec plan", "labspec sandbox up", "labspec import live"} <= {path for path, *_ in PAGES}


@pytest.mark.parametrize(("path", "text", "command"), PAGES, ids=[path for path, *_ in PAGES])
def test_a_page(path: str, text: str, command: click.Command) -> None:
    assert text.startswith(f"Usage: {path} ")
    assert [line for line in text.splitlines() if len(line) > COLUMNS] == []
    assert re.search(r"Exit codes:|The exit code is the ", text), "exit codes"
    assert path == "labspec" or UNLIKE.get(path, "Examples:") in text, "examples"
    (read_on,) = re.findall(r"(?s)Read on: (.*)\Z", text)
    named = re.findall(r"[\w/-]+\.md", read_on)
    assert named or "-h'" in read_on
    assert [name for name in named if not (ROOT / name).is_file()] == []
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert (option.help or "").rstrip(")")[-1:] in ".]" or option.help == "", (path, option.opts, option.help)
            assert option.help, (path, option.opts)
