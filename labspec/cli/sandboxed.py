"""labspec --sandbox NAME COMMAND: the lab's folder copied into a sandbox, and the same command run there."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labspec.cli.main import enter
from labspec.core.diagnostic import LabError
from labspec.report.text import printable

if TYPE_CHECKING:
    from labspec.host.sandbox.client import Client
    from labspec.host.sandbox.folder import Parcel

SPEC = "lab.yaml"
ONLY_HERE = {
    "init": "it writes a folder",
    "fmt": "it writes files of this machine",
    "schema": "it does not look at a host",
    "completion": "it does not look at a host",
    "graph": "it does not look at a host",
    "render": "it writes the same files on every host",
    "sandbox": "sandboxes are made here",
    "handout": "it has a --sandbox of its own, behind its name",
}
"""Commands that would do in a sandbox what they do here, or less."""
PLANNED = (0, 2)
"""The exit codes of `plan` with which it has written a plan file."""


class Sandboxed(click.Command):
    """Stands in for a command of labspec's and runs it in a sandbox, its arguments as they were given."""

    def __init__(self, sandbox: str, command: click.Command) -> None:
        super().__init__(command.name, add_help_option=False)
        self.sandbox = sandbox
        self.command = command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args

    def invoke(self, ctx: click.Context) -> int:
        """Run it, and return the exit code."""
        if self.command.name in ONLY_HERE:
            raise LabError(
                f"'{self.command.name}' does not run in a sandbox: {ONLY_HERE[self.command.name]}",
                hint="leave --sandbox out",
            )
        own = click.Context(self.command, parent=ctx.parent, info_name=self.command.name)
        call = call_of(self.command, ctx.args, own)
        if call is None:
            click.echo(self.command.get_help(own))
            return 0
        return run_inside(self.sandbox, str(self.command.name), call)


@dataclass(frozen=True, slots=True)
class Call:
    """A command line as read here: paths are as given."""

    arguments: tuple[str, ...]
    """For the sandbox: the same, absolute paths changed."""
    reads: bool
    """The command reads a lab."""
    spec: str | None
    further: tuple[str, ...]
    """Absolute paths of other files that are read."""
    out: str | None
    """The absolute path of the file to bring back."""


def call_of(command: click.Command, arguments: Sequence[str], context: click.Context) -> Call | None:
    """Return a command line made ready for a sandbox, or None where it only asks for help.

    Goes to the folder of a -C. Raises click's errors for what the command itself would refuse.
    """
    from labspec.host.sandbox.folder import absolute, inside

    values, rest, _ = command.make_parser(context).parse_args(list(arguments))
    asks = command.get_help_option(context)
    if asks is not None and values.get(str(asks.name)) is True:
        return None
    given = {str(parameter.name): _values(values.get(str(parameter.name))) for parameter in command.params}
    for folder in given.pop("working_folder", ()):
        enter(folder)
    options: list[str] = []
    positional: list[str] = []
    for parameter in command.params:
        for value in given.get(str(parameter.name), ()):
            if value is True:
                options.append(parameter.opts[-1])
                continue
            text = inside(value) if isinstance(parameter.type, click.Path) else value
            if isinstance(parameter, click.Argument):
                positional.append(text)
            else:
                options.append(f"{parameter.opts[-1]}={text}")
    positional += rest
    return Call(
        (*options, *(("--", *positional) if positional else ())),
        reads="spec" in given,
        spec=next(iter(given.get("spec", ())), None),
        further=tuple(map(absolute, given.get("variable_files", ()))),
        out=next(map(absolute, given.get("out", ())), None),
    )


def run_inside(name: str, command: str, call: Call) -> int:
    """Run a command in a sandbox and return its exit code; a plan file that it wrote is brought back.

    Raises LabError where the sandbox does not run, or the lab's folder cannot go in.
    """
    from labspec.host.docker import Docker
    from labspec.host.sandbox import software
    from labspec.host.sandbox.client import Client
    from labspec.host.sandbox.execute import execute
    from labspec.host.sandbox.folder import inside, send
    from labspec.host.sandbox.objects import running

    docker = Docker()
    container = running(docker, name).id
    client = Client(docker.address)
    if call.out is not None:
        _check_out(Path(call.out))
    parcel = _parcel(call, name) if call.reads else None
    software.install(client, container)
    here = str(Path.cwd())
    if parcel is not None:
        for line in parcel.left_out:
            click.echo(f"Not copied into the sandbox: {printable(line)}", err=True)
        send(client, container, parcel, (here, posixpath.dirname(call.out or here)))
    code = execute(
        client,
        container,
        ("labspec", command, *call.arguments),
        folder=inside(here) if parcel is not None else "/root",
        environment={"LABSPEC_SANDBOX": name},
    )
    if call.out is not None and code in PLANNED:
        _bring_back(client, container, call.out)
    return code


def _values(value: Any) -> list[Any]:
    """Return the words that click's parser found for a parameter, True for a flag; nothing for its mark of none."""
    if isinstance(value, str | bool):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _parcel(call: Call, name: str) -> Parcel:
    """Return what of the lab goes in: the folder of the spec, and the files that the command line names."""
    from labspec.cli.planfile import PlanFile
    from labspec.host.sandbox.folder import absolute, collect, outside

    spec = Path(call.spec or SPEC)
    if not spec.exists():
        raise LabError(
            f"there is no {spec}",
            hint="give the lab's file or folder, or write one to begin with: labspec init",
        )
    planned = PlanFile.read(spec)
    if planned is None:
        folder = spec if spec.is_dir() else spec.parent
        return collect(absolute(str(folder)), call.further)
    lab = outside(planned.spec)
    if lab is None:
        raise LabError(
            f"{spec} is a plan for this host, not for a sandbox", hint=f"labspec --sandbox {name} plan -o {spec}"
        )
    files = [file for file in map(outside, planned.variable_files) if file]
    return collect(posixpath.dirname(lab), [absolute(str(spec)), *files])


def _check_out(path: Path) -> None:
    """Raise LabError where a plan file could not be written, before anything is done."""
    from labspec.cli.planfile import PlanFile

    if not path.parent.is_dir():
        raise LabError(f"cannot write the plan to {path}: there is no folder {path.parent}")
    if path.exists() and PlanFile.read(path) is None:
        raise LabError(f"{path} exists and is no plan file, so it stays as it is", hint="name another file")


def _bring_back(client: Client, container: str, path: str) -> None:
    from labspec.host.sandbox.folder import FETCH_SECONDS, inside
    from labspec.host.state import write_atomic

    content = client.call("exec", container, "cat", inside(path), seconds=FETCH_SECONDS)
    try:
        write_atomic(Path(path), content.encode())
    except OSError as error:
        raise LabError(f"cannot write the plan to {path}: {error.strerror}") from error
