"""What the views have in common: which things of the lab are looked at, and the files of /proc that say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.host.docker import inspect_path
from labspec.kinds.subjects import Subject, subjects

if TYPE_CHECKING:
    from labspec.host.host import Host

INIT = 1
"""The first process of the host: its namespaces, rights and mounts are the host's."""
_KINDS = {"service": "container", "rkt": "pod", "bundle": "container of runc", "host": "this machine"}

Result = TypeVar("Result")


def looked_at(lab: Lab, host: Host, address: str | None) -> list[Subject]:
    """Return what is to be looked at: what runs under an address, or (None) all of the lab that has a process.

    Raises LabError where nothing runs under the address, or where the engine's processes are not to be seen from here.
    """
    if address is None:
        found = subjects(lab, host)
        order = {resource.address: number for number, resource in enumerate(lab.resources)}
        running = [subject for subject in found.values() if subject.pid]
        if not running:
            raise LabError(f"nothing of lab {lab.name} runs on this host", hint="'labspec apply' starts it")
        running.sort(key=lambda subject: (order[subject.address.partition("/")[0]], _number(subject.address)))
    else:
        running = [_one(address, subjects(lab, host, [address]).get(address))]
    if any(subject.kind == "service" for subject in running) and not host.local:
        raise LabError(
            "the containers' processes cannot be seen from here",
            hint="run labspec on the machine of the Docker engine; 'labspec show api' works from afar",
        )
    return running


def _one(address: str, subject: Subject | None) -> Subject:
    if subject is None:
        raise LabError(f"{address} is not on this host", hint="'labspec apply' makes it; 'labspec status' shows more")
    if not subject.pid:
        raise LabError(f"{address} has no process: it is {subject.state}", hint="'labspec status' shows more")
    return subject


def _number(address: str) -> int:
    number = address.partition("/")[2]
    return int(number) if number else 1


def described(subject: Subject) -> str:
    """Return what an address stands for on the host: 'container tp-web-1, process 4242'."""
    name = f"{_KINDS.get(subject.kind, subject.kind)} {subject.name}"
    return f"{name}, process {subject.pid}"


def seen(subject: Subject, look: Callable[[], Result]) -> Result:
    """Return what a look into a process finds. Raises LabError where it may not be done, or the process has ended."""
    try:
        return look()
    except PermissionError as error:
        raise LabError(f"no permission to look into {subject.address}", hint="run labspec as root (sudo)") from error
    except (FileNotFoundError, ProcessLookupError) as error:
        raise LabError(f"{subject.address} ended while it was looked at", hint="try again") from error


def proc(subject: Subject, name: str) -> str:
    """Return a file of a subject's process below /proc/PID. Raises LabError as `seen`."""
    path = Path(f"/proc/{subject.pid}/{name}")
    return seen(subject, lambda: path.read_text(encoding="utf-8", errors="replace"))


def inspects(host: Host, found: Sequence[Subject]) -> Mapping[str, Mapping[str, Any]]:
    """Return address -> what the engine says of the container, of those that are the engine's."""
    containers = [subject for subject in found if subject.kind == "service"]
    answers = host.docker.find_all([inspect_path(subject.id) for subject in containers])
    return {
        subject.address: answer
        for subject, answer in zip(containers, answers, strict=True)
        if answer is not None  # removed meanwhile: what /proc says is told, or that it has ended
    }
