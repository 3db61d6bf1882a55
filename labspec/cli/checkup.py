"""What labspec needs of a machine: each need looked at, with what to do where it is not met."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError
from labspec.host.host import Host

OLDEST_PYTHON = (3, 11)
OLDEST_COMPOSE = (2, 20)
"""The Compose that brought `include`; nothing older is written against."""
SECONDS = 20
"""A client plugin that does not answer by then is as good as missing."""


PROGRAMS = (
    ("mmdebstrap", ("mmdebstrap",), "images with 'rootfs: {debootstrap: ...}'", "apt-get install mmdebstrap"),
    ("systemd", ("systemctl",), "units, rkt and the daemon's service", "use a sandbox: labspec sandbox up"),
    ("runc", ("runc",), "bundles", "apt-get install runc"),
    ("systemd-nspawn", ("systemd-nspawn",), "machines", "apt-get install systemd-container"),
    ("rkt", ("rkt",), "the section rkt", "rkt is no longer distributed: 'labspec plan --allow-missing' goes without"),
    (
        "kernel arguments",
        ("grubby", "update-grub", "grub2-mkconfig"),
        "'host: {kernel_args: ...}'",
        "apt-get install grub2-common; Fedora and its kin have grubby",
    ),
    ("OpenSSH client", ("ssh",), "an engine at ssh://HOST", "apt-get install openssh-client"),
)
"""Programs that only some labs need: name, any of which does, what it is for, how to get it."""
MODULES = (
    ("PDF", "weasyprint", "sheets as PDF", "pip install 'labspec[pdf]'"),
    ("fleet", "pyinfra", "labs on several hosts", "pip install 'labspec[fleet]'"),
)
"""Python packages that are extras: name, module, what it is for, how to get it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One need: `found` says what is there, `hint` how to get what is missing."""

    name: str
    ok: bool
    found: str
    hint: str = ""
    required: bool = True


def checkup(host: Host) -> Iterator[Finding]:
    """Yield a finding for every need, in the order in which they build on each other. Changes nothing."""
    yield _python()
    yield from _engine(host)
    yield from _plugins()
    yield _state(host)
    yield from (_program(*need) for need in PROGRAMS)
    yield from (_module(*need) for need in MODULES)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, version, f"install Python {wanted} or later")


def _engine(host: Host) -> Iterator[Finding]:
    address = host.docker.address
    path = host.docker.socket_path
    if path is not None:
        found, hint = _socket(Path(path))
        yield Finding("Docker socket", not hint, found, hint)
        if hint:
            return
    try:
        answer = host.docker.get("/version")
    except (LabError, ApiError) as error:
        said = error.diagnostics[0] if isinstance(error, LabError) else None
        yield Finding("Docker engine", False, said.message if said else str(error), (said and said.hint) or "")
        return
    kernel = answer.get("KernelVersion", "?")
    yield Finding(
        "Docker engine", True, f"{answer.get('Version')} (API {answer.get('ApiVersion')}, kernel {kernel}) at {address}"
    )


def _socket(path: Path) -> tuple[str, str]:
    """Return what is at the engine's socket, and what to do about it ('' where it is good)."""
    if not path.is_socket():
        install = "install Docker (apt-get install docker.io) and start it (systemctl start docker)"
        start = "start it: sudo systemctl start docker"
        return f"{path} is not there", start if shutil.which("dockerd") else install
    if not os.access(path, os.R_OK | os.W_OK):
        return (
            f"{path}: no permission",
            "join the docker group (sudo usermod -aG docker $USER, then log in again) or use sudo",
        )
    return str(path), ""


def _plugins() -> Iterator[Finding]:
    client = _answer(["docker", "--version"])
    yield Finding("Docker client", client is not None, client or "not found", "apt-get install docker-cli or docker.io")
    if client is None:
        return
    wanted = ".".join(map(str, OLDEST_COMPOSE))
    compose = _answer(["docker", "compose", "version", "--short"])
    yield Finding(
        "Compose plugin",
        compose is not None and _version(compose) >= OLDEST_COMPOSE,
        compose or "not found",
        f"version {wanted} or later is needed: the package docker-compose-plugin, docker-compose-v2, "
        "or docker-compose of Debian 13",
    )
    buildx = _answer(["docker", "buildx", "version"])
    yield Finding(
        "Buildx plugin",
        buildx is not None,
        buildx or "not found",
        "builds need it: the package docker-buildx-plugin or docker-buildx",
    )


def _answer(command: list[str]) -> str | None:
    """Return the first line that a command prints, or None where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def _version(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: 'v2.26.1-4' is (2, 26, 1)."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found[1].split("."))) if found else ()


def _state(host: Host) -> Finding:
    folder = host.state.root
    hint = f"make {folder} writable for you, or set LABSPEC_STATE_DIR to a folder of yours"
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        # Permission bits do not tell of a read-only or full file system; a file that was made does.
        with tempfile.TemporaryFile(dir=existing):
            return Finding("State folder", True, str(folder) if existing == folder else f"{folder} (to be made)")
    except OSError as error:
        return Finding("State folder", False, f"{folder}: {error.strerror}", hint)


def _program(name: str, commands: tuple[str, ...], use: str, get: str) -> Finding:
    found = next(filter(None, map(shutil.which, commands)), None)
    return Finding(name, found is not None, found or "not found", f"for {use} only: {get}", required=False)


def _module(name: str, module: str, use: str, get: str) -> Finding:
    there = find_spec(module) is not None
    hint = f"for {use} only: {get}"
    return Finding(name, there, f"the Python package {module}" if there else "not installed", hint, required=False)
