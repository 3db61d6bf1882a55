"""The names of all commands, and the group that imports one only to call it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from labspec.core.diagnostic import LabError, did_you_mean

SANDBOX = "labspec.sandbox"
"""Where the context keeps the name that --sandbox gives."""


class Entry(NamedTuple):
    """A command as the help of the group shows it: module `labspec.cli.<name>` is imported only to call it."""

    name: str
    summary: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Start a lab": (
        Entry("init", "Write a small lab to begin with"),
        Entry("import", "Write a spec from compose files, a command, or what runs here"),
        Entry("validate", "Check the spec, without looking at the host"),
    ),
    "Change this host": (
        Entry("plan", "Show what apply would change, and why"),
        Entry("apply", "Make this host match the spec"),
        Entry("confirm", "Keep settings that were applied with --confirm-within"),
        Entry("destroy", "Remove everything that the lab has on this host"),
    ),
    "Work elsewhere": (Entry("sandbox", "Make and remove disposable hosts to run a lab in"),),
    "Look": (
        Entry("status", "Show what of the lab is there, and how it does"),
        Entry("check", "Check that the applied lab does what it should"),
        Entry("show", "Look into what runs: namespaces, cgroups, mounts, rights"),
        Entry("doctor", "Check that this machine has what labspec needs"),
    ),
    "Write files": (
        Entry("handout", "Write the lab's sheet, with what its commands really print"),
        Entry("graph", "Draw the lab: what is connected to what"),
        Entry("render", "Write the lab as Dockerfiles and compose.yaml"),
        Entry("fmt", "Write specs in canonical form"),
        Entry("schema", "Print the JSON Schema of a spec, for editors"),
        Entry("completion", "Print the script that completes commands in your shell"),
    ),
}
MODULES = {"import": "import_"}
"""Command -> its module, where the command's name is a word of Python's."""
NAMES = tuple(entry.name for entries in SECTIONS.values() for entry in entries)

HELP = """Declarative container labs: one lab.yaml says what should be on this host, labspec shows what it would
change, makes it so, and puts the host back afterwards.

\b
  labspec init my-lab && cd my-lab
  labspec plan        look first
  labspec apply       make it so
  labspec destroy     put the host back

The spec is ./lab.yaml unless a command is given another file or folder."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to call it."""

    names: Sequence[str] = ()
    modules: str
    """The package that a command's module is in."""
    unknown: str
    """What is said of a name that it does not know, which stands for {}."""
    help_of_names: str

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.names:
            return None
        command: click.Command = import_module(f"{self.modules}.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.names and not name.startswith("-") and not ctx.resilient_parsing:
            near = did_you_mean(name, self.names) or self.help_of_names
            raise LabError(self.unknown.format(name), hint=near)
        return super().resolve_command(ctx, args)


class Commands(LazyGroup):
    """labspec's commands; each runs in a sandbox where --sandbox names one."""

    names = NAMES
    modules = "labspec.cli"
    unknown = "there is no command '{}'"
    help_of_names = "'labspec --help' lists the commands"

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] == "help" and not ctx.resilient_parsing:
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
            return super().resolve_command(ctx, [*args[1:], "--help"])
        found, command, rest = super().resolve_command(ctx, args)
        sandbox = ctx.meta.get(SANDBOX)
        if sandbox is None or command is None or ctx.resilient_parsing:
            return found, command, rest
        from labspec.cli.sandboxed import Sandboxed

        return found, Sandboxed(sandbox, command), rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from labspec.cli.helpends import HELP_ENDS, READ_ON

        columns = max(map(len, NAMES))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(entry.name.ljust(columns), entry.summary) for entry in entries])
        formatter.write_paragraph()
        formatter.write_text("'labspec COMMAND -h' or 'labspec help COMMAND' explains a command, with examples.")
        for title, rows in HELP_ENDS.items():
            with formatter.section(title):
                formatter.write_dl(rows)
        formatter.write_paragraph()
        formatter.write_text(READ_ON)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        # click would import every command to ask for its help; the table has it.
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(entry.name, help=entry.summary)
            for entries in SECTIONS.values()
            for entry in entries
            if entry.name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
