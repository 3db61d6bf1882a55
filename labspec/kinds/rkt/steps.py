"""The steps that fetch, start and remove pods of rkt."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.diff import digest, digests
from labspec.core.resource import Resource
from labspec.host import rkt
from labspec.kinds.rkt.command import HASH_ANNOTATION, ID_LABEL, applied_command, uuid_file

if TYPE_CHECKING:
    from labspec.host.host import Host

FETCH_SECONDS = 1800.0
START_SECONDS = 60.0
_PAUSE = 0.1


@dataclass(frozen=True)
class FetchStage1(Step):
    """Bring a stage 1 image into rkt's store: `run --stage1-name` looks nowhere else."""

    name: str

    def __str__(self) -> str:
        return f"rkt fetch --insecure-options=image the file of {self.name}, unless rkt has it"

    def run(self, host: Host) -> None:
        """Fetch it from the file that came with rkt."""
        if self.name in rkt.stored(host.system):
            return
        file = rkt.stage1_file(self.name)
        if file is None:
            raise LabError(
                f"rkt has no stage 1 image {self.name}, and none came with it",
                hint="rkt fetch --insecure-options=image FILE.aci, with the file of rkt's release",
            )
        host.system.run(["rkt", "--insecure-options=image", "fetch", file], seconds=FETCH_SECONDS)


@dataclass(frozen=True)
class FetchImage(Step):
    """Bring a pod's image into rkt's store, before anything is touched."""

    command: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(self.command)

    def run(self, host: Host) -> None:
        """Fetch it; one that rkt has is not looked up."""
        host.system.run(self.command, seconds=FETCH_SECONDS)


@dataclass(frozen=True)
class RunPod(Step):
    """Start a pod as a transient unit. `spec` is what was asked for, as JSON text."""

    lab: str
    address: str
    unit: str
    app: str
    spec: str
    once: bool

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step that starts the pod of a resource."""
        spec = json.dumps(resource.desired)
        return cls(lab, resource.address, resource.name, resource.options["app"], spec, resource.options["once"])

    @property
    def identity(self) -> str:
        """The value of the pod's label."""
        return f"{self.lab}/{self.address}"

    @property
    def command(self) -> list[str]:
        """The line that is run."""
        desired = json.loads(self.spec)
        return applied_command(desired, self.unit, self.app, self.lab, self.identity, digest(desired))

    def __str__(self) -> str:
        return shlex.join(self.command)

    def run(self, host: Host) -> None:
        """Note it in the journal, start it, and wait until rkt lists the pod."""
        desired = json.loads(self.spec)
        entry = {"kind": "rkt", "name": self.unit, "applied": digests(desired), "spec": desired}
        host.journal(self.lab).record(self.address, entry)
        stop_unit(host, self.lab, self.unit)
        file = Path(uuid_file(self.lab, self.unit))
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        before = {pod.uuid for pod in self._pods(host)}
        host.system.run(self.command)
        self._wait(host, before)

    def _wait(self, host: Host, before: set[str]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            alive = _is_alive(host, self.unit)
            found = [pod for pod in self._pods(host) if pod.uuid not in before]
            if any(pod.running or self.once for pod in found):
                return
            if not alive:
                raise LabError(f"{self.address}: the pod did not start: {_last_words(host, self.unit)}")
            time.sleep(_PAUSE)
        raise LabError(f"{self.address}: the pod did not start within {START_SECONDS:g} s")

    def _pods(self, host: Host) -> list[rkt.Pod]:
        wanted = digest(json.loads(self.spec))
        return [
            pod
            for pod in rkt.pods(host.system)
            if pod.labels.get(ID_LABEL) == self.identity and pod.annotations.get(HASH_ANNOTATION) == wanted
        ]


@dataclass(frozen=True)
class RemovePod(Step):
    """Stop a pod's unit ("": none), and remove the pod and what it wrote."""

    lab: str
    unit: str
    uuid: str

    def __str__(self) -> str:
        unit = f"systemctl stop {self.unit}.service, then " if self.unit else ""
        return f"{unit}rkt stop --force and rkt rm {self.uuid}"

    def run(self, host: Host) -> None:
        """Remove it; what is gone already is fine."""
        if self.unit:
            stop_unit(host, self.lab, self.unit)
        rkt.remove_pod(host.system, self.uuid)
        if self.unit:
            file = Path(uuid_file(self.lab, self.unit))
            file.unlink(missing_ok=True)
            _remove_empty(file.parent)


def stop_unit(host: Host, lab: str, unit: str) -> None:
    """Stop a unit if it is the one that started this lab's pod; another one of that name stays as it is."""
    if is_own_unit(_properties(host, unit), lab, unit):
        host.system.run(["systemctl", "stop", f"{unit}.service"], accepted=(0, 5))
        # A failed unit would keep its name from being used again; one that is gone is an error to reset-failed.
        host.system.run(["systemctl", "reset-failed", f"{unit}.service"], accepted=(0, 1, 5))


def is_own_unit(properties: dict[str, str], lab: str, unit: str) -> bool:
    """Return whether a unit runs this lab's pod: it is transient, and its command line has the file of the UUID."""
    own = f"--uuid-file-save={uuid_file(lab, unit)}"
    return properties.get("Transient") == "yes" and own in properties.get("ExecStart", "").split()


def _properties(host: Host, unit: str) -> dict[str, str]:
    name = f"{unit}.service"
    return host.system.unit_properties([name], ["LoadState", "ActiveState", "Transient", "ExecStart"])[name]


def _is_alive(host: Host, unit: str) -> bool:
    return _properties(host, unit).get("ActiveState") in ("active", "activating", "reloading")


def _last_words(host: Host, unit: str) -> str:
    command = ["journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=20", f"--unit={unit}.service"]
    said = host.system.run(command, accepted=(0, 1)).stdout.splitlines()
    # systemd's own lines are about the unit; rkt's begin with the name of its command.
    own = [line for line in said if line.startswith(("run:", "Error:"))]
    return own[-1].removeprefix("run: ") if own else f"'journalctl -u {unit}' says more"


def _remove_empty(folder: Path) -> None:
    for each in (folder, folder.parent):
        try:
            each.rmdir()
        except OSError:
            return
