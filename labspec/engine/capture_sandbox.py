"""A sheet captured in a sandbox: the lab sent there, applied afresh, its commands run there, the captures fetched."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine.capture_file import LARGEST_FILE, read_captures
from labspec.host.docker import Docker
from labspec.host.sandbox import lifecycle, software
from labspec.host.sandbox.client import Client
from labspec.host.sandbox.folder import ROOT, collect, inside, send
from labspec.host.sandbox.objects import running
from labspec.host.sandbox.wish import Wish
from labspec.sheet.captures import Captures

APPLY_SECONDS = 3600
FETCH_SECONDS = 60
_CAPTURES = "/run/labspec.captures.yaml"

Say = Callable[[str], None]


def capture_in(
    name: str,
    lab: Lab,
    apply: Sequence[str],
    variables: Sequence[str],
    files: Sequence[str],
    say: Say,
    *,
    strict: bool = True,
) -> Captures:
    """Return the captures of a lab's sheet, made in a sandbox that runs; a lab of that name in it is removed first.

    `apply` are further options of `labspec apply`, `variables` those that the lab was read with, and `files` what these
    name. Raises LabError where the lab cannot be applied, or (`strict`) a command ends otherwise than the sheet says.
    """
    docker = Docker()
    container = running(docker, name).id
    client = Client(docker.address)
    software.install(client, container)
    send(client, container, collect(lab.root, files), (lab.root,))
    spec = (*variables, "--", inside(lab.file))
    say(f"Applying the lab in sandbox {name}")
    _labspec(client, container, ("destroy", "-y", *spec), say=None)
    _labspec(client, container, ("apply", "-y", "--wait", *apply, *spec), say=None)
    say("Running the commands of the sheet")
    further = [option for option in apply if option == "--allow-missing"]
    further += [] if strict else ["--any-exit"]
    _labspec(client, container, ("handout", "--capture", "--here", *further, "-o", _CAPTURES, *spec), say)
    content = client.call("exec", container, "head", "-c", str(LARGEST_FILE + 1), _CAPTURES, seconds=FETCH_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        # Whatever the sandbox says is read as what a stranger has written.
        file = Path(folder, "captures.yaml")
        file.write_text(content, encoding="utf-8")
        found = read_captures(file)
    if found is None:
        raise LabError("the sandbox gave back no captures")
    return found


@contextmanager
def fresh_sandbox(say: Say) -> Iterator[str]:
    """Give the name of a sandbox made for this alone; it is removed afterwards, whatever happens."""
    docker = Docker()
    name = f"handout-{uuid.uuid4().hex[:8]}"
    sandbox, _ = lifecycle.up(docker, Wish(name), say)
    try:
        yield name
    finally:
        say(f"Removing sandbox {name}")
        lifecycle.down(docker, sandbox)


def _labspec(client: Client, container: str, words: Sequence[str], say: Say | None) -> None:
    """Run labspec in a sandbox, its progress told by `say`. Raises LabError with its complaint where it fails."""
    folder = str(Path(words[-1]).parent)
    command = client.arguments("exec", "--workdir", folder, "--env", "NO_COLOR=1", container, "labspec", *words)
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        late = threading.Timer(APPLY_SECONDS, process.kill)
        late.start()
        try:
            for line in process.stdout or ():
                text = line.rstrip("\n").replace(f"{ROOT}/", "/")
                if say is not None and text.startswith("["):
                    say(text)
                else:
                    lines.append(text)
        finally:
            late.cancel()
    if process.returncode:
        raise LabError("\n".join(lines) or f"'labspec {words[0]}' ended with exit code {process.returncode}")
