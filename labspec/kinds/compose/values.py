"""The plain values of a compose file: text, numbers, durations, sizes, command lines, lists that stand for mappings.

Every reader raises ValueError, in plain words, for what compose itself would refuse or silently misread.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

_TRUE = frozenset({"true", "y", "yes", "on"})
_FALSE = frozenset({"false", "n", "no", "off"})
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?i?b?)", re.IGNORECASE)
_POWERS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_LARGEST = 2**63 - 1


def text(value: Any) -> str:
    """Return a scalar as compose writes it into a text: true, 1.5, 1 for 1.0, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def boolean(value: Any) -> bool:
    """Return a truth value, written as such or in a word."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"expected true or false, found text {value!r}")


def whole(value: Any) -> int:
    """Return a whole number, written as a number or in text."""
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?[0-9]{1,19}", value):
            return _bounded(int(value))
    elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return _bounded(int(value))
    raise ValueError(f"expected a whole number, found {text(value)!r}")


def _bounded(value: int) -> int:
    if not -_LARGEST <= value <= _LARGEST:
        raise ValueError(f"the number {value} is too large")
    return value


def number(value: Any) -> float:
    """Return a number, written as such or in text."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})", value):
        raise ValueError(f"expected a number, found {value!r}")
    found = float(value)
    if not isfinite(found):
        raise ValueError(f"expected a number, found {value}")
    return found


def natural(value: Any) -> int:
    """Return a whole number that is not negative."""
    found = whole(value)
    if found < 0:
        raise ValueError(f"expected a number that is not negative, found {found}")
    return found


def positive_number(value: Any) -> float:
    """Return a number that is not negative."""
    found = number(value)
    if found < 0 or found > _LARGEST:
        raise ValueError(f"expected a number that is not negative, found {text(value)}")
    return found


def nanoseconds(value: str) -> int:
    """Return a duration in Go's form ("1m30s", "1.5s", "500ms") as nanoseconds."""
    if value == "0":
        return 0
    parts = _DURATION.findall(value) if len(value) <= 64 else []
    if not parts or "".join(count + unit for count, unit in parts) != value:
        raise ValueError(f"'{value}' is not a duration: write numbers with h, m, s or ms such as 1m30s")
    total = sum(_times(count, _NANOSECONDS[unit]) for count, unit in parts)
    if total > _LARGEST:
        raise ValueError(f"'{value}' is too long a duration")
    return total


def size(value: float | str) -> int:
    """Return a size as bytes: 1024, "1024", "100m", "1.5gb", with units of 1024."""
    if not isinstance(value, str):
        if value < 0 or value != int(value):
            raise ValueError(f"{value} is not a size: it is {'negative' if value < 0 else 'no whole number'}")
        return _bounded(int(value))
    match = _SIZE.fullmatch(value) if len(value) <= 24 else None
    if not match:
        raise ValueError(f"'{value}' is not a size: write a number of bytes, or a number with k, m or g such as 100m")
    amount, power = match[1], _POWERS[match[2].lower().rstrip("ib")]
    return _bounded(_times(amount, 2**power))


def _times(count: str, unit: int) -> int:
    """Return so many units, a part of the last one left out."""
    if "." not in count:
        return int(count) * unit
    from decimal import Decimal

    return int(Decimal(count) * unit)


def swap(value: float | str) -> int:
    """Return a size as bytes, or -1 for no limit."""
    return -1 if str(value) == "-1" else size(value)


