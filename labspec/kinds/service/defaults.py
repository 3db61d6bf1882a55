"""What a container has that its spec does not say: from its image, from the engine; and what the two make together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.diff import UNSET, digest
from labspec.core.resource import Observed, Resource
from labspec.kinds.objects import foreign_labels
from labspec.kinds.service.answer import environment, healthcheck
from labspec.kinds.service.observed import unlabelled
from labspec.kinds.service.sharing import OWN_MODES, exposed

PROXIES = frozenset(
    variant
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for variant in (name, name.lower())
)
"""What the docker client adds to the environment by itself, from ~/.docker/config.json."""

_UNORDERED = (
    "ports",
    "expose",
    "extra_hosts",
    "devices",
    "device_cgroup_rules",
    "cap_add",
    "cap_drop",
    "security_opt",
    "group_add",
)
_DISCARDED = ("mem_swappiness", "oom_kill_disable", "cpu_rt_period", "cpu_rt_runtime")
"""Limits that an engine leaves away, with a warning, where its kernel lacks them."""


def container_defaults(
    inspect: Mapping[str, Any],
    state: Mapping[str, Any],
    brought: Mapping[str, Any] | None,
    name: str,
    image_id: str | None,
    swap: bool,
) -> dict[str, Any]:
    """Return field -> what the host gives it where the spec says nothing.

    `brought` is what its own image gives it (`of_image`; None: the image is gone), `name` the name it should have,
    `image_id` what its reference stands for now, `swap` whether the engine can limit swap.
    """
    limits = inspect["HostConfig"]
    memory = state["mem_limit"]
    found = {
        "name": name,
        "image_id": image_id or state["image_id"],
        "network_mode": None,
        "pid": "",
        "uts": "",
        "userns_mode": "",
        "cgroup_parent": "",
        "memswap_limit": 2 * memory if swap or not memory else -1,
        "unlabelled": unlabelled(limits),
        **(_as_it_is(state) if brought is None else brought),
    }
    if limits.get("NetworkMode") in OWN_MODES:
        found["networks"] = {}
    proxies = PROXIES & state["environment"].keys()
    if proxies:
        found["environment"] = found["environment"] | {key: state["environment"][key] for key in proxies}
    return found


def _as_it_is(state: Mapping[str, Any]) -> dict[str, Any]:
    names = ("command", "entrypoint", "environment", "working_dir", "user", "labels", "healthcheck", "stop_signal")
    gone = {name: state[name] for name in names}
    return {**gone, "image_expose": state["expose"], "image_volumes": _anonymous(state["mounts"])}


def of_image(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return field -> what an image, as GET /images/NAME/json tells it, gives its containers."""
    config = image.get("Config") or {}
    return {
        "command": config.get("Cmd") or None,
        "entrypoint": config.get("Entrypoint") or None,
        "environment": environment(config.get("Env")),
        "working_dir": config.get("WorkingDir") or "",
        "user": config.get("User") or "",
        "labels": foreign_labels(config.get("Labels") or {}),
        "healthcheck": healthcheck(config.get("Healthcheck")),
        "stop_signal": config.get("StopSignal") or "SIGTERM",
        "image_expose": sorted(exposed(config.get("ExposedPorts"))),
        "image_volumes": sorted(config.get("Volumes") or ()),
    }


def _anonymous(mounts: Any) -> list[str]:
    return [mount["target"] for mount in mounts if mount["type"] == "volume" and "source" not in mount]


