"""What the schema lets through in a service and compose or the engine refuses: values that cannot be read."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labspec.kinds.compose import kernel, values
from labspec.kinds.compose.exclusions import exclusion_mistakes
from labspec.kinds.compose.images import check_reference
from labspec.kinds.compose.mounts import Mount, file_mode, is_cdi_device, parse_device, parse_tmpfs
from labspec.kinds.compose.places import EACH, Path, matches
from labspec.kinds.compose.ports import parse_expose, parse_ports
from labspec.kinds.mistake import Mistake
from labspec.kinds.naming import NAME_PATTERN

Reader = Callable[[Any], object]


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


def _memory(value: Any) -> None:
    if 0 < values.size(value) < kernel.LEAST_MEMORY:
        raise ValueError(f"the engine gives a container 6 MiB of memory at least, found {value}")


def _folder(value: str) -> None:
    if not re.match(r"/|[A-Za-z]:[\\/]", value):
        raise ValueError(f"'{value}' is not an absolute path")


def _device(value: Any) -> None:
    if not is_cdi_device(value):
        parse_device(value)


def _count(value: Any) -> None:
    if value != "all":
        values.whole(value)


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
    ("blkio_config", "device_read_bps", EACH, "rate"): values.size,
    ("blkio_config", "device_read_iops", EACH, "rate"): values.natural,
    ("blkio_config", "device_write_bps", EACH, "rate"): values.size,
    ("blkio_config", "device_write_iops", EACH, "rate"): values.natural,
    ("blkio_config", "weight"): values.natural,
    ("blkio_config", "weight_device", EACH, "weight"): values.natural,
    ("cap_add", EACH): kernel.capability,
    ("cap_drop", EACH): kernel.capability,
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
    ("cpuset",): kernel.processors,
    ("deploy", "replicas"): values.natural,
    ("deploy", "resources", "limits", "cpus"): values.positive_number,
    ("deploy", "resources", "limits", "memory"): _memory,
    ("deploy", "resources", "limits", "pids"): values.whole,
    ("deploy", "resources", "reservations", "cpus"): values.positive_number,
    ("deploy", "resources", "reservations", "memory"): values.size,
    ("deploy", "resources", "reservations", "devices", EACH, "count"): _count,
    ("deploy", "restart_policy", "max_attempts"): values.natural,
    ("deploy", "restart_policy", "delay"): values.nanoseconds,
    ("deploy", "restart_policy", "window"): values.nanoseconds,
    ("devices", EACH): _device,
    ("dns",): _addresses,
    ("entrypoint",): values.words,
    ("environment",): _pairs,
    ("expose", EACH): parse_expose,
    ("external_links", EACH): _external_link,
    ("extra_hosts",): values.extra_hosts,
    ("depends_on", EACH, "required"): values.boolean,
    ("depends_on", EACH, "restart"): values.boolean,
    ("env_file", EACH, "required"): values.boolean,
    ("healthcheck", "disable"): values.boolean,
    ("healthcheck", "interval"): values.nanoseconds,
    ("healthcheck", "retries"): values.natural,
    ("healthcheck", "start_interval"): values.nanoseconds,
    ("healthcheck", "start_period"): values.nanoseconds,
    ("healthcheck", "test"): values.healthcheck_test,
    ("healthcheck", "timeout"): values.nanoseconds,
    ("image",): check_reference,
    ("init",): values.boolean,
    ("ipc",): kernel.ipc_mode,
    ("labels",): _pairs,
    ("mac_address",): _mac,
    ("mem_limit",): _memory,
    ("mem_reservation",): values.size,
    ("mem_swappiness",): _percent,
    ("memswap_limit",): values.swap,
    ("networks", EACH, "ipv4_address"): _address,
    ("networks", EACH, "ipv6_address"): _address,
    ("networks", EACH, "link_local_ips", EACH): _address,
    ("networks", EACH, "mac_address"): _mac,
    ("oom_kill_disable",): values.boolean,
    ("oom_score_adj",): _oom_score,
    ("pid",): kernel.pid_mode,
    ("pids_limit",): values.whole,
    ("ports", EACH): parse_ports,
    ("privileged",): values.boolean,
    ("pull_refresh_after",): _duration_or_none,
    ("read_only",): values.boolean,
    ("restart",): values.restart,
    ("scale",): values.natural,
    ("configs", EACH, "mode"): file_mode,
    ("secrets", EACH, "mode"): file_mode,
    ("shm_size",): values.size,
    ("stdin_open",): values.boolean,
    ("stop_grace_period",): values.nanoseconds,
    ("stop_signal",): kernel.signal,
    ("sysctls",): _pairs,
    ("tmpfs",): _tmpfs,
    ("tmpfs", EACH): parse_tmpfs,
    ("tty",): values.boolean,
    ("ulimits", EACH): values.ulimit,
    ("userns_mode",): kernel.host_only,
    ("uts",): kernel.host_only,
    ("volumes", EACH): Mount.parse,
    ("volumes_from", EACH): _volumes_from,
    ("working_dir",): _folder,
}
"""Place in a service -> what reads it, and raises ValueError for what it cannot read."""

_OF_KEY: dict[object, list[tuple[Path, Reader]]] = {}
"""The same by the service's key, with the place below it: an entry has few of them."""
for _path, _reader in READERS.items():
    _OF_KEY.setdefault(_path[0], []).append((_path[1:], _reader))


def meaning_mistakes(entry: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    """Yield what is wrong in a service, named `what` in messages, that the schema finds good."""
    unread = False
    for key, whole in entry.items():
        for below, reader in _OF_KEY.get(key, ()):
            for found, value in matches(whole, below, (key,)) if below else (((key,), whole),):
                if value is None:
                    continue
                try:
                    reader(value)
                except ValueError as error:
                    unread = True
                    yield _told(found, str(error))
    if not _printable(entry):
        yield from _controls(entry, ())
    yield from _ulimit_names(entry)
    if not unread:
        yield from exclusion_mistakes(entry, what)


def _told(path: Path, message: str) -> Mistake:
    """Return the mistake that a reader tells: "what is wrong: what to try"."""
    head, separator, hint = message.rpartition(": ")
    if separator and hint.startswith(("write ", "did you mean", "use ", "one of ", "known are ")):
        return Mistake(path, head, hint)
    return Mistake(path, message)


def _printable(value: Any) -> bool:
    """Return whether there is nothing to look at more closely."""
    if isinstance(value, str):
        return value.isprintable()
    if isinstance(value, dict):
        return all(key.isprintable() and _printable(item) for key, item in value.items())
    return not isinstance(value, list) or all(map(_printable, value))


def _controls(value: Any, path: Path) -> Iterator[Mistake]:
    """Yield a mistake for each text with a control character; a key has none at all."""
    if isinstance(value, str):
        char = control_character(value, "\n\r\t" if _is_argument(path) else "\n\t")
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


def _is_argument(path: Path) -> bool:
    """Return whether a text goes to the container's processes as it is: a word of a command, a variable's value."""
    return (len(path) == 2 and path[0] in ("command", "entrypoint", "environment")) or path[:2] == (
        "healthcheck",
        "test",
    )


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
        try:
            kernel.limit(name)
        except ValueError as error:
            yield _told(("ulimits", name), str(error))._replace(key=True)
