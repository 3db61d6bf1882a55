"""The steps on single containers, each by requests of the Engine API (under /containers/ID and /networks/ID)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import LAB_LABEL
from labspec.host.docker import ApiError, Docker, filters, inspect_path, segment
from labspec.kinds.service.fields import STOP_SECONDS
from labspec.kinds.service.refusals import explained

if TYPE_CHECKING:
    from labspec.host.host import Host

_STOP_MARGIN = 20
WAIT_SECONDS = 1800
"""No wait for a container lasts longer."""
POLL_SECONDS = 0.25
READY = "ready"
"""The condition of a wait: healthy where there is a health check, else running or ended well."""

_RECORD = threading.Lock()


@dataclass(frozen=True)
class ContainerStep(Step):
    """A step on one container."""

    id: str
    name: str

    @property
    def path(self) -> str:
        """Where the container is in the API."""
        return f"/containers/{segment(self.id)}"


@dataclass(frozen=True)
class RemoveContainer(ContainerStep):
    """Stop a container, giving it `grace` seconds, and remove it with its anonymous volumes."""

    grace: int = STOP_SECONDS

    def __str__(self) -> str:
        return f"remove container {self.name}"

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already, or is just going, is fine."""
        try:
            with _patient(host.docker, self.grace) as patient:
                patient.post(f"{self.path}/stop", query={"t": self.grace})
                patient.delete(self.path, {"v": 1, "force": 1})
        except ApiError as error:
            if error.status == 404 or "already in progress" in error.message:
                return
            raise


@dataclass(frozen=True)
class StartContainer(ContainerStep):
    """Start a stopped container, or let a paused one go on."""

    paused: bool = False

    def __str__(self) -> str:
        return f"{'unpause' if self.paused else 'start'} container {self.name}"

    def run(self, host: Host) -> None:
        """Start it."""
        try:
            host.docker.post(f"{self.path}/{'unpause' if self.paused else 'start'}")
        except ApiError as error:
            raise explained(error.message, f"container {self.name} does not start") from error


@dataclass(frozen=True)
class RestartContainer(ContainerStep):
    """Restart a container, giving it `grace` seconds to stop."""

    grace: int = STOP_SECONDS

    def __str__(self) -> str:
        return f"restart container {self.name}"

    def run(self, host: Host) -> None:
        """Restart it."""
        with _patient(host.docker, self.grace) as patient:
            patient.post(f"{self.path}/restart", query={"t": self.grace})


@dataclass(frozen=True)
class UpdateContainer(ContainerStep):
    """Change what a container may use. `body` is the request, as JSON text; `fields` are the fields' names."""

    body: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"update container {self.name} ({', '.join(self.fields)})"

    def run(self, host: Host) -> None:
        """Change it."""
        try:
            host.docker.post(f"{self.path}/update", json.loads(self.body))
        except ApiError as error:
            raise LabError(
                f"container {self.name}: the Docker engine refused to change {', '.join(self.fields)}: {error.message}",
                hint="choose another value, or make the container anew with --replace ADDRESS",
            ) from error


@dataclass(frozen=True)
class RenameContainer(ContainerStep):
    """Give a container another name."""

    to: str

    def __str__(self) -> str:
        return f"rename container {self.name} to {self.to}"

    def run(self, host: Host) -> None:
        """Rename it."""
        try:
            host.docker.post(f"{self.path}/rename", query={"name": self.to})
        except ApiError as error:
            if error.status == 409:
                raise LabError(
                    f"container {self.name} cannot be renamed: another container has the name {self.to}",
                    hint=f"remove or rename that one (docker rename {self.to} ...)",
                ) from error
            raise


@dataclass(frozen=True)
class ConnectNetwork(ContainerStep):
    """Connect a container to a network. `endpoint` is the EndpointConfig of the request, as JSON text."""

    network: str
    endpoint: str

    def __str__(self) -> str:
        return f"connect container {self.name} to network {self.network}"

    def run(self, host: Host) -> None:
        """Connect it."""
        body = {"Container": self.id, "EndpointConfig": json.loads(self.endpoint)}
        try:
            host.docker.post(f"/networks/{segment(self.network)}/connect", body)
        except ApiError as error:
            raise explained(error.message, f"container {self.name}, network {self.network}") from error


@dataclass(frozen=True)
class DisconnectNetwork(ContainerStep):
    """Disconnect a container from a network."""

    network: str

    def __str__(self) -> str:
        return f"disconnect container {self.name} from network {self.network}"

    def run(self, host: Host) -> None:
        """Disconnect it; where it is not connected any more, or the network is gone, that is fine."""
        try:
            host.docker.post(f"/networks/{segment(self.network)}/disconnect", {"Container": self.id, "Force": True})
        except ApiError as error:
            if error.status != 404 and "is not connected" not in error.message:
                raise


