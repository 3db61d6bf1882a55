"""Killing labspec at a point of its work, and looking whether the host is as the rules of labspec say."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asking import ask, file_in, inspected, labelled
from busybox import BUSYBOX
from forked import Running
from scenarios import HOST_BEFORE, SECRET, Scenario, docker, text_of

LABEL = "io.labspec.lab"
SECONDS = 180
LOCKED = 75
ROLLBACK_SECONDS = 30
TRIAL_SECONDS = 80
"""So long a daemon that only is to show whether it starts may go on where labspec was killed."""


@dataclass
class Trial:
    """One labspec that is interrupted: where, how, and what was wrong after it."""

    scenario: Scenario
    point: str
    action: str
    timing: int = 0
    reached: bool = False
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        met = self.point.replace(self.scenario.lab, "LAB") + (f" in timing {self.timing}" if self.timing else "")
        said = "; ".join(self.wrong) or ("good" if self.reached else "good, though not reached")
        return f"{self.scenario.name}: {self.action} {met}: {said}"


class Place:
    """A folder with the lab, a state folder, and what is foreign on the host."""

    def __init__(self, folder: Path, lab: str, *, engine: bool = True) -> None:
        self.folder, self.lab, self.engine = folder, lab, engine
        self.state = folder / "state"
        self.stranger = f"{lab}-stranger"
        self.said: list[str] = []
        self.etc: Mapping[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Return what labspec did; while a killed one's program goes on, it is tried again."""
        end = time.monotonic() + SECONDS
        while True:
            done = self.start(*arguments, **more).wait(SECONDS)
            self.said.append(done.stdout + done.stderr)
            if done.returncode != LOCKED or "LABSPEC_FAULT" in more or time.monotonic() > end:
                return done
            time.sleep(0.1)

    def start(self, *arguments: str, **more: str) -> Running:
        """Start labspec, with more in its environment."""
        return Running(arguments, self.folder, self.environment(more))

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a labspec here."""
        own = {"LABSPEC_STATE_DIR": str(self.state), "TOKEN": SECRET, "LABSPEC_TEST_SECRET": SECRET}
        return {**os.environ, **own, **more}

    def write(self, spec: Mapping[str, Any]) -> None:
        """Write the lab's file."""
        (self.folder / "lab.yaml").write_text(text_of(spec))

    def command(self, scenario: Scenario) -> list[str]:
        """Return the command that is interrupted."""
        if scenario.destroy:
            return ["destroy", "-y"]
        return ["apply", "-y", *(f"--allow={name}" for name in scenario.allow)]

    def prepare(self, scenario: Scenario) -> None:
        """Bring the host to what is there before."""
        if self.state.is_dir() and not any(self.state.iterdir()):
            self.state.rmdir()
        if scenario.before is not None:
            self.write(scenario.before)
            done = self.run("apply", "-y", *(f"--allow={name}" for name in scenario.allow))
            assert done.returncode == 0, done.stdout + done.stderr
        for command in scenario.by_hand:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        self.write(scenario.wanted)

    def clear(self) -> None:
        """Remove the lab, whatever its state."""
        self.run("destroy", "-y")


def points(place: Place, scenario: Scenario) -> list[str]:
    """Return every point that labspec comes by."""
    place.prepare(scenario)
    trace = place.folder / "trace"
    trace.unlink(missing_ok=True)
    done = place.run(*place.command(scenario), LABSPEC_FAULT_TRACE=str(trace))
    assert done.returncode == 0, done.stdout + done.stderr
    place.clear()
    return list(dict.fromkeys(point for _, point in traced(trace)))


