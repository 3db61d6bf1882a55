"""What a container sees of the host, as the engine reports its configuration: mounts, and limits of block devices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labspec.kinds.service import canonical

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")


def mounts(config: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the mounts that a container was asked for, in Config and HostConfig, and its image's anonymous volumes.

    An anonymous volume has no source: the 64 hex digits of its name are the engine's, even where compose carried it
    over from the container before.
    """
    seen = set()
    for bind in limits.get("Binds") or ():
        source, target, *rest = bind.split(":")
        options = rest[0].split(",") if rest else []
        seen.add(target)
        yield canonical.mount(
            "bind" if source.startswith(("/", "~")) else "volume",
            target,
            _named(source),
            read_only="ro" in options,
            propagation=next((option for option in options if option in _PROPAGATIONS), ""),
            selinux=next((option for option in options if option in ("z", "Z")), ""),
            nocopy="nocopy" in options,
        )
    for found in limits.get("Mounts") or ():
        volume, tmpfs = found.get("VolumeOptions") or {}, found.get("TmpfsOptions") or {}
        seen.add(found["Target"])
        yield canonical.mount(
            found["Type"],
            found["Target"],
            _named(found.get("Source") or ""),
            read_only=bool(found.get("ReadOnly")),
            propagation=(found.get("BindOptions") or {}).get("Propagation") or "",
            nocopy=bool(volume.get("NoCopy")),
            subpath=volume.get("Subpath") or "",
            tmpfs_size=tmpfs.get("SizeBytes") or 0,
            tmpfs_mode=tmpfs.get("Mode") or 0,
        )
    for target in config.get("Volumes") or ():
        if target not in seen:
            yield canonical.mount("volume", target)


def _named(source: str) -> str:
    return "" if _ANONYMOUS.fullmatch(source) else source


def blkio(limits: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the limits of block devices by the compose file's names."""
    if limits.get("BlkioWeight"):
        yield "weight", limits["BlkioWeight"]
    if limits.get("BlkioWeightDevice"):
        devices = [{"path": item["Path"], "weight": item["Weight"]} for item in limits["BlkioWeightDevice"]]
        yield "weight_device", sorted(devices, key=lambda device: str(device["path"]))
    for theirs, ours in _RATES.items():
        if limits.get(theirs):
            rates = [{"path": item["Path"], "rate": item["Rate"]} for item in limits[theirs]]
            yield ours, sorted(rates, key=lambda device: str(device["path"]))


_RATES = {
    "BlkioDeviceReadBps": "device_read_bps",
    "BlkioDeviceWriteBps": "device_write_bps",
    "BlkioDeviceReadIOps": "device_read_iops",
    "BlkioDeviceWriteIOps": "device_write_iops",
}