def without_image(state: Mapping[str, Any], defaults: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a container's state less the ports and anonymous volumes that its image brings, and with `more` fields."""
    if not defaults["image_expose"] and not defaults["image_volumes"]:
        return {**state, **more}
    return {
        **state,
        **more,
        "expose": [port for port in state["expose"] if port not in defaults["image_expose"]],
        "mounts": _without(state["mounts"], defaults),
    }


def _without(mounts: Any, defaults: Mapping[str, Any]) -> list[Any]:
    brought = set(defaults.get("image_volumes", ()))
    return [mount for mount in mounts if not (set(mount) == {"type", "target"} and mount["target"] in brought)]


def fold(desired: Resource, observed: Observed) -> dict[str, Any]:
    """Return, for fields that the spec only adds to or that engines spell otherwise, what the host should show."""
    return dict(_folds(desired, observed))


def _folds(resource: Resource, observed: Observed) -> Iterator[tuple[str, Any]]:
    desired, base, found = resource.desired, observed.defaults, observed.state
    if "name" in base:
        yield "name", base["name"]  # that of a replica has its number
    for name in ("environment", "labels", "healthcheck"):
        if name in desired:
            yield name, {**base.get(name, {}), **desired[name]}
    if "entrypoint" in desired:
        yield "entrypoint", desired["entrypoint"] or None
    if "command" in desired or "entrypoint" in desired:
        yield "command", desired.get("command") or (None if desired.get("entrypoint") else base.get("command"))
    for name in _UNORDERED:
        if name in desired:
            yield name, sorted(desired[name])
    if "expose" in desired:
        published = {port.rpartition(":")[2] for port in desired.get("ports", ())}
        brought = {*base.get("image_expose", ()), *published}
        yield "expose", sorted(set(desired["expose"]) - brought)
    if "security_opt" in desired and base.get("unlabelled"):
        yield "security_opt", sorted(set(desired["security_opt"]) - {"label=disable"})
    if "mounts" in desired:
        yield "mounts", sorted(_without(desired["mounts"], base), key=lambda mount: str(mount["target"]))
    memory = desired.get("mem_limit") or 0
    if memory != found.get("mem_limit") and "memswap_limit" not in desired and found.get("memswap_limit", -1) >= 0:
        # An update sets both, so what differs beside the memory is named with what it becomes.
        usual = found["memswap_limit"] == base.get("memswap_limit")
        yield "memswap_limit", found["memswap_limit"] if usual else 2 * memory
    if "networks" in desired:
        own = {resource.name, resource.options["key"]}
        yield "networks", {name: _endpoint(wish or {}, own) for name, wish in desired["networks"].items()}
    if "volumes_from" in desired and not any(name.endswith(":ro") for name in found.get("volumes_from", ())):
        # Compose up to 2.26 does not hand the access mode on.
        yield "volumes_from", sorted(name.removesuffix(":ro").removesuffix(":rw") for name in desired["volumes_from"])
    if "mac_address" in desired and "mac_address" not in found:
        yield "mac_address", UNSET  # told only while the container runs
    yield from _as_applied(desired, observed)


def _endpoint(wish: Mapping[str, Any], own: set[str]) -> dict[str, Any]:
    kept = {**wish, "aliases": sorted(set(wish.get("aliases") or ()) - own)}
    return {key: value for key, value in kept.items() if value}


def _as_applied(desired: Mapping[str, Any], observed: Observed) -> Iterator[tuple[str, Any]]:
    """Yield what the engine added to, or dropped from, a wish that is the one last applied.

    Docker cannot change these on a container, so that they differ is the engine's own doing: defaults of daemon.json,
    or limits that the kernel lacks.
    """
    found = observed.state
    for name, extra in (("ulimits", observed.state.get("ulimits") or {}), ("logging", found.get("logging") or {})):
        if name not in desired:
            if name == "ulimits" and name not in observed.applied:
                yield name, extra
            continue
        same = observed.applied.get(name) == digest(desired[name])
        if name == "ulimits":
            yield name, {**extra, **desired[name]} if same else desired[name]
        else:
            driver = desired[name].get("driver") or extra.get("driver")
            options = desired[name].get("options") or {}
            if same and driver == extra.get("driver"):
                options = {**(extra.get("options") or {}), **options}
            yield name, {"driver": driver, "options": options}
    for name in _DISCARDED:
        if name in desired and not found.get(name) and observed.applied.get(name) == digest(desired[name]):
            yield name, found.get(name, UNSET)
    blkio = desired.get("blkio") or {}
    if blkio and observed.applied.get("blkio") == digest(blkio):
        dropped = {key for key in ("weight", "weight_device") if key not in found.get("blkio", {})}
        yield "blkio", {key: value for key, value in blkio.items() if key not in dropped}
