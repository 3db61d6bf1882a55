"""Keys of a service that exclude each other, or that labspec has no use for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from labspec.kinds.compose import values
from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.places import EACH, Path, matches
from labspec.kinds.mistake import Mistake

MOST_REPLICAS = 1000
_SAME: Sequence[tuple[str, Path, Callable[[Any], object]]] = (
    ("scale", ("deploy", "replicas"), values.whole),
    ("cpus", ("deploy", "resources", "limits", "cpus"), values.number),
    ("mem_limit", ("deploy", "resources", "limits", "memory"), values.size),
    ("pids_limit", ("deploy", "resources", "limits", "pids"), values.whole),
    ("mem_reservation", ("deploy", "resources", "reservations", "memory"), values.size),
)
"""Keys that say the same as others, and must not say something else."""


def exclusion_mistakes(entry: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    """Yield what excludes each other in a service, named `what` in messages, whose values can be read."""
    if "models" in entry:
        yield Mistake(("models",), f"{what} asks for models: labspec runs containers only", key=True)
    if "use_api_socket" in entry:
        hint = "mount it, so that it shows: volumes: ['/var/run/docker.sock:/var/run/docker.sock']"
        yield Mistake(("use_api_socket",), f"{what} gets the engine's socket in a way that hides it", hint, key=True)
    if "provider" in entry:
        yield Mistake(("provider",), f"{what} is not a container: labspec runs no providers", key=True)
    elif not entry.get("image") and not entry.get("build") and "extends" not in entry:
        yield Mistake((), f"{what} has neither an image nor a build", "write image: debian:latest", key=True)
    hint = "keep one of them"
    if entry.get("network_mode") and entry.get("networks"):
        yield Mistake(("network_mode",), f"{what} has both network_mode and networks", hint, key=True)
    replicas = replica_count(entry)
    if entry.get("container_name") and replicas > 1:
        message = f"{what} has a container_name and {replicas} replicas"
        yield Mistake(("container_name",), message, "a name is for one container: keep one of them", key=True)
    if replicas > MOST_REPLICAS:
        place: Path = ("scale",) if entry.get("scale") is not None else ("deploy", "replicas")
        yield Mistake(place, f"{what} asks for {replicas} containers", f"a service has at most {MOST_REPLICAS}")
    yield from _platforms(entry, what)
    for path, device in matches(entry, ("deploy", "resources", "reservations", "devices", EACH)):
        if device.get("count") is not None and device.get("device_ids"):
            yield Mistake(
                (*path, "count"), f"{what} asks for both a number of devices and certain ones", hint, key=True
            )
    for key, path, reader in _SAME if "deploy" in entry else ():
        for found, value in matches(entry, path):
            if entry.get(key) is not None and value is not None and reader(entry[key]) != reader(value):
                other = ".".join(map(str, path))
                yield Mistake(found, f"{key} and {other} of {what} differ", "they mean the same: keep one of them")
    yield from _shared_targets(entry)


def _platforms(entry: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    platform, build = entry.get("platform"), entry.get("build")
    built = build.get("platforms") if isinstance(build, Mapping) else None
    if platform and built and platform not in built:
        message = f"{what} runs on {platform}, and its image is built for {', '.join(built)}"
        yield Mistake(("platform",), message, "add it to the platforms of the build")


def _shared_targets(entry: Mapping[str, Any]) -> Iterator[Mistake]:
    taken: dict[str, Path] = {}
    places = [(("volumes", index), Mount.parse(item).target) for index, item in enumerate(entry.get("volumes") or ())]
    for path, target in places:
        if target in taken:
            yield Mistake(path, f"something is mounted at {target} already", "mount it somewhere else, or remove it")
        taken.setdefault(target, path)


def replica_count(entry: Mapping[str, Any]) -> int:
    """Return how many containers a service of good form has."""
    for value in (entry.get("scale"), (entry.get("deploy") or {}).get("replicas")):
        if value is not None:
            return values.whole(value)
    return 1
