"""The steps that make and remove volumes, each one request of the Engine API (POST and DELETE /volumes)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import LAB_LABEL, Resource
from labspec.host.docker import ApiError, segment
from labspec.kinds.objects import ownership

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True)
class CreateVolume(Step):
    """Make a volume. `body` is the request, as JSON text."""

    name: str
    lab: str
    body: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step that makes the volume of a resource."""
        own = {
            "com.docker.compose.project": resource.project,
            "com.docker.compose.volume": resource.options["key"],
        }
        body = {
            "Name": resource.name,
            "Driver": resource.desired.get("driver", "local"),
            "DriverOpts": resource.desired.get("options", {}),
            "Labels": {**resource.desired.get("labels", {}), **own, **ownership(lab, resource)},
        }
        return cls(resource.name, lab, json.dumps(body, sort_keys=True))

    def __str__(self) -> str:
        options = json.loads(self.body)["DriverOpts"]
        shown = " with " + ", ".join(f"{name}={value}" for name, value in sorted(options.items())) if options else ""
        return f"create volume {self.name}{shown}"

    def run(self, host: Host) -> None:
        """Make it. Docker answers a name that exists with the old volume, so the answer's owner is checked."""
        answer = host.docker.post("/volumes/create", json.loads(self.body))
        if (answer.get("Labels") or {}).get(LAB_LABEL) != self.lab:
            raise LabError(
                f"volume {self.name} appeared meanwhile and is not this lab's",
                hint="give the volume another 'name', or mark it 'external: true'",
            )


@dataclass(frozen=True)
class RemoveVolume(Step):
    """Remove a volume and what it holds."""

    name: str

    def __str__(self) -> str:
        return f"remove volume {self.name}"

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already is fine."""
        try:
            host.docker.delete(f"/volumes/{segment(self.name)}")
        except ApiError as error:
            if error.status == 404:
                return
            if error.status == 409:
                raise LabError(
                    f"volume {self.name} is used by a container that is not this lab's: {error.message}",
                    hint="remove that container, then try again",
                ) from error
            raise
