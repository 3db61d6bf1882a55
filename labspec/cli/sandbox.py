"""labspec sandbox: make a disposable host, look into it, remove it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from labspec.cli import options
from labspec.core.diagnostic import LabError

FORMAT = 1
DEFAULT_NAME = "lab"
LONGEST_KEY = 16 * 1024

EPILOG = """\b
Exit codes:
  0  done
  1  refused or failed

\b
Examples:
  labspec sandbox up                      make a sandbox named 'lab'
  labspec --sandbox lab apply             apply this folder's lab in there
  labspec sandbox exec lab -- docker ps   look at what it made
  labspec sandbox down                    as if it never was

Read on: docs/how-it-works.md."""


UP_EPILOG = """The image is built when first needed, from debian if it is on this machine, else pulled, else made from
Debian's packages; that takes a minute, and every sandbox after it a few seconds. labspec goes in as it is here.

A sandbox keeps a lab's accidents in: daemon settings, units, a full disk of images. It is no wall against somebody who
wants out, since it has nearly all powers over the kernel: do not run what you would not run here as root.

\b
Exit codes:
  0  done
  1  refused or failed

\b
Examples:
  labspec sandbox up
  labspec sandbox up seat1 --engine distro --memory 2g
  labspec sandbox up -p 1010:1010           http://localhost:1010 is in there
  labspec sandbox up --image my/base:1      with an image of this machine

Read on: docs/how-it-works.md."""

EXEC_EPILOG = """The exit code is the command's. It gets a terminal where labspec has one, and else labspec's input and
output, so that pipes work.

\b
Examples:
  labspec sandbox exec lab -- systemctl status docker
  labspec sandbox exec lab -- sh -c 'docker ps -q | wc -l'
  docker save my/image | labspec sandbox exec lab -- docker load

Read on: 'labspec sandbox -h'."""

LIST_EPILOG = """\b
Exit codes:
  0  done
  1  refused or failed

\b
Examples:
  labspec sandbox list
  labspec sandbox list --json | jq -r '.sandboxes[].name'

Read on: 'labspec sandbox -h'."""

SHELL_EPILOG = """The exit code is the shell's.

\b
Examples:
  labspec sandbox shell             in the sandbox named 'lab'
  labspec sandbox shell seat1

Read on: 'labspec sandbox -h'."""

DOWN_EPILOG = """\b
Exit codes:
  0  done
  1  refused or failed

\b
Examples:
  labspec sandbox down              the sandbox named 'lab'
  labspec sandbox down seat1
  labspec sandbox down --all --image    as if there had never been one

