"""runc on the host: which containers it has, and how one is started and removed (runc 1.0 and later)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.host.system import System

SECONDS = 60.0


def installed() -> bool:
    """Return whether this host has runc."""
    return shutil.which("runc") is not None


def states(system: System) -> dict[str, str]:
    """Return the id of each container -> created, running, paused or stopped; those of Docker are not among them."""
    return {identity: status for identity, (status, _) in processes(system).items()}


def processes(system: System) -> dict[str, tuple[str, int]]:
    """Return the id of each container -> its state as in `states`, and its first process (0: none)."""
    try:
        found = json.loads(system.run(["runc", "list", "--format=json"]).stdout or "null")
    except ValueError as error:
        raise LabError("runc's answer cannot be read", hint="'runc list' says more") from error
    return {str(item["id"]): (str(item["status"]), int(item.get("pid") or 0)) for item in found or ()}


def start(identity: str, bundle: Path, log: Path) -> None:
    """Start the container of a bundle in the background; what it prints goes to `log`. Raises LabError."""
    command = ["runc", "run", "--detach", "--bundle", str(bundle), identity]
    with log.open("wb") as output:
        # The container keeps these streams: a pipe would never end.
        done = _ended(command, output.fileno())
    if done != 0:
        said = log.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()
        raise LabError(f"'{' '.join(command)}' failed: {said[-1] if said else f'exit code {done}'}")


def remove(system: System, identity: str) -> None:
    """End a container and remove it from runc's list; one that is gone already is fine."""
    system.run(["runc", "delete", "--force", identity])


def _ended(command: list[str], output: int) -> int:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=SECONDS, check=False
        ).returncode
    except FileNotFoundError as error:
        raise LabError(
            "runc is not installed on this host", hint="apt-get install runc; docker.io brings it too"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"'{' '.join(command)}' did not end within {SECONDS:g} s") from error