def words(value: str | Sequence[str]) -> list[str]:
    """Return a command line as its words: a list as it is, text split by the shell's rules for quotes.

    Text with shell operators outside of quotes is refused: no shell runs it, and compose drops what follows them.
    """
    if not isinstance(value, str):
        return list(value)
    found: list[str] = []
    word: list[str] = []
    started = False
    quote = ""
    chars = iter(value)
    for char in chars:
        if char == "\\" and quote != "'":
            word.append(next(chars, None) or _unfinished(value))
            started = True
        elif quote:
            if char == quote:
                quote = ""
            else:
                word.append(char)
        elif char in "'\"":
            quote, started = char, True
        elif char in " \t\r\n":
            if started:
                found.append("".join(word))
            word, started = [], False
        elif char in ";&|<>":
            raise ValueError(
                f"'{char}' outside of quotes: no shell runs this line, and compose would drop what follows;"
                " write [sh, -c, ...]"
            )
        else:
            word.append(char)
            started = True
    if quote:
        raise ValueError(f"a quote {quote} is not closed")
    return [*found, "".join(word)] if started else found


def _unfinished(value: str) -> str:
    raise ValueError(f"the command line ends with a backslash: {value!r}")


def mapping(value: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, str]:
    """Return what is written as a mapping, or as a list of KEY=VALUE, as a mapping of texts."""
    return {name: given or "" for name, given in optional_mapping(value).items()}


def optional_mapping(value: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, str | None]:
    """Return as `mapping`, with None for a key without a value."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(name): None if given is None else text(given) for name, given in value.items()}
    found: dict[str, str | None] = {}
    for item in value:
        name, separator, given = str(item).partition("=")
        found[name] = given if separator else None
    return found


def texts(value: Any) -> list[str]:
    """Return what is written as one text or as a list, as a list of texts."""
    if value is None:
        return []
    return [text(item) for item in value] if isinstance(value, list | tuple) else [text(value)]


def extra_hosts(value: Mapping[str, Any] | Sequence[str]) -> list[str]:
    """Return "name:address" for each host, sorted; addresses without brackets."""
    pairs: Iterable[tuple[str, str]]
    if isinstance(value, Mapping):
        pairs = [(name, address) for name, given in value.items() for address in texts(given)]
    else:
        pairs = [_host(item) for item in value]
    return sorted({f"{name}:{_unbracketed(address)}" for name, address in pairs})


def _host(item: str) -> tuple[str, str]:
    name, separator, address = item.partition("=")
    if not separator:
        name, separator, address = item.partition(":")
    if not separator or not name or not address:
        raise ValueError(f"'{item}' is not NAME=ADDRESS")
    return name, address


def _unbracketed(address: str) -> str:
    return address[1:-1] if address.startswith("[") and address.endswith("]") else address


def ulimit(value: Any) -> dict[str, int]:
    """Return a limit as soft and hard; one number stands for both."""
    if isinstance(value, Mapping):
        if not {"soft", "hard"} <= set(value):
            raise ValueError("a limit lacks its soft or its hard value: write {soft: 1024, hard: 4096}")
        return {"soft": whole(value["soft"]), "hard": whole(value["hard"])}
    return {"soft": whole(value), "hard": whole(value)}


def healthcheck_test(value: str | Sequence[str]) -> list[str]:
    """Return a health check's test in list form: text runs in a shell."""
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    if value and value[0] not in ("NONE", "CMD", "CMD-SHELL"):
        raise ValueError("a test in list form begins with CMD, CMD-SHELL or NONE")
    return list(value)


def among(value: str, name: str, known: Collection[str], what: str) -> None:
    """Raise ValueError for a value whose `name` is not known: it says `what` is wrong, and the nearest name."""
    if name not in known:
        from labspec.core.diagnostic import did_you_mean

        near = did_you_mean(name, known)
        raise ValueError(f"'{value}' {what}" + (f": {near}" if near else ""))


def restart(value: str) -> str:
    """Return a restart policy: "no", "always", "unless-stopped", "on-failure" or "on-failure:TIMES"."""
    name, separator, count = value.partition(":")
    among(value, name, ("no", "always", "unless-stopped", "on-failure"), "is no restart policy")
    if not separator:
        return name
    if name != "on-failure" or not re.fullmatch(r"[0-9]{1,9}", count):
        raise ValueError(f"'{value}' is no restart policy: only on-failure takes a number, as in on-failure:3")
    return f"{name}:{int(count)}" if int(count) else name