Read on: 'labspec sandbox -h'."""


@click.group("sandbox", epilog=EPILOG, short_help="Make and remove disposable hosts to run a lab in")
@options.everywhere
def command() -> None:
    """A disposable host in a container: systemd, a Docker engine of its own, sshd, labspec.

    A lab may do with it what it likes; this machine stays as it is. 'labspec --sandbox NAME COMMAND' runs any command
    of labspec in there, on the lab in this folder.
    """


def _named(function: Any) -> Any:
    return click.argument("name", required=False, default=DEFAULT_NAME, metavar="[NAME]")(function)


@command.command("up", epilog=UP_EPILOG, short_help="Make a sandbox, or start it again")
@_named
@click.option(
    "--engine",
    default="trixie",
    metavar="trixie|distro",
    help="Docker of Debian 13 (trixie, the default), or of the sandbox's own Debian.",
)
@click.option(
    "-p",
    "--publish",
    "ports",
    metavar="[IP:]HOST:SANDBOX",
    multiple=True,
    help="Lead a port of localhost (or IP) to one of the sandbox. Repeatable.",
)
@click.option(
    "--image",
    "images",
    metavar="IMAGE",
    multiple=True,
    help="Hand in an image of this machine's engine; without it debian:latest, if there is one. Repeatable.",
)
@click.option("--no-images", is_flag=True, help="Hand in no image.")
@click.option(
    "--cpus", metavar="NUMBER", help="At most this many processors for all that runs in it; without it all of them."
)
@click.option("--memory", metavar="SIZE", help="At most this much memory: 2g, 512m; without it all of it.")
@click.option(
    "--ssh-key",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A public key that may log in as root; without it nobody may.",
)
@options.as_json
@options.everywhere
def up(
    name: str,
    engine: str,
    ports: tuple[str, ...],
    images: tuple[str, ...],
    no_images: bool,
    cpus: str | None,
    memory: str | None,
    ssh_key: Path | None,
    as_json: bool,
) -> None:
    """Make a sandbox and wait until its systemd and its Docker are ready; one that is there is started if need be.

    NAME is 'lab' where it is not given.
    """
    from labspec.host.docker import Docker
    from labspec.host.sandbox.lifecycle import up as make
    from labspec.host.sandbox.wish import Wish

    if no_images and images:
        raise LabError("--no-images and --image exclude each other")
    handed = () if no_images else images or None
    wish = Wish(name, engine, ports, handed, cpus, memory, _key(ssh_key))
    began = time.monotonic()
    sandbox, made = make(Docker(), wish, lambda text: click.echo(f"{text} ...", err=True))
    if as_json:
        from labspec.report.sandboxes import sandbox_json

        click.echo(json.dumps({"format": FORMAT, "made": made, "sandbox": sandbox_json(sandbox)}))
        return
    from labspec.report.text import seconds

    if not made and (ports or cpus or memory or images or ssh_key):
        click.echo("It was there already, so that it keeps its ports, limits, images and keys.", err=True)
    click.echo(f"Sandbox {name} is up at {sandbox.ip} ({seconds(time.monotonic() - began)}).")
    click.echo(
        f"\nNext: labspec --sandbox {name} plan    the lab in this folder\n"
        f"      labspec sandbox shell {name}     a root shell in there\n"
        f"      labspec sandbox down {name}      remove it",
        err=True,
    )


@command.command("list", epilog=LIST_EPILOG, short_help="List the sandboxes")
@options.as_json
@options.everywhere
def list_(as_json: bool) -> None:
    """List the sandboxes of this Docker engine."""
    from labspec.host.docker import Docker
    from labspec.host.sandbox.objects import sandboxes
    from labspec.report.sandboxes import sandbox_json, sandbox_lines

    found = sandboxes(Docker())
    if as_json:
        click.echo(json.dumps({"format": FORMAT, "sandboxes": list(map(sandbox_json, found))}))
        return
    if not found:
        click.echo("There is no sandbox; 'labspec sandbox up' makes one.", err=True)
        return
    for line in sandbox_lines(found):
        click.echo(line)


@command.command("shell", epilog=SHELL_EPILOG, short_help="Open a root shell in a sandbox")
@_named
@options.everywhere
def shell(name: str) -> int:
    """Open a shell as root in a sandbox. NAME is 'lab' where it is not given."""
    return _execute(name, ("bash", "--login"))


@command.command(
    "exec",
    epilog=EXEC_EPILOG,
    short_help="Run a command in a sandbox",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("name", metavar="NAME")
@click.argument("arguments", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
def exec_(name: str, arguments: tuple[str, ...]) -> int:
    """Run a command as root in a sandbox."""
    # The '--' behind a name that was read as an argument is still there.
    return _execute(name, arguments[1:] if arguments[0] == "--" else arguments)


@command.command("down", epilog=DOWN_EPILOG, short_help="Remove a sandbox and all that is in it")
@_named
@click.option("--all", "every", is_flag=True, help="Remove every sandbox.")
@click.option("--image", "with_images", is_flag=True, help="Also remove the images that sandboxes are made from.")
@options.everywhere
@click.pass_context
def down(context: click.Context, name: str, every: bool, with_images: bool) -> None:
    """Remove a sandbox, its containers, images and volumes. Its image stays, for the next one.

    Nothing is asked: a sandbox is there to be thrown away. NAME is 'lab' where it is not given.
    """
    from labspec.host.docker import Docker
    from labspec.host.sandbox.image import remove_images
    from labspec.host.sandbox.lifecycle import down as remove
    from labspec.host.sandbox.objects import find, sandboxes

    docker = Docker()
    named = context.get_parameter_source("name") is not click.core.ParameterSource.DEFAULT
    if every and named:
        raise LabError("a name and --all exclude each other")
    one = None if every else find(docker, name)
    doomed = sandboxes(docker) if every else [one] if one else []
    for sandbox in doomed:
        remove(docker, sandbox)
        click.echo(f"Sandbox {sandbox.name} is removed.")
    if not doomed:
        click.echo("There is no sandbox." if every else f"There is no sandbox '{name}'.", err=True)
    for tag in remove_images(docker) if with_images else ():
        click.echo(f"Image {tag} is removed.")


def _execute(name: str, arguments: tuple[str, ...]) -> int:
    from labspec.host.docker import Docker
    from labspec.host.sandbox.client import Client
    from labspec.host.sandbox.execute import execute
    from labspec.host.sandbox.objects import running

    docker = Docker()
    return execute(Client(docker.address), running(docker, name).id, arguments)


def _key(path: Path | None) -> str | None:
    """Return the public key in a file. Raises LabError for a file that is something else, a private key above all."""
    if path is None:
        return None
    text = path.read_text(encoding="utf-8", errors="replace").strip() if path.stat().st_size <= LONGEST_KEY else ""
    if not text.isprintable() or not text.startswith(("ssh-", "ecdsa-", "sk-")):
        raise LabError(f"{path} has no public key in it", hint="for example --ssh-key ~/.ssh/id_ed25519.pub")
    return text
