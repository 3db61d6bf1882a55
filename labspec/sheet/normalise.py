"""What in a program's output is different every time: told apart from the rest, each with its type.

A token of an identity type (a process, a namespace, a container, an address) stands for something: the same one in two
places is the same thing, and compare.py holds both runs to that. A token of a value type (a time, a size) stands for
nothing. Everything else is literal. Runs of blanks are one blank, since columns are as wide as what is in them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from labspec.sheet.columns import column_tokens

IDENTITIES: Final = frozenset({"pid", "namespace", "id", "ip", "mac", "port", "interface"})
VALUES: Final = frozenset({"time", "duration", "size", "percent", "count", "volatile"})
_FIRST_EPHEMERAL: Final = 32768
"""Ports from here on are given out by the kernel; those below are somebody's choice."""
_SHORT_ID: Final = 12
_UNITS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}

_LITERAL: Final = "literal"
"""What looks like a token and is not one."""
_CONSTANT: Final[Mapping[str, frozenset[str]]] = {
    "pid": frozenset({"0", "1"}),
    "ip": frozenset({"0.0.0.0", "::", "::1", "255.255.255.255"}),  # noqa: S104  a text to look for
    "mac": frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}),
}
_CHOSEN: Final = frozenset({"ip", "mac", "size", "duration", "percent"})
"""Types whose values a spec may choose, beside ports."""

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = "(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )"
_ZONE = "(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))"
_CLOCK = r"[0-9]{1,2}:[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
_YEAR = "(?: [A-Z]{3,4})?(?: [0-9]{4})?"
_TIMES = (
    rf"(?<!\w){_DAY}?[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK}{_ZONE}?(?: [A-Z]{{3,4}}\b)?)?(?![\w-])",
    rf"(?<!\w){_DAY}?[0-9]{{1,2}}[ /-]{_MONTH}[ /-][0-9]{{4}}(?:[: ]{_CLOCK})?{_ZONE}?(?!\w)",
    rf"(?<!\w){_DAY}?{_MONTH} {{1,2}}[0-9]{{1,2}}(?:,? {{1,2}}(?:{_CLOCK}{_YEAR}|[0-9]{{4}}))?(?![\w:])",
    rf"(?<![\w.:/-]){_CLOCK}(?![\w:/])",
    r"(?<![\w.])1[4-9][0-9]{8}(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?:\.[0-9]+)?(?![\w.])",
)
_LONG_UNIT = "(?:second|minute|hour|day|week|month|year)"
_SHORT_UNIT = "(?:ns|us|µs|μs|ms|s|min|h|d|w)"
_DURATIONS = (
    rf"(?<!\w)(?:About an? {_LONG_UNIT}|Less than a second|[0-9]+ {_LONG_UNIT}s?)(?: ago)?(?!\w)",
    r"(?<![\w.])[0-9]+m[0-9]+(?:\.[0-9]+)?s(?!\w)",
    r"(?<![\w.])[0-9]+(?:\.[0-9]+)? (?:ms|s|min|h)(?!\w)",
    rf"(?<![\w.])[0-9]+(?:\.[0-9]+)?{_SHORT_UNIT}(?: [0-9]+(?:\.[0-9]+)?{_SHORT_UNIT})*(?: (?:ago|left))?(?!\w)",
)
_SIZE = r"(?<![\w.])([0-9]+(?:[.,][0-9]+)?) ?(?:([kKMGTPE])i?B|([KMGTPE])|B|bytes)(?!\w)"
_PID_WORDS = (
    r"(?i:(?<![a-z])(?:main ?|exec ?main ?|control ?|ppid|nsp|tracer|p)?_?(?:pid|tgid)s?[\"']?(?:\s*[:=]\s*|\s+))"
)


class Token(NamedTuple):
    """A part of a line that is different every time."""

    type: str
    value: str
    """For an identity type what it stands for, whichever way it is written; '' for a value type."""
    text: str
    """As it is written."""


Line = tuple[str | Token, ...]
"""A line: literal text and tokens, in order."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of an output beside itself."""

    place: str = ""
    """Processes and interfaces of two places are not the same, even with the same number."""
    volatile: Sequence[str] = ()
    """The sheet's own regular expressions for what is different every time."""
    about_processes: bool = False
    """The command asks for process ids, so that a line with nothing but a number is one."""
    fixed: frozenset[tuple[str, str]] = field(default=frozenset())
    """(type, value) of what the spec says itself: that is never different, whatever it looks like."""


