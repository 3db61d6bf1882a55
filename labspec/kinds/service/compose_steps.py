"""The steps that make containers: what they need is put in place, then `docker compose up` makes them."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.host import whales
from labspec.host.calls import CallError
from labspec.host.docker import filters, image_path, inspect_path
from labspec.kinds.service.refusals import explained

if TYPE_CHECKING:
    from labspec.host.host import Host

_TURNS: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
"""One call of compose at a time for a project: two at once fail each other."""

_ERRORS_SHOWN = 3
_TOO_LATE = (124, 137)
"""What timeout(1) says of a program that it has ended, or killed."""


def compose_file(project: str) -> str:
    """Return the name, in the lab's state folder, of a project's compose file as last applied."""
    return f"{project}.compose.json"


@dataclass(frozen=True)
class WriteComposeFile(Step):
    """Write what compose executes for a project."""

    lab: str
    project: str
    text: str = field(repr=False)

    def __str__(self) -> str:
        return f"write the compose file of project {self.project}"

    def run(self, host: Host) -> None:
        """Write it to the lab's state folder."""
        host.state.write(self.lab, compose_file(self.project), self.text.encode())


@dataclass(frozen=True)
class PullImage(Step):
    """Pull an image: always, or where the host does not have it."""

    reference: str
    always: bool = False

    def __str__(self) -> str:
        return f"pull image {self.reference}" if self.always else f"pull image {self.reference} if it is missing"

    def run(self, host: Host) -> None:
        """Pull it. Raises LabError where no registry gives it and the host does not have it."""
        if not self.always and host.docker.find(image_path(self.reference)) is not None:
            return
        try:
            host.whales.pull(self.reference)
        except CallError as error:
            late = error.code in _TOO_LATE
            said = f"it did not end within {whales.COMMAND_SECONDS:g} s" if late else _last_line(error.said)
            raise LabError(
                f"image {self.reference} cannot be pulled: {said}",
                hint="correct its name, log in to its registry, or build it: an entry in 'images'",
            ) from error


@dataclass(frozen=True)
class ComposeStep(Step):
    """`docker compose up` for one service; those of a project that are ready run in one go."""

    lab: str
    project: str
    service: str
    """The service's key in the compose file."""
    address: str
    replicas: int = 1
    container: str = ""
    """The name of its only container, by which compose says that it has started; "" where there may be more."""
    recreates: ClassVar[bool] = False

    @property
    def batch(self) -> Hashable:
        """Steps of one project run together."""
        return (self.lab, self.project)

    def run(self, host: Host) -> None:
        """Make the containers of this service."""
        list(self.run_batch([self], host))

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterator[Self]:
        """Make the containers of several services, and yield each service that has started.

        Raises LabError with the engine's reasons in plain words.
        """
        lab, project = steps[0].lab, steps[0].project
        file = str(host.state.lab(lab) / compose_file(project))
        left = {step.container or step.address: step for step in steps}
        with _TURNS[lab, project]:
            for container in cls._started(steps, file, host):
                if container in left:
                    yield left.pop(container)
        _verify(list(left.values()), host)

    @classmethod
    def _started(cls, steps: Sequence[Self], file: str, host: Host) -> Iterator[str]:
        """Run compose, and yield the name of each container that it says it has started."""
        services = sorted(step.service for step in steps)
        try:
            for line in host.whales.up(file, steps[0].project, services, anew=cls.recreates):
                words = line.split()
                if len(words) == 3 and words[0] == "Container" and words[2] == "Started":
                    yield words[1]
        except CallError as error:
            raise _failure(steps, host, error.said, error.code) from error


@dataclass(frozen=True)
class CreateContainers(ComposeStep):
    """Make the containers of a service that are missing; those that are there stay as they are."""

    def __str__(self) -> str:
        if self.replicas == 1:
            return f"create the container of {self.address}"
        return f"create containers of {self.address}, {self.replicas} in all"


@dataclass(frozen=True)
class RecreateContainers(ComposeStep):
    """Make the containers of a service anew: each new one is made before the old one goes."""

    recreates: ClassVar[bool] = True

    def __str__(self) -> str:
        what = "the container" if self.replicas == 1 else f"the {self.replicas} containers"
        return f"recreate {what} of {self.address}"


def _listed(host: Host, project: str) -> list[Any]:
    labels = [f"com.docker.compose.project={project}", "com.docker.compose.oneoff=False"]
    return list(host.docker.get("/containers/json", {"all": 1, **filters(label=labels)}))


def _service(container: Any) -> str:
    return str(container["Labels"].get("com.docker.compose.service", ""))


def _verify(steps: Sequence[ComposeStep], host: Host) -> None:
    """Check what compose made and said nothing of, since it can say that all went well where it did not."""
    if not steps:
        return
    made = Counter(_service(item) for item in _listed(host, steps[0].project) if item["State"] != "created")
    missing = [step for step in steps if made[step.service] < step.replicas]
    if missing:
        raise LabError(
            [
                *(
                    LabError(
                        f"{step.address}: docker compose says it is done, but {made[step.service]} of "
                        f"{step.replicas} containers were started",
                        hint="run apply again; 'docker ps -a' shows what is there",
                    ).diagnostics[0]
                    for step in missing
                )
            ]
        )


def _failure(steps: Sequence[ComposeStep], host: Host, output: str, code: int) -> LabError:
    """Return why compose failed: what the engine says of the containers that did not start, else compose's words."""
    if code in _TOO_LATE:
        names = ", ".join(step.address for step in steps)
        return LabError(f"{names}: docker compose did not end in time", hint="is the Docker engine overloaded?")
    by_service = {step.service: step for step in steps}
    stuck = [item for item in _listed(host, steps[0].project) if item["State"] == "created"]
    found = host.docker.find_all([inspect_path(item["Id"]) for item in stuck if _service(item) in by_service])
    diagnostics = [
        explained(item["State"]["Error"], by_service[_service(item["Config"])].address).diagnostics[0]
        for item in found
        if item is not None and item["State"].get("Error")
    ]
    if diagnostics:
        return LabError(diagnostics)
    what = steps[0].address if len(steps) == 1 else f"{len(steps)} services"
    return explained(_error_lines(output), what)


def _error_lines(output: str) -> str:
    lines = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Container ", "Network ", "Volume ", "time="))]
    return "; ".join((telling or lines)[-_ERRORS_SHOWN:]) or "docker compose failed and said nothing"


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error response from daemon: ") if lines else "docker said nothing"
