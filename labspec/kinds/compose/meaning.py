"""What the schema lets through in a service and compose or the engine refuses: values that cannot be read, keys that
exclude each other.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from labspec.kinds.compose import values
from labspec.kinds.compose.images import check_reference
from labspec.kinds.compose.mounts import Mount, file_mode, is_cdi_device, parse_device, parse_tmpfs
from labspec.kinds.compose.ports import parse_expose, parse_ports
from labspec.kinds.mistakes import Mistake
from labspec.kinds.section import NAME_PATTERN

Path = tuple[str | int, ...]
Reader = Callable[[Any], object]

_EACH = "*"


def _name(value: str) -> None:
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(
            f"{value!r} is not a name: use letters, digits, '_', '.' and '-', and begin with a letter or digit"
        )


def _address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f"'{value}' is not an IP address") from None


def _addresses(value: Any) -> None:
    for item in values.texts(value):
        _address(item)


def _mac(value: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", value):
        raise ValueError(f"'{value}' is not a MAC address: write six pairs of hex digits such as 02:42:ac:11:00:02")


def _percent(value: Any) -> None:
    if not 0 <= values.whole(value) <= 100:
        raise ValueError(f"expected a number from 0 to 100, found {value}")


def _oom_score(value: Any) -> None:
    if not -1000 <= values.whole(value) <= 1000:
        raise ValueError(f"expected a number from -1000 to 1000, found {value}")


def _device(value: Any) -> None:
    if not is_cdi_device(value):
        parse_device(value)


def _tmpfs(value: Any) -> None:
    if isinstance(value, str):
        parse_tmpfs(value)


def _pairs(value: Any) -> None:
    """Refuse a key that is empty, or cannot be one."""
    for name in values.optional_mapping(value):
        if not name or (isinstance(value, list) and not name.isprintable()):
            raise ValueError(f"{name!r} is not a name: write NAME=VALUE")


def _volumes_from(value: str) -> None:
    rest = value.removeprefix("container:")
    name, _, mode = rest.partition(":")
    if not name or mode not in ("", "ro", "rw"):
        raise ValueError(f"'{value}' is not SERVICE[:ro] or container:NAME[:ro]")


def _external_link(value: str) -> None:
    for part in value.split(":", 1):
        _name(part)


def _duration_or_none(value: str) -> None:
    if value:
        values.nanoseconds(value)


READERS: Mapping[Path, Reader] = {
    ("annotations",): _pairs,
    ("attach",): values.boolean,
    ("blkio_config", "device_read_bps", _EACH, "rate"): values.size,
    ("blkio_config", "device_read_iops", _EACH, "rate"): values.natural,
    ("blkio_config", "device_write_bps", _EACH, "rate"): values.size,
    ("blkio_config", "device_write_iops", _EACH, "rate"): values.natural,
    ("blkio_config", "weight"): values.natural,
    ("blkio_config", "weight_device", _EACH, "weight"): values.natural,
    ("command",): values.words,
    ("container_name",): _name,
    ("cpu_count",): values.natural,
    ("cpu_percent",): _percent,
    ("cpu_period",): values.natural,
    ("cpu_quota",): values.whole,
    ("cpu_rt_period",): values.natural,
    ("cpu_rt_runtime",): values.natural,
    ("cpu_shares",): values.natural,
    ("cpus",): values.positive_number,
    ("deploy", "replicas"): values.natural,
    ("deploy", "resources", "limits", "cpus"): values.positive_number,
    ("deploy", "resources", "limits", "memory"): values.size,
    ("deploy", "resources", "limits", "pids"): values.whole,
    ("deploy", "resources", "reservations", "cpus"): values.positive_number,
    ("deploy", "resources", "reservations", "memory"): values.size,
    ("deploy", "restart_policy", "max_attempts"): values.natural,
    ("deploy", "restart_policy", "delay"): values.nanoseconds,
    ("deploy", "restart_policy", "window"): values.nanoseconds,
    ("devices", _EACH): _device,
    ("dns",): _addresses,
    ("entrypoint",): values.words,
    ("environment",): _pairs,
    ("expose", _EACH): parse_expose,
    ("external_links", _EACH): _external_link,
    ("extra_hosts",): values.extra_hosts,
    ("depends_on", _EACH, "required"): values.boolean,
    ("depends_on", _EACH, "restart"): values.boolean,
    ("env_file", _EACH, "required"): values.boolean,
    ("healthcheck", "disable"): values.boolean,
    ("healthcheck", "interval"): values.nanoseconds,
    ("healthcheck", "retries"): values.natural,
    ("healthcheck", "start_interval"): values.nanoseconds,
    ("healthcheck", "start_period"): values.nanoseconds,
    ("healthcheck", "test"): values.healthcheck_test,
    ("healthcheck", "timeout"): values.nanoseconds,
    ("image",): check_reference,
    ("init",): values.boolean,
    ("labels",): _pairs,
    ("mac_address",): _mac,
    ("mem_limit",): values.size,
    ("mem_reservation",): values.size,
    ("mem_swappiness",): _percent,
    ("memswap_limit",): values.swap,
    ("networks", _EACH, "ipv4_address"): _address,
    ("networks", _EACH, "ipv6_address"): _address,
    ("networks", _EACH, "link_local_ips", _EACH): _address,
    ("networks", _EACH, "mac_address"): _mac,
    ("oom_kill_disable",): values.boolean,
    ("oom_score_adj",): _oom_score,
    ("pids_limit",): values.whole,
    ("ports", _EACH): parse_ports,
    ("privileged",): values.boolean,
    ("pull_refresh_after",): _duration_or_none,
    ("read_only",): values.boolean,
    ("restart",): values.restart,
    ("scale",): values.natural,
    ("configs", _EACH, "mode"): file_mode,
    ("secrets", _EACH, "mode"): file_mode,
    ("shm_size",): values.size,
    ("stdin_open",): values.boolean,
    ("stop_grace_period",): values.nanoseconds,
    ("sysctls",): _pairs,
    ("tmpfs",): _tmpfs,
    ("tmpfs", _EACH): parse_tmpfs,
    ("tty",): values.boolean,
    ("ulimits", _EACH): values.ulimit,
    ("volumes", _EACH): Mount.parse,
    ("volumes_from", _EACH): _volumes_from,
}
"""Place in a service -> what reads it, and raises ValueError for what it cannot read."""

_SAME: Sequence[tuple[str, Path, Reader]] = (
    ("scale", ("deploy", "replicas"), values.whole),
    ("cpus", ("deploy", "resources", "limits", "cpus"), values.number),
    ("mem_limit", ("deploy", "resources", "limits", "memory"), values.size),
    ("pids_limit", ("deploy", "resources", "limits", "pids"), values.whole),
    ("mem_reservation", ("deploy", "resources", "reservations", "memory"), values.size),
)
"""Keys that say the same as others, and must not say something else."""


def meaning_mistakes(entry: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    """Yield what is wrong in a service, named `what` in messages, that the schema finds good."""
    unread = False
    for path, reader in READERS.items():
        if path[0] not in entry:
            continue
        for found, value in _matches(entry, path):
            if value is None:
                continue
            try:
                reader(value)
            except ValueError as error:
                unread = True
                yield _told(found, str(error))
    yield from _controls(entry, ())
    yield from _ulimit_names(entry)
    if not unread:
        yield from _exclusions(entry, what)


def _told(path: Path, message: str) -> Mistake:
    """Return the mistake that a reader tells: "what is wrong: what to try"."""
    head, separator, hint = message.rpartition(": ")
    if separator and hint.startswith(("write ", "did you mean", "use ", "one of ", "known are ")):
        return Mistake(path, head, hint)
    return Mistake(path, message)


def _matches(value: Any, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        yield path, value
        return
    step, rest = pattern[0], pattern[1:]
    if step == _EACH:
        for key, item in _items(value):
            yield from _matches(item, rest, (*path, key))
    elif isinstance(value, dict) and step in value:
        yield from _matches(value[step], rest, (*path, step))


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _controls(value: Any, path: Path) -> Iterator[Mistake]:
    """Yield a mistake for each text with a control character; a key has none at all."""
    if isinstance(value, str):
        char = control_character(value, "\n\t")
        if char:
            yield Mistake(path, f"control character {char!r} in the text", "remove it")
    elif isinstance(value, dict):
        for key, item in value.items():
            char = control_character(key)
            if char:
                yield Mistake((*path, key), f"control character {char!r} in a key", "remove it", key=True)
            yield from _controls(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _controls(item, (*path, index))


def control_character(value: str, allowed: str = "") -> str | None:
    """Return the first control character of a text that is not allowed, or None."""
    if value.isprintable():
        return None
    return next(
        (
            char
            for char in value
            if char not in allowed
            and (char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029" or "\ud800" <= char <= "\udfff")
        ),
        None,
    )


def _ulimit_names(entry: Mapping[str, Any]) -> Iterator[Mistake]:
    for name in entry.get("ulimits") or ():
        if not re.fullmatch("[a-z]+", name):
            yield Mistake(("ulimits", name), f"{name!r} is no limit", "write its name in small letters", key=True)


MOST_REPLICAS = 1000


def _exclusions(entry: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    if "models" in entry:
        yield Mistake(("models",), f"{what} asks for models: labspec runs containers only", key=True)
    if "use_api_socket" in entry:
        hint = "mount it, so that it shows: volumes: ['/var/run/docker.sock:/var/run/docker.sock']"
        yield Mistake(("use_api_socket",), f"{what} gets the engine's socket in a way that hides it", hint, key=True)
    if "provider" in entry:
        yield Mistake(("provider",), f"{what} is not a container: labspec runs no providers", key=True)
    elif not entry.get("image") and not entry.get("build") and "extends" not in entry:
        yield Mistake((), f"{what} has neither an image nor a build", "write image: debian:latest", key=True)
    if entry.get("network_mode") and entry.get("networks"):
        hint = "keep one of them"
        yield Mistake(("network_mode",), f"{what} has both network_mode and networks", hint, key=True)
    replicas = replica_count(entry)
    if entry.get("container_name") and replicas > 1:
        message = f"{what} has a container_name and {replicas} replicas"
        yield Mistake(("container_name",), message, "a name is for one container: keep one of them", key=True)
    if replicas > MOST_REPLICAS:
        place: Path = ("scale",) if entry.get("scale") is not None else ("deploy", "replicas")
        yield Mistake(place, f"{what} asks for {replicas} containers", f"a service has at most {MOST_REPLICAS}")
    for key, path, reader in _SAME:
        for found, value in _matches(entry, path):
            if entry.get(key) is not None and value is not None and reader(entry[key]) != reader(value):
                other = ".".join(map(str, path))
                yield Mistake(found, f"{key} and {other} of {what} differ", "they mean the same: keep one of them")
    yield from _shared_targets(entry)


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
