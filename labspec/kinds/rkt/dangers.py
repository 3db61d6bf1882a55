"""What a pod of rkt may do to the host, and what its stage 1 does not do although the spec asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.change import Danger
from labspec.core.resource import Resource
from labspec.kinds.rkt.command import is_fly
from labspec.kinds.service.dangers import STRONG_CAPABILITIES, mount_dangers

_UNCONFINED = frozenset({"all", "all-run", "capabilities", "paths", "seccomp"})
_UNCHECKED = {
    "all": "nothing that is fetched is checked",
    "all-fetch": "nothing that is fetched is checked",
    "http": "images may come over plain HTTP, where anybody on the way can change them",
    "tls": "the certificates of registries are not checked",
    "pubkey": "keys for signatures are fetched over plain HTTP",
}
_IGNORED_BY_FLY = {
    "net": "the pod uses the host's network",
    "ports": "the app listens on the host's own addresses",
    "caps_retain": "the app keeps all capabilities",
    "caps_remove": "the app keeps all capabilities",
    "readonly_rootfs": "the app can write to its root file system",
}


def dangers(resource: Resource) -> Iterator[Danger]:
    """Yield each danger in a pod, with what it means."""
    desired, address = resource.desired, resource.address
    if is_fly(desired):
        yield Danger("host-namespaces", address, "runs in the host's own namespaces: stage1-fly isolates files only")
    elif desired.get("net") == "host" or "host" in (desired.get("net") or ()):
        yield Danger("host-network", address, "uses the host's network, and all that listens on it")
    off = sorted(_UNCONFINED & set(desired.get("insecure_options") or ()))
    if off:
        yield Danger("unconfined", address, f"runs without the usual confinement: insecure_options {', '.join(off)}")
    strong = [name for name in desired.get("caps_retain") or () if name.removeprefix("CAP_") in STRONG_CAPABILITIES]
    if strong and not is_fly(desired):
        said = ", ".join(sorted(strong))
        yield Danger("capabilities", address, f"has capabilities that reach beyond a container: {said}")
    for volume in (desired.get("volumes") or {}).values():
        if volume["kind"] == "host":
            yield from mount_dangers(volume["source"], address)


def warnings(desired: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what does not come out as the spec may make one think."""
    return tuple(_warnings(desired))


def _warnings(desired: Mapping[str, Any]) -> Iterator[str]:
    options = desired.get("insecure_options") or ()
    yield from (f"insecure_options {name}: {_UNCHECKED[name]}" for name in options if name in _UNCHECKED)
    if not is_fly(desired):
        return
    for key, meaning in _IGNORED_BY_FLY.items():
        if desired.get(key) and not (key == "net" and desired[key] in ("host", ["host"])):
            yield f"stage1-fly ignores {key}: {meaning}"
    empty = sorted(name for name, volume in (desired.get("volumes") or {}).items() if volume["kind"] == "empty")
    if empty:
        yield f"stage1-fly cannot make empty volumes, and the pod will not start: {', '.join(empty)}"
