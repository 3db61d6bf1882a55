"""A sheet's command run as the reader would run it: on the host, or in a service's container."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import labspec
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.host.host import Host
from labspec.sheet.captures import LARGEST_OUTPUT, Capture, clean
from labspec.sheet.sheet import HOST, Block, Check, Run, View

LAB_FOLDER = "."
"""The working folder of a command that starts in the lab's: the lab is not at the same place everywhere."""
VIEW_SECONDS = 60
BETWEEN_TRIES = 0.5
MASK = "********"
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "COLUMNS": "120",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
    "DOCKER_CLI_HINTS": "false",
    "DEBIAN_FRONTEND": "noninteractive",
}
_KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "LABSPEC_STATE_DIR")
"""Nothing else of the caller's environment reaches a command: there may be secrets in it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A block's command made ready: what the sheet shows, and what is run for it."""

    shown: tuple[str, ...] | str
    arguments: tuple[str, ...]
    place: str
    user: str
    cwd: str
    exit: tuple[int, ...]
    stdin: str = ""
    timeout: int = VIEW_SECONDS
    wait: int = 0


def job_of(block: Block, lab: Lab, host: Host, variables: Sequence[str] = ()) -> Job | None:
    """Return what is run for a block; None for one that nothing is run for.

    `variables` are the options that the lab was read with, for commands of labspec's own.
    """
    match block:
        case Run(recorded=None) if block.place == HOST:
            return _on_host(block)
        case Run(recorded=None):
            return _in_service(block, lab, host)
        case View():
            asked = ("--query", block.query) if block.query else ()
            return _own(("show", block.view, block.address, *asked), lab, variables)
        case Check():
            return _own(("check", "--only", block.check), lab, variables)
    return None


def replay(job: Job, lab: Lab, depends: str) -> Capture:
    """Return what a command did; with a `wait`, the last try. Raises LabError where it does not start or end."""
    end = time.monotonic() + job.wait
    while True:
        found = _once(job, lab, depends)
        if found.exit in job.exit or time.monotonic() >= end:
            return found
        time.sleep(BETWEEN_TRIES)


def _on_host(block: Run) -> Job:
    me = pwd.getpwuid(os.geteuid()).pw_name
    arguments = ("sh", "-c", block.command) if isinstance(block.command, str) else block.command
    if block.user and block.user != me:
        arguments = ("runuser", "-u", block.user, "--", *arguments)
    return Job(
        block.command,
        arguments,
        HOST,
        block.user or me,
        block.cwd or LAB_FOLDER,
        block.exit,
        block.stdin or "",
        block.timeout,
        block.wait,
    )


def _in_service(block: Run, lab: Lab, host: Host) -> Job:
    from labspec.kinds.subjects import subjects

    subject = subjects(lab, host, [block.place]).get(block.place)
    if subject is None or not subject.running:
        raise LabError(f"{block.place} does not run here", hint="labspec status")
    command = ("sh", "-c", block.command) if isinstance(block.command, str) else block.command
    options = [
        *(("--interactive",) if block.stdin else ()),
        *(("--user", block.user) if block.user else ()),
        *(("--workdir", block.cwd) if block.cwd else ()),
    ]
    arguments = ("docker", "--host", host.docker.address, "exec", *options, subject.id, *command)
    return Job(
        block.command,
        arguments,
        block.place,
        block.user or "",
        block.cwd or "",
        block.exit,
        block.stdin or "",
        block.timeout,
        block.wait,
    )


def _own(words: tuple[str, ...], lab: Lab, variables: Sequence[str]) -> Job:
    """Return a command of labspec's own, run by the Python that runs this."""
    spec = Path(lab.file).name
    named = ("--spec", spec) if words[0] == "show" else (spec,)
    order = (*words, *variables, *(named if spec != "lab.yaml" else ()))
    program = (sys.executable, "-s", "-c", "from labspec.__main__ import main; main()")
    me = pwd.getpwuid(os.geteuid()).pw_name
    return Job(("labspec", *words), (*program, *order), HOST, me, LAB_FOLDER, (0,))


def _once(job: Job, lab: Lab, depends: str) -> Capture:
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = _run(job, lab, out, err)
        stdout, stderr = map(_content, (out, err))
    return Capture(job.shown, job.place, job.user, job.cwd, code, stdout, stderr, time.monotonic() - began, depends)


def _run(job: Job, lab: Lab, out: IO[bytes], err: IO[bytes]) -> int:
    """Return the exit code. Files take the output, since a process left in the background would keep a pipe open."""
    folder = lab.root if job.cwd in (LAB_FOLDER, "") or job.place != HOST else job.cwd
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    paths = os.pathsep.join(path for path in (str(Path(labspec.__file__).parents[1]), *sys.path) if path)
    own = {"PYTHONPATH": paths} if job.arguments[0] == sys.executable else {}
    try:
        process = subprocess.Popen(
            job.arguments,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            cwd=folder,
            env={**kept, **_ENVIRONMENT, **own},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        missing = folder if error.filename == folder else job.arguments[0]
        raise LabError(f"there is no {missing} on this host") from error
    except OSError as error:
        raise LabError(f"cannot run {job.arguments[0]}: {error.strerror}") from error
    try:
        process.communicate(job.stdin.encode(), timeout=job.timeout)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"it did not end within {job.timeout} s", hint="give it a longer 'timeout'") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return clean(file.read(LARGEST_OUTPUT * 4).decode(errors="replace"))


def masked(capture: Capture, secrets: Sequence[str]) -> Capture:
    """Return a capture in which no secret of the lab is to be read."""
    stdout, stderr = capture.stdout, capture.stderr
    for secret in secrets:
        stdout, stderr = stdout.replace(secret, MASK), stderr.replace(secret, MASK)
    return replace(capture, stdout=stdout, stderr=stderr)