def tokenise(text: str, context: Context) -> list[Line]:
    """Return the lines of an output, each as literal text and tokens."""
    lines = text.split("\n")
    columns = column_tokens(lines)
    return [_line(line, columns.get(number, {}), context) for number, line in enumerate(lines)]


def skeleton(line: Line) -> str:
    """Return a line with the type of each token in its place, without what only lays it out."""
    shape = "".join(part if isinstance(part, str) else f"\0{part.type}\0" for part in line)
    return re.sub(r"[-=─━+]{4,}", "----", re.sub(r"[ \t]+", " ", shape)).strip()


def tokens(line: Line) -> list[Token]:
    """Return the tokens of a line, in order."""
    return [part for part in line if isinstance(part, Token)]


def fixed_values(words: Iterable[str | int]) -> frozenset[tuple[str, str]]:
    """Return what a spec says itself, of those types whose values a spec may choose: as `Context.fixed` takes it."""
    found: set[tuple[str, str]] = set()
    for word in words:
        if isinstance(word, int):
            found |= {("port", str(word)), ("size", str(word))}
            continue
        found |= {(kind, _value(kind, match[group], "")) for kind, group, match in _matches(word) if kind in _CHOSEN}
        found |= {("port", number) for number in re.findall(r"(?<!\d)\d{2,5}(?!\d)", word)}
        found |= {("size", _bytes(*sized)) for sized in re.findall(r"(?<!\w)(\d+)([kmgtKMGT])i?[bB]?(?!\w)", word)}
    return frozenset(found)


def asks_for_processes(command: Sequence[str] | str) -> bool:
    """Return whether a command's output is made of process ids."""
    words = command if isinstance(command, str) else " ".join(command)
    return re.search(r"(?i)\bpids?\b|mainpid|pidof|pgrep|\.Pid\b", words) is not None


def _line(line: str, columns: Mapping[tuple[int, int], str], context: Context) -> Line:
    if _PROGRESS.search(line):
        return (Token("volatile", "", line),)
    taken: list[tuple[int, int, Token]] = []
    for start, end, token in _found(line, columns, context):
        if end > start and not any(start < other_end and other_start < end for other_start, other_end, _ in taken):
            taken.append((start, end, token))
    parts: list[str | Token] = []
    at = 0
    for start, end, token in sorted(taken):
        parts += line[at:start], token.text if token.type == _LITERAL else token
        at = end
    return tuple(part for part in (*parts, line[at:]) if part != "")


def _found(line: str, columns: Mapping[tuple[int, int], str], context: Context) -> Iterator[tuple[int, int, Token]]:
    """Yield (start, end, token), what goes before the others first; they may overlap."""
    for pattern in context.volatile:
        for match in re.finditer(pattern, line):
            yield match.start(), match.end(), Token("volatile", "", match[0])
    if context.about_processes and (alone := re.fullmatch(r"\s*([0-9]+)\s*", line)):
        yield _token("pid", *alone.span(1), alone[1], context)
    for (start, end), kind in columns.items():
        yield _token(kind, start, end, line[start:end], context)
    for kind, group, match in _matches(line):
        start, end = match.span(group)
        value = _value(kind, match[group], context.place)
        if (kind, value) in context.fixed or value in _CONSTANT.get(kind, ()):
            # Literal, and nothing else may take it for something of its own.
            yield start, end, Token(_LITERAL, match[group], match[group])
        else:
            yield start, end, Token(kind, value if kind in IDENTITIES else "", match[group])


def _token(kind: str, start: int, end: int, text: str, context: Context) -> tuple[int, int, Token]:
    if kind == "pid" and text in _CONSTANT["pid"]:
        return start, end, Token(_LITERAL, text, text)
    value = _scoped(text, context.place) if kind == "pid" else text
    return start, end, Token(kind, value if kind in IDENTITIES else "", text)


def _matches(line: str) -> Iterator[tuple[str, int, re.Match[str]]]:
    """Yield (type, group that is the token, match) of all that looks like a token, by what goes before what."""
    for kind, group, pattern, accepted in _PATTERNS:
        for match in pattern.finditer(line):
            if accepted(match[group]):
                yield kind, group, match


