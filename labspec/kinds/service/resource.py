"""Turning a service of good form into resources: its container, the image it builds, the default network it joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.compose.environment import parse_env_file, service_environment
from labspec.kinds.compose.interpolate import InterpolationError
from labspec.kinds.compose.ports import parse_ports
from labspec.kinds.compose.project import DEFAULT_NETWORK, Project
from labspec.kinds.compose.values import mapping
from labspec.kinds.image.names import lab_image, normal_tag
from labspec.kinds.network.resource import network_resource
from labspec.kinds.service.desired import desired_fields
from labspec.kinds.service.desired_links import OTHERS
from labspec.kinds.service.entry import executed_entry, label_files, parts, written_entry
from labspec.kinds.service.given import places
from labspec.kinds.service.references import joins, needs, restarts_with, waits

Entry = Mapping[str, Any]


def service_resources(key: str, entry: Entry, project: Project) -> Iterator[Resource]:
    """Yield the resources of a service that takes part; what it refers to in vain is reported."""
    if entry.get("build") is not None:
        from labspec.kinds.image.build import compose_build

        address, path = project.address("image", key), project.at(key, "build")
        if not project.prefix and key in project.lab.names("images"):
            hint = f"use it by 'image: {key}', or rename one of them"
            project.error(path, f"service '{key}' builds an image, and 'images' has one named {key}", hint, key=True)
            return
        if project.builds_first(key):
            tag = project.built_tag(key)
            built = compose_build(address, project, path, tag, entry["build"], entry.get("platform"))
            if built is not None:
                yield built
    network = default_network(key, project)
    if network is not None:
        yield network
    yield _service(key, entry, project)


def default_network(key: str, project: Project) -> Resource | None:
    """Return the network that services without one join, if this is the first, by name, that joins it.

    None too where the project defines that network itself.
    """
    if key != project.first_on_default or DEFAULT_NETWORK in project.sections["networks"]:
        return None
    return network_resource(project.address("network", DEFAULT_NETWORK), project.name, DEFAULT_NETWORK, {})


def _service(key: str, entry: Entry, project: Project) -> Resource:
    address = project.address("service", key)
    own = None if entry.get("build") is not None else lab_image(project.lab, str(entry.get("image") or ""))
    image, image_address = own or _image(key, entry, project)
    name = entry.get("container_name") or f"{project.name}-{key}-1"
    environment = service_environment(key, entry, project)
    desired = desired_fields(key, name, image, entry, environment, project)
    labels = {**_file_labels(key, entry, project), **mapping(entry.get("labels"))}
    if labels:
        desired["labels"] = labels
    others = not OTHERS.isdisjoint(entry)
    wanted = [image_address] if image_address else []
    wanted += needs(key, entry, project)
    return Resource(
        address=address,
        kind="service",
        name=name,
        desired=desired,
        options={
            "key": key,
            "compose": executed_entry(key, entry, image, project),
            "written": written_entry(key, entry, project, own_image=own is not None),
            "image": image,
            "image_address": image_address,
            "pull_policy": _pull_policy(entry),
            "replicas": desired.get("replicas", 1),
            "secret_env": sorted(environment.secret),
            "waits": waits(key, entry, project) if others else {},
            "restarts_with": restarts_with(entry, project) if others else [],
            "joins": joins(key, entry, project) if others else [],
            "parts": parts(entry, project),
            "given_at": places(entry, project),
            "static": _is_static(entry, desired),
            "external": False,
        },
        needs=tuple(dict.fromkeys(need for need in wanted if need != address)),
        project=project.name,
    )


def _image(key: str, entry: Entry, project: Project) -> tuple[str, str]:
    """Return the reference on the host, and the address of the image that the project builds ("": none of them)."""
    if entry.get("build") is not None:
        tag = project.built_tag(key)
        builder = key if project.builds_first(key) else project.builders[tag]
    else:
        tag = normal_tag(str(entry.get("image") or ""))
        builder = project.builders.get(tag, "")
    return tag, project.address("image", builder) if builder else ""


def _pull_policy(entry: Entry) -> str:
    policy = str(entry.get("pull_policy") or "")
    return "missing" if policy == "if_not_present" else policy


def _file_labels(key: str, entry: Entry, project: Project) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in label_files(key, entry, project):
        try:
            given = parse_env_file(project.scope.read(path).decode("utf-8"))
        except (ValueError, InterpolationError) as error:
            project.error(project.at(key, "label_file"), f"the file of labels cannot be read: {error}")
            continue
        found |= {name: value or "" for name, value in given.items()}
    return found


def _is_static(entry: Entry, desired: Mapping[str, Any]) -> bool:
    """Return whether a second container beside the first would want something that there is once only."""
    if entry.get("container_name") or desired.get("mac_address"):
        return True
    if any(port.fixed for item in entry.get("ports") or () for port in parse_ports(item)):
        return True
    endpoints = (desired.get("networks") or {}).values()
    return any(endpoint.get(name) for endpoint in endpoints for name in ("ipv4", "ipv6", "mac", "link_local"))
