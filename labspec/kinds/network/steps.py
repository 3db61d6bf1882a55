"""The steps that make and remove networks, each by the Engine API (POST /networks/create, DELETE /networks/ID)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.host.docker import ApiError, segment
from labspec.kinds.objects import ownership

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True)
class CreateNetwork(Step):
    """Make a network. `body` is the request, as JSON text."""

    name: str
    body: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> Self:
        """Return the step that makes the network of a resource."""
        desired = resource.desired
        own = {
            "com.docker.compose.project": resource.project,
            "com.docker.compose.network": resource.options["key"],
        }
        pools = [
            {
                "Subnet": pool.get("subnet"),
                "IPRange": pool.get("ip_range"),
                "Gateway": pool.get("gateway"),
                "AuxiliaryAddresses": pool.get("aux_addresses"),
            }
            for pool in desired.get("pools", ())
        ]
        body = {
            "Name": resource.name,
            "CheckDuplicate": True,
            "Driver": desired.get("driver", "bridge"),
            "Internal": desired.get("internal", False),
            "Attachable": desired.get("attachable", False),
            "EnableIPv6": desired.get("ipv6", False),
            "Options": desired.get("options", {}),
            "IPAM": {
                "Driver": desired.get("ipam_driver", "default"),
                "Options": desired.get("ipam_options", {}),
                "Config": [{key: value for key, value in pool.items() if value} for pool in pools],
            },
            "Labels": {**desired.get("labels", {}), **own, **ownership(lab, resource)},
        }
        if "ipv4" in desired:
            body["EnableIPv4"] = desired["ipv4"]
        return cls(resource.name, json.dumps(body, sort_keys=True))

    def __str__(self) -> str:
        body = json.loads(self.body)
        traits = [body["Driver"]]
        traits += [word for key, word in (("Internal", "internal"), ("EnableIPv6", "IPv6")) if body[key]]
        subnets = [pool["Subnet"] for pool in body["IPAM"]["Config"] if "Subnet" in pool]
        return f"create network {self.name} ({', '.join(traits + subnets)})"

    def run(self, host: Host) -> None:
        """Make it; one that the request of a labspec that was killed has made meanwhile will do."""
        body = json.loads(self.body)
        try:
            host.docker.post("/networks/create", body)
        except ApiError as error:
            if error.status == 409 and "already exists" in error.message:
                found = host.docker.find(f"/networks/{segment(self.name)}")
                if found is not None and found.get("Labels") == body["Labels"]:
                    return
                raise LabError(
                    f"network {self.name} appeared meanwhile and is not this lab's",
                    hint="give the network another 'name', or mark it 'external: true'",
                ) from error
            if "overlap" in error.message:
                raise LabError(
                    f"network {self.name}: its subnet overlaps another network's: {error.message}",
                    hint="choose another subnet; 'docker network ls' and 'ip route' show those in use",
                ) from error
            raise


@dataclass(frozen=True)
class RemoveNetwork(Step):
    """Remove a network."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"remove network {self.name}"

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already is fine."""
        try:
            host.docker.delete(f"/networks/{segment(self.id)}")
        except ApiError as error:
            if error.status == 404:
                return
            if "active endpoints" in error.message:
                raise LabError(
                    f"network {self.name} is used by a container that is not this lab's: {error.message}",
                    hint="disconnect it (docker network disconnect), then try again",
                ) from error
            raise