def traced(trace: Path) -> list[tuple[float, str]]:
    """Return the points in a trace, with the time of each."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return [(float(moment), point) for moment, _, point in (line.partition(" ") for line in lines)]


def killed_at(place: Place, scenario: Scenario, point: str, action: str = "KILL", timing: int = 0) -> Trial:
    """Interrupt labspec at a point, its threads in a timing of their own, and return what was wrong after it."""
    trial = Trial(scenario, point, action, timing)
    place.said.clear()
    place.prepare(scenario)
    with foreign(place, trial):
        fault = {"LABSPEC_FAULT": f"{point} {action}", "LABSPEC_FAULT_TIMING": str(timing)}
        done = place.run(*place.command(scenario), **fault)
        trial.reached = done.returncode not in (0, LOCKED)
        _check(place, trial, done)
    return trial


def killed_after(place: Place, scenario: Scenario, seconds: float) -> Trial:
    """Kill labspec some time after its start, and return what was wrong after it."""
    trial = Trial(scenario, f"after {seconds:.3f} s", "KILL")
    place.said.clear()
    place.prepare(scenario)
    with foreign(place, trial):
        running = place.start(*place.command(scenario))
        trial.reached = not running.ended(seconds)
        running.kill()
        running.wait(SECONDS)
        _check(place, trial, None)
    return trial


def _check(place: Place, trial: Trial, done: subprocess.CompletedProcess[str] | None) -> None:
    scenario, wrong = trial.scenario, trial.wrong
    if done is not None and "Traceback" in done.stderr:
        wrong.append(f"a traceback: {done.stderr[-300:]}")
    wrong += _partial(scenario)
    wrong += _docker_is_back(place)
    again = place.run(*place.command(scenario))
    if again.returncode:
        wrong.append(f"the next {place.command(scenario)[0]} exits {again.returncode}: {again.stderr[-400:]}")
    if not scenario.destroy:
        plan = place.run("plan", "--detailed-exitcode")
        if plan.returncode:
            wrong.append(f"the plan after it is not empty ({plan.returncode}): {(plan.stdout + plan.stderr)[-600:]}")
        wrong += _misnamed(scenario)
        gone = place.run("destroy", "-y")
        if gone.returncode:
            wrong.append(f"destroy exits {gone.returncode}: {gone.stderr[-400:]}")
    wrong += _left(place)
    if any(SECRET in text for text in place.said):
        wrong.append("the secret was printed")


def _partial(scenario: Scenario) -> Iterator[str]:
    for path, contents in scenario.files.items():
        now = Path(path).read_text() if Path(path).exists() else None
        if now not in contents:
            yield f"{path} is neither old nor new: {str(now)[:60]!r}"
        if path.startswith("/etc/labspec") and now is not None and Path(path).stat().st_mode & 0o777 != 0o640:
            yield f"{path} has mode {Path(path).stat().st_mode:o}"


def _docker_is_back(place: Place) -> Iterator[str]:
    end = time.monotonic() + ROLLBACK_SECONDS
    while place.engine:
        try:
            ask("/version")
        except OSError as error:
            if time.monotonic() > end:
                yield f"Docker does not answer after {ROLLBACK_SECONDS} s: {error}"
                return
            time.sleep(0.2)
        else:
            return


def _misnamed(scenario: Scenario) -> Iterator[str]:
    services = scenario.wanted.get("services", {})
    wanted = sorted(
        f"{scenario.lab}-{key}-{number}"
        for key, entry in services.items()
        for number in range(1, entry.get("scale", 1) + 1)
    )
    label = f"{LABEL}={scenario.lab}"
    names = sorted(name.removeprefix("/") for item in labelled("containers", label) for name in item["Names"])
    if names != wanted:
        yield f"containers are {names}, not {wanted}"
    networks = sorted(item["Name"] for item in labelled("networks", label))
    if networks != sorted(f"{scenario.lab}_{name}" for name in scenario.wanted.get("networks", {})):
        yield f"networks are {networks}"


def _left(place: Place) -> Iterator[str]:
    for kind in ("containers", "networks", "volumes", "images"):
        found = [item.get("Id", item.get("Name")) for item in labelled(kind, f"{LABEL}={place.lab}")]
        if found:
            yield f"destroy left {kind} {found}"
    folder = place.state / place.lab
    if folder.exists():
        yield f"destroy left {sorted(path.name for path in folder.iterdir())}"


@contextmanager
def foreign(place: Place, trial: Trial) -> Iterator[None]:
    """Look at the foreign objects beside the lab, and note what became of them."""
    before, whole = _told(place.stranger), _of_the_host() if trial.scenario.files else None
    yield
    after = _told(place.stranger)
    end = time.monotonic() + TRIAL_SECONDS
    while whole is not None and (left := sorted(_of_the_host() - whole)):
        if time.monotonic() > end:
            trial.wrong.append(f"destroy left {left} on the host")
            break
        time.sleep(1)
    if before["Id"] != after["Id"] or (not trial.scenario.files and before != after):
        trial.wrong.append(f"a foreign object was touched: {before} {after}")
    if file_in(place.stranger, "/data/file") != "kept\n":
        trial.wrong.append("the content of a foreign volume has changed")
    if trial.scenario.files and _etc() != place.etc:
        trial.wrong.append(f"destroy left /etc otherwise: {sorted(set(_etc().items()) ^ set(place.etc.items()))}")


def _of_the_host() -> set[str]:
    """Return all containers and images of the engine, and the folders in which settings of Docker were tried."""
    listed = [item["Id"] for kind in ("containers", "images") for item in json.loads(ask(f"/{kind}/json", all=1))]
    folders = [path for root in ("/run", "/var/lib/docker") for path in Path(root).glob("labspec-trial-*")]
    return {*listed, *map(str, folders)}


def furnish(place: Place) -> None:
    """Give a throw-away host the settings that a lab finds, and has to bring back."""
    for path, content in HOST_BEFORE.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(content)
    subprocess.run(["systemctl", "restart", "docker"], check=True, timeout=SECONDS)
    place.etc = _etc()


@contextmanager
def strangers(place: Place) -> Iterator[None]:
    """Put foreign objects beside the lab: a container, its network, its volume with a file in it."""
    name = place.stranger
    try:
        docker("network", "create", "--internal", name)
        docker("volume", "create", name)
        where = ("--name", name, "-v", f"{name}:/data", "--network", name)
        what = ("sh", "-c", "echo kept > /data/file; exec sleep 9000")
        docker("run", "-d", "--restart=always", "--stop-signal=KILL", *where, BUSYBOX, *what)
        yield
    finally:
        for kind in (("rm", "-f"), ("volume", "rm"), ("network", "rm")):
            subprocess.run(["docker", *kind, name], capture_output=True, check=False, timeout=60)


def _etc() -> dict[str, str]:
    found = {}
    for path in (*HOST_BEFORE, "/etc/group", "/etc/labspec-fault.conf", "/etc/systemd/system/labspec-fault.service"):
        found[path] = Path(path).read_text() if Path(path).exists() else "(none)"
    return found


def _told(name: str) -> Mapping[str, Any]:
    found = inspected(name)
    return {
        "Id": found["Id"],
        "StartedAt": found["State"]["StartedAt"],
        "Status": found["State"]["Status"],
        "Networks": {key: value["EndpointID"] for key, value in found["NetworkSettings"]["Networks"].items()},
    }
