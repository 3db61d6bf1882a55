"""A container as the engine reports it (GET /containers/ID/json, API 1.41 to 1.51), in the canonical fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labspec.core.diff import digest
from labspec.core.resource import Resource
from labspec.kinds.service import canonical
from labspec.kinds.service.answer import CONFIG, LIMITS, SILENT, said
from labspec.kinds.service.mounts import blkio, mounts
from labspec.kinds.service.sharing import (
    OWN_MODES,
    Peer,
    Sharing,
    endpoint,
    exposed,
    joined,
    mac_address,
    network_mode,
    ports,
)


def container_state(
    inspect: Mapping[str, Any],
    wanted: Resource | None = None,
    peers: Mapping[str, Peer] | None = None,
    secrets: Collection[str] | None = (),
    applied: Collection[str] = (),
) -> dict[str, Any]:
    """Return every field of one container that the host reports; a field that the engine chose itself is left out.

    `wanted` and `applied`, the fields set before, tell which MAC addresses were asked for; `peers` has by id the
    containers that may be shared with. Values of the environment named in `secrets` (None: all) are replaced by their
    digest.
    """
    config, limits = inspect["Config"], inspect["HostConfig"]
    share = Sharing(inspect, peers or {})
    state = {**SILENT, **said(config, CONFIG), **said(limits, LIMITS)}
    state |= {
        "name": inspect["Name"].removeprefix("/"),
        "image_id": inspect["Image"],
        "mounts": sorted(mounts(config, limits), key=lambda mount: str(mount["target"])),
        "security_opt": sorted(_security(limits)),
        "blkio": dict(blkio(limits)),
        **_reach(inspect, config, limits, wanted, share, "mac_address" in applied),
        **_shared(limits, share),
    }
    if secrets is None or not state["environment"].keys().isdisjoint(secrets):
        state["environment"] = {
            name: _hidden(value) if secrets is None or name in secrets else value
            for name, value in state["environment"].items()
        }
    if config.get("StopTimeout") is not None:
        state["stop_grace_period"] = canonical.duration(config["StopTimeout"] * 10**9)
    if limits.get("MemorySwappiness") not in (None, -1):
        state["mem_swappiness"] = limits["MemorySwappiness"]
    return state


def _reach(
    inspect: Mapping[str, Any],
    config: Mapping[str, Any],
    limits: Mapping[str, Any],
    wanted: Resource | None,
    share: Sharing,
    had_mac: bool,
) -> dict[str, Any]:
    mode = str(limits.get("NetworkMode") or "default")
    published = ports(limits.get("PortBindings"))
    targets = {port.rpartition(":")[2] for port in published}
    found = {
        "network_mode": network_mode(mode, share),
        "networks": {
            name: endpoint(name, found, inspect, wanted)
            for name, found in joined(inspect).items()
            if not (mode in OWN_MODES and name == ("bridge" if mode == "default" else mode))
        },
        "ports": published,
        "expose": sorted(exposed(config.get("ExposedPorts")) - targets),
    }
    hostname = config.get("Hostname") or ""
    if not (hostname == inspect["Id"][:12] or mode == "host" or mode.startswith("container:")):
        found["hostname"] = hostname
    asked_mac = had_mac or bool(wanted and wanted.desired.get("mac_address"))
    mac = mac_address(config, inspect, mode, asked_mac)
    if mac:
        found["mac_address"] = mac
    return found


def _shared(limits: Mapping[str, Any], share: Sharing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limits.get("VolumesFrom"):
        found["volumes_from"] = sorted(share.name(f"container:{entry}") for entry in limits["VolumesFrom"])
    if limits.get("PidMode"):
        found["pid"] = share.name(limits["PidMode"])
    if limits.get("IpcMode"):
        found["ipc"] = share.name(limits["IpcMode"])
    return found


def _security(limits: Mapping[str, Any]) -> Iterator[str]:
    for option in limits.get("SecurityOpt") or ():
        # The engine adds this one itself to a container that shares the host's processes.
        if option in ("label=disable", "label:disable") and unlabelled(limits):
            continue
        yield canonical.security_option(option)
    if limits.get("MaskedPaths") == [] and not limits.get("Privileged"):
        yield "systempaths=unconfined"  # compose hands it on as no masked paths


def unlabelled(limits: Mapping[str, Any]) -> bool:
    """Return whether the engine turns SELinux labels off for a container with this HostConfig."""
    return bool(limits.get("Privileged")) or "host" in (limits.get("PidMode"), limits.get("IpcMode"))


def _hidden(value: str | None) -> str | None:
    return None if value is None else f"(secret {digest(value)})"
