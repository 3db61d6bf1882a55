"""What the kernel says of a process, decoded: /proc/PID/status, masks of capabilities, maps of user ids (proc(5))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labspec.host.sandbox.capabilities import NAMES

SECCOMP = {0: "off", 1: "strict", 2: "filter"}
"""Seccomp: of /proc/PID/status."""
WHOLE = 2**32 - 1
"""How many ids there are: a map of that many, each onto itself, is no user namespace."""


class Rights(NamedTuple):
    """What a process may do, as its status says."""

    name: str
    uids: tuple[int, ...]
    """Real, effective, saved and file system user id, as the host numbers them."""
    gids: tuple[int, ...]
    groups: tuple[int, ...]
    """Supplementary groups."""
    effective: int
    """A mask of capabilities, as the other four."""
    permitted: int
    inheritable: int
    bounding: int
    ambient: int
    seccomp: str
    """off, strict, filter; "" where the kernel does not say."""
    filters: int | None
    """How many seccomp filters lie upon each other; None where the kernel does not say."""
    no_new_privs: bool | None
    pids: tuple[int, ...]
    """Its number in each PID namespace, from the outermost to its own."""


class IdRange(NamedTuple):
    """A line of uid_map or gid_map."""

    inside: int
    outside: int
    length: int


def status(text: str) -> dict[str, str]:
    """Return field -> value of a /proc/PID/status."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def rights(text: str) -> Rights:
    """Return what a /proc/PID/status says of the rights of its process; a field that it lacks counts as nothing."""
    found = status(text)
    mode = found.get("Seccomp", "")
    filters, privs = found.get("Seccomp_filters", ""), found.get("NoNewPrivs", "")
    return Rights(
        name=found.get("Name", ""),
        uids=_numbers(found, "Uid"),
        gids=_numbers(found, "Gid"),
        groups=_numbers(found, "Groups"),
        effective=_mask(found, "CapEff"),
        permitted=_mask(found, "CapPrm"),
        inheritable=_mask(found, "CapInh"),
        bounding=_mask(found, "CapBnd"),
        ambient=_mask(found, "CapAmb"),
        seccomp=SECCOMP.get(int(mode), mode) if mode.isdecimal() else "",
        filters=int(filters) if filters.isdecimal() else None,
        no_new_privs=privs == "1" if privs else None,
        pids=_numbers(found, "NSpid"),
    )


def capabilities(mask: int) -> tuple[str, ...]:
    """Return the names of the capabilities in a mask, without CAP_; a number where there is no name yet."""
    numbers = [number for number in range(mask.bit_length()) if mask >> number & 1]
    return tuple(NAMES[number] if number < len(NAMES) else str(number) for number in numbers)


def id_map(text: str) -> tuple[IdRange, ...]:
    """Return the lines of a uid_map or gid_map."""
    words = [line.split() for line in text.splitlines()]
    return tuple(IdRange(int(line[0]), int(line[1]), int(line[2])) for line in words if len(line) == 3)


def is_remapped(ranges: Sequence[IdRange]) -> bool:
    """Return whether ids inside are others outside."""
    return tuple(ranges) != (IdRange(0, 0, WHOLE),)


def inside(outer: int, ranges: Sequence[IdRange]) -> int | None:
    """Return what an id of the host is called inside, or None where it has no name there."""
    for each in ranges:
        if each.outside <= outer < each.outside + each.length:
            return each.inside + outer - each.outside
    return None


def accounts(text: str) -> dict[int, str]:
    """Return id -> name of a passwd or group file; the first of several names counts."""
    found: dict[int, str] = {}
    for line in text.splitlines():
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdecimal() and parts[2].isascii():
            found.setdefault(int(parts[2]), parts[0])
    return found


def _numbers(found: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(int(word) for word in found.get(name, "").split() if word.isdecimal())


def _mask(found: Mapping[str, str], name: str) -> int:
    try:
        return int(found.get(name, "0"), 16)
    except ValueError:
        return 0
