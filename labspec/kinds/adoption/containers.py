"""Containers that a lab has adopted, or is about to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.resource import LAB_LABEL, Resource
from labspec.host.docker import inspect_path
from labspec.kinds.adoption.record import stand_in
from labspec.kinds.provider import Reading


def wanted_containers(reading: Reading, resources: Sequence[Resource]) -> dict[str, list[Any]]:
    """Return address -> inspect answers of the containers that services to be adopted have on the host.

    They are compose's of the same project and service, or the one of the service's name.
    """
    if not resources:
        return {}
    found: dict[str, list[str]] = {}
    for item in reading.docker.get("/containers/json", {"all": 1}):
        labels, names = item.get("Labels") or {}, [name.removeprefix("/") for name in item.get("Names") or ()]
        place = (labels.get("com.docker.compose.project"), labels.get("com.docker.compose.service"))
        for resource in resources:
            if LAB_LABEL not in labels and (
                place == (resource.project, resource.options["key"]) or resource.name in names
            ):
                found.setdefault(resource.address, []).append(item["Id"])
    answers = {
        address: reading.docker.find_all([inspect_path(identity) for identity in ids]) for address, ids in found.items()
    }
    return {
        address: [with_labels(answer, stand_in(reading.lab, address)) for answer in group if answer is not None]
        for address, group in answers.items()
    }


def with_labels(inspect: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return an inspect answer as if the container had these labels too."""
    config = {**inspect["Config"], "Labels": {**(inspect["Config"].get("Labels") or {}), **labels}}
    return {**inspect, "Config": config}
