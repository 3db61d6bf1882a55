"""A lab's sheet captured: every command run on the applied lab, in the order of the sheet."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from labspec import __version__
from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.core.resource import Lab, Resource
from labspec.engine.replay import Job, job_of, masked, replay
from labspec.host.docker import image_path
from labspec.host.host import Host
from labspec.sheet.captures import Capture, Captures, Origin
from labspec.sheet.sheet import HOST, Block, Check, Run, Sheet, View

_LAST_LINES = 15
_DIGITS = 16
_FOLDER = "(the lab's folder)"

Say = Callable[[str], None]


def captured_blocks(sheet: Sheet) -> list[Block]:
    """Return the blocks of a sheet that have a capture, in order."""
    return [
        block
        for block in sheet.blocks()
        if isinstance(block, View | Check) or (isinstance(block, Run) and block.recorded is None)
    ]


def capture(
    lab: Lab, host: Host, sheet: Sheet, say: Say, variables: Sequence[str] = (), *, strict: bool = True
) -> Captures:
    """Return what every command of the sheet does on the lab that is applied on this host.

    `variables` are the options that the lab was read with. Raises LabError, with the place of the block, at the first
    one that does not do what the sheet says; where it is not `strict`, an exit code is no such thing.
    """
    secrets = secrets_of(lab)
    found: dict[str, Capture] = {}
    blocks = captured_blocks(sheet)
    for number, block in enumerate(blocks, 1):
        try:
            job = job_of(block, lab, host, variables)
            if job is None:
                continue
            say(f"[{number}/{len(blocks)}] {shown(job.shown)}")
            done = masked(replay(job, lab, depends_on(block, lab)), secrets)
        except LabError as error:
            raise LabError([_at_block(block, found_.message, found_.hint) for found_ in error.diagnostics]) from error
        if strict and done.exit not in job.exit:
            raise LabError(_failed(block, job, done))
        found[block.id] = done
    return Captures(origin(lab, host), found)


def origin(lab: Lab, host: Host) -> Origin:
    """Return where and when this is."""
    version = host.docker.get("/version")
    images = {}
    for resource in lab.resources:
        answer = host.docker.find(image_path(resource.name)) if resource.kind == "image" else None
        if answer:
            images[resource.address] = str(answer["Id"])
    return Origin(
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        spec=_digest(lab.resources, lab.root),
        labspec=__version__,
        system=_system(),
        kernel=platform.release(),
        docker=str(version.get("Version", "")),
        images=images,
    )


def depends_on(block: Block, lab: Lab) -> str:
    """Return a digest of what a block's output depends on: the objects that it names with all that they need."""
    match block:
        case Run(needs=needs, place=place):
            addresses: Sequence[str] = needs or (() if place == HOST else (place,))
        case View(address=address):
            addresses = (address,)
        case _:
            addresses = ()
    return _digest(_closure(lab, addresses) if addresses else lab.resources, lab.root)


def secrets_of(lab: Lab) -> list[str]:
    """Return every value that the lab keeps secret, the longest first, so that no part of one stays unmasked."""
    found: set[str] = set()
    for resource in lab.resources:
        secret = resource.options.get("secret_env") or ()
        environment = (resource.options.get("compose") or {}).get("environment") or {}
        found.update(str(environment[name]).replace("$$", "$") for name in secret if environment.get(name) is not None)
        for definition in ((resource.options.get("parts") or {}).get("secrets") or {}).values():
            found.update(_secret(definition))
    return sorted((value for value in found if len(value) > 1), key=len, reverse=True)


def shown(command: Sequence[str] | str) -> str:
    """Return a command on one line, as a message names it."""
    import shlex

    text = command if isinstance(command, str) else shlex.join(command)
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


def _secret(definition: dict[str, str]) -> Iterator[str]:
    if definition.get("environment"):
        yield os.environ.get(definition["environment"], "")
    elif definition.get("file"):
        try:
            content = Path(definition["file"]).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        yield content.strip("\n")
        yield from (line.strip() for line in content.splitlines())


def _closure(lab: Lab, addresses: Sequence[str]) -> list[Resource]:
    """Return the objects at some addresses (or below them, for a stack), with all that they need."""
    wanted = {
        resource.address
        for resource in lab.resources
        for address in addresses
        if resource.address == address or resource.address.startswith(f"{address}.")
    }
    todo = list(wanted)
    while todo:
        resource = lab.by_address.get(todo.pop())
        new = set(resource.needs) - wanted if resource else set()
        wanted |= new
        todo += new
    return [resource for resource in lab.resources if resource.address in wanted]


def _digest(resources: Sequence[Resource], root: str) -> str:
    """Return a digest of what some objects are asked to be, the same wherever the lab's folder is."""
    said = json.dumps([[one.address, one.name, one.desired] for one in resources], sort_keys=True, default=str)
    return hashlib.sha256(said.replace(root, _FOLDER).encode(errors="replace")).hexdigest()[:_DIGITS]


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.system()


def _failed(block: Block, job: Job, done: Capture) -> Diagnostic:
    """Return what a command did in place of what the sheet says, with the end of its output."""
    wanted = " or ".join(map(str, job.exit))
    said = (done.stdout + done.stderr).rstrip("\n").splitlines()[-_LAST_LINES:]
    output = "".join(f"\n  {line}" for line in said) or "\n  (no output)"
    message = f"'{shown(job.shown)}' ended with exit code {done.exit}, not {wanted}:{output}"
    return _at_block(block, message, "if that is right, say so by 'exit'" if isinstance(block, Run) else None)


def _at_block(block: Block, message: str, hint: str | None) -> Diagnostic:
    return Diagnostic(message, block.at, hint, source_at(block.at))


def source_at(at: Position | None) -> str | None:
    """Return the line of a file at a position, None where it cannot be read any more."""
    if at is None:
        return None
    try:
        with open(at.file, encoding="utf-8") as file:  # noqa: PTH123  as the user spelt it
            return next((line.rstrip("\n") for number, line in enumerate(file, 1) if number == at.line), None)
    except OSError:
        return None