def _value(kind: str, text: str, place: str) -> str:
    """Return what a token stands for, whichever way it is written."""
    if kind == "id":
        return text[:_SHORT_ID]
    if kind == "ip":
        return str(ipaddress.ip_address(text))
    if kind in ("pid", "interface"):
        return _scoped(text, place)
    sized = re.match(_SIZE, text) if kind == "size" else None
    return _bytes(sized[1], sized[2] or sized[3] or "") if sized else text.lower()


def _scoped(number: str, place: str) -> str:
    return number if number in _CONSTANT["pid"] else f"{place} {number}".strip()


def _bytes(number: str, unit: str) -> str:
    return str(int(float(number.replace(",", ".")) * 1024 ** _UNITS[unit.lower()]))


def _always(_text: str) -> bool:
    return True


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _is_outside(text: str) -> bool:
    """Return whether a text is an address that somebody could be given: those of the machine itself never change."""
    return _is_address(text) and not ipaddress.ip_address(text).is_loopback and not text.startswith("255.")


def _is_ephemeral(text: str) -> bool:
    return _FIRST_EPHEMERAL <= int(text) < 65536


def _is_mixed(text: str) -> bool:
    return any(char.isdigit() for char in text) and any(char.isalpha() for char in text)


_PROGRESS = re.compile(r"^\s*(?:% Total|Dload|[0-9]+ +[0-9.kMG]+ +[0-9]+ +[0-9.kMG]+ +[0-9]+ +[0-9.kMG]+ .*:)")
"""A line of curl's progress meter."""
_PATTERNS: tuple[tuple[str, int, re.Pattern[str], Callable[[str], bool]], ...] = tuple(
    (kind, group, re.compile(pattern), accepted)
    for kind, group, pattern, accepted in (
        ("id", 1, r"(?<![\w-])([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-])", _always),
        ("id", 1, r"(?<![0-9A-Za-z])([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{12})(?![0-9A-Za-z])", _always),
        ("id", 1, r"(?<=veth)([0-9a-f]{7})(?![0-9A-Za-z])", _always),
        ("id", 1, r"(?<![0-9A-Za-z])([0-9a-z]{25})(?![0-9A-Za-z])", _is_mixed),
        ("namespace", 1, r"(?<=:\[)([0-9]{9,10})(?=\])", _always),
        ("namespace", 1, r"(?<![\w.])(402653[0-9]{4})(?![\w.])", _always),
        ("mac", 1, r"(?<![\w:])((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})(?![\w:])", _always),
        ("id", 1, r"(?i)(?<=etag: )([^ ].*)$", _always),
        *(("time", 0, pattern, _always) for pattern in _TIMES),
        ("ip", 0, r"(?<![\w.:])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.])(?!\.[0-9])", _is_outside),
        ("ip", 0, r"(?<![\w.:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])", _is_outside),
        *(("duration", 0, pattern, _always) for pattern in _DURATIONS),
        ("size", 0, _SIZE, _always),
        ("percent", 0, r"(?<![\w.])[0-9]+(?:\.[0-9]+)?%", _always),
        ("pid", 1, r"(?<=/proc/)([0-9]+)", _always),
        ("pid", 1, rf"{_PID_WORDS}([0-9]+)(?![\w.])", _always),
        ("pid", 1, r"(?i)\bprocess ([0-9]+)(?![\w.])", _always),
        ("pid", 1, r"(?<=\w)\[([0-9]+)\](?=:)", _always),
        ("pid", 1, r"[├└|`]─?-?([0-9]+)(?= )", _always),
        ("pid", 1, r"(?<=[\w})])\(([0-9]+)\)", _always),
        ("interface", 1, r"^([0-9]+)(?=: \w+.*<)", _always),
        ("interface", 1, r"(?<=@if)([0-9]+)", _always),
        ("port", 1, r"(?<=:)([0-9]{5})(?![\w.])", _is_ephemeral),
        ("count", 1, r"\"(?:Size|VirtualSize|SharedSize|SizeRw|SizeRootFs)\": ?(-?[0-9]+)", _always),
        ("count", 1, r"(?:Tasks|limit|packets|bytes):? ([0-9]+)", _always),
    )
)