@dataclass(frozen=True)
class RecordApplied(Step):
    """Remember what was applied to containers in place: their labels cannot be changed. `entries` is JSON text."""

    lab: str
    address: str
    entries: str

    def __str__(self) -> str:
        return f"record what was applied to {self.address}"

    def run(self, host: Host) -> None:
        """Record it, and forget the containers that are gone."""
        found = host.docker.get("/containers/json", {"all": 1, **filters(label=[f"{LAB_LABEL}={self.lab}"])})
        with _RECORD:
            kept = {item["Id"] for item in found} | set(host.state.adopted(self.lab))
            host.state.record_applied(self.lab, json.loads(self.entries), kept)


@dataclass(frozen=True)
class WaitFor(Step):
    """Wait until the containers of a service are healthy, or have ended well."""

    address: str
    project: str
    service: str
    condition: str
    """service_healthy, service_completed_successfully or READY."""
    seconds: int = WAIT_SECONDS

    def __str__(self) -> str:
        done = {"service_completed_successfully": "has ended well", "service_healthy": "is healthy"}
        return f"wait until {self.address} {done.get(self.condition, 'is ready')}"

    def run(self, host: Host) -> None:
        """Wait. Raises LabError where it cannot come true any more, with what the health check said last."""
        deadline = time.monotonic() + self.seconds
        while True:
            states = [found["State"] for found in self._containers(host)]
            if states and all(self._done(state) for state in states):
                return
            if not states:
                raise LabError(f"{self.address} has no container to wait for", hint="run 'labspec plan' again")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{self.address}: not done within {self.seconds} s", hint=f"see 'docker logs {self.service}'"
                )
            time.sleep(POLL_SECONDS)

    def _containers(self, host: Host) -> list[Any]:
        """Return the containers: compose's, or those that the lab has adopted."""
        found = _containers(host.docker, self.project, self.service)
        if found:
            return found
        record = host.state.adopted(self.project)
        ids = [identity for identity, entry in record.items() if entry.get("address") == self.address]
        answers = host.docker.find_all([inspect_path(identity) for identity in ids])
        return [answer for answer in answers if answer is not None]

    def _done(self, state: Mapping[str, Any]) -> bool:
        if self.condition == "service_completed_successfully":
            if state["Status"] != "exited":
                return False
            if state["ExitCode"]:
                raise LabError(f"{self.address} ended with exit code {state['ExitCode']}", hint="see its logs")
            return True
        if self.condition == READY and state["Status"] == "exited" and not state["ExitCode"]:
            return True
        if state["Status"] in ("exited", "dead"):
            raise LabError(f"{self.address} stopped with exit code {state['ExitCode']}", hint="see its logs")
        health = state.get("Health")
        if not health or health["Status"] == "none":
            if self.condition == READY:
                return bool(state["Status"] == "running")
            raise LabError(f"{self.address} has no health check to wait for", hint="give the service a 'healthcheck'")
        if health["Status"] == "unhealthy":
            raise LabError(
                f"{self.address} is unhealthy: {last_words(state)}", hint="mend the service, or its 'healthcheck'"
            )
        return bool(health["Status"] == "healthy")


def last_words(state: Mapping[str, Any]) -> str:
    """Return what a container's health check said last, in one line."""
    log: Sequence[Mapping[str, Any]] = (state.get("Health") or {}).get("Log") or ({},)
    said = " ".join(str(log[-1].get("Output") or "").split())
    code = log[-1].get("ExitCode")
    return said[:200] or (f"its check ends with exit code {code}" if code is not None else "its check says nothing")


def _containers(docker: Docker, project: str, service: str) -> list[Any]:
    labels = [
        f"com.docker.compose.project={project}",
        f"com.docker.compose.service={service}",
        "com.docker.compose.oneoff=False",
    ]
    listed = docker.get("/containers/json", {"all": 1, **filters(label=labels)})
    found = docker.find_all([inspect_path(item["Id"]) for item in listed])
    return [item for item in found if item is not None]


@contextmanager
def _patient(docker: Docker, grace: int) -> Iterator[Docker]:
    """Give an engine whose requests last as long as a stop may take."""
    if grace + _STOP_MARGIN < docker.timeout:
        yield docker
        return
    patient = Docker(docker.address, timeout=grace + docker.timeout)
    try:
        yield patient
    finally:
        patient.close()
