"""Having Docker take its settings over: by a restart or a reload, seen to work, or else taken back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import Diagnostic, LabError
from labspec.host.docker import ApiError, filters, inspect_path
from labspec.kinds.daemon.running import SOCKET_UNIT, UNIT, find_daemon
from labspec.kinds.daemon.smoke import run_a_container
from labspec.kinds.daemon.trial import complaint

if TYPE_CHECKING:
    from labspec.host.host import Host

RESTART_SECONDS = 150
READY_SECONDS = 60
RELOAD_SECONDS = 15
BETWEEN_LOOKS = 0.2


def restart(host: Host) -> None:
    """Restart the daemon and wait until it answers. Raises LabError, with the daemon's words, where it does not.

    Earlier starts count for nothing: systemd refuses the fourth within a minute, be they all good.
    """
    host.system.run(["systemctl", "reset-failed", UNIT, SOCKET_UNIT], accepted=range(256))
    host.docker.close()
    try:
        host.system.run(["systemctl", "restart", UNIT], seconds=RESTART_SECONDS)
    except LabError as error:
        said = last_words(host)
        raise LabError(f"Docker does not start: {said}" if said else str(error.diagnostics[0].message)) from error
    end = time.monotonic() + READY_SECONDS
    while not _answers(host):
        if time.monotonic() > end:
            raise LabError(f"Docker was started, but did not answer within {READY_SECONDS} s: {last_words(host)}")
        time.sleep(BETWEEN_LOOKS)


def check(host: Host, lab: str) -> None:
    """Run a container for a lab that leaves nothing behind. Raises LabError where Docker can run none."""
    said = run_a_container(host.docker, host.system, lab)
    if said:
        raise LabError(f"Docker starts, but runs no container: {said}")


def reload(host: Host) -> None:
    """Have the daemon read its file again and wait until it says so. Raises LabError where it does not."""
    daemon = find_daemon(host)
    if daemon is None or not daemon.pid:
        raise LabError("no Docker daemon runs here that could reload its settings", hint="systemctl start docker")
    before = time.time()
    os.kill(daemon.pid, signal.SIGHUP)
    end = time.monotonic() + RELOAD_SECONDS
    while not _reloaded(host, before):
        if time.monotonic() > end:
            raise LabError(f"Docker did not take its new settings over: {last_words(host)}".rstrip(": "))
        time.sleep(BETWEEN_LOOKS)


def running_containers(host: Host) -> list[tuple[str, str]]:
    """Return (id, name) of the containers that run."""
    listed = host.docker.get("/containers/json")
    return sorted((item["Id"], item["Names"][0].removeprefix("/")) for item in listed if item.get("Names"))


def start_again(host: Host, containers: Iterable[tuple[str, str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Start those of some containers that do not run; return what could not be started, with why, and who is away."""
    failures: list[str] = []
    away: list[tuple[str, str]] = []
    for identity, name in containers:
        found = host.docker.find(inspect_path(identity))
        if found is None:
            away.append((identity, name))
        elif not found["State"]["Running"] and not found["State"]["Restarting"]:
            try:
                host.docker.post(f"/containers/{identity}/start")
            except ApiError as error:
                failures.append(f"{name}: {error.message}")
    return failures, away


def last_words(host: Host) -> str:
    """Return the last complaint in the daemon's log; empty where systemd keeps none."""
    command = ["journalctl", "--unit", UNIT, "--lines=60", "--output=cat", "--no-pager"]
    try:
        log = host.system.run(command).stdout
    except LabError:
        return ""
    lines = [line for line in log.splitlines() if "level=error" in line or "level=fatal" in line or "ailed to" in line]
    wanted = [line for line in lines if "dockerd" in line or "daemon" in line] or lines
    wanted = [line for line in wanted if not line.startswith((UNIT, "Failed to start docker"))] or wanted
    return complaint("\n".join(wanted)) if wanted else ""


def taken_back(error: LabError, path: str) -> LabError:
    """Return an error of new settings, with what was done about them."""
    first = error.diagnostics[0]
    hint = f"{path} is as it was, and Docker runs with it: correct the settings and apply again"
    return LabError(Diagnostic(first.message, hint=hint))


def _answers(host: Host) -> bool:
    try:
        host.docker.get("/version")
    except (LabError, ApiError, OSError):
        return False
    return True


def _reloaded(host: Host, since: float) -> bool:
    window = {"since": f"{since:.6f}", "until": f"{time.time():.6f}"}
    try:
        answer: Any = host.docker.get("/events", {**window, **filters(type=["daemon"], event=["reload"])})
    except json.JSONDecodeError:
        return True  # several events: one JSON value a line
    return bool(answer)
