"""Unit files as data: sections in order, each with its keys and values in order; read and written without loss.

The syntax is that of systemd.syntax(7). Values are kept as systemd sees them: a line continued by a backslash is one
value, comments are gone, a key may come several times, and an empty value (systemd's reset) stays where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

KEY_PATTERN = r"^[A-Za-z][A-Za-z0-9-]*$"
_BLANK = " \t\r"
_COMMENT = ("#", ";")
_LINE_END = re.compile(r"\r\n|[\n\r\0]")
"""What ends a line for systemd."""


class Setting(NamedTuple):
    """One line of a unit file."""

    section: str
    key: str
    value: str
    line: int = 0
    """Its number in the file, from 1; 0 for one that is in no file."""


class UnitSyntaxError(ValueError):
    """A unit file that systemd would not read as it looks."""

    def __init__(self, line: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


def settings_of(text: str) -> tuple[Setting, ...]:
    """Return the settings of a unit file, in order. Raises UnitSyntaxError for what is no unit file."""
    section = ""
    found: list[Setting] = []
    for number, line in _logical_lines(text.removeprefix("\ufeff")):
        if line.startswith("["):
            section = line[1:-1]
            if not line.endswith("]") or not re.fullmatch(KEY_PATTERN[1:-1], section):
                raise UnitSyntaxError(number, f"{line!r} is no section", "a section looks like [Service]")
            continue
        key, equals, value = line.partition("=")
        key = key.rstrip(_BLANK)
        if not equals or not re.fullmatch(KEY_PATTERN[1:-1], key):
            raise UnitSyntaxError(number, f"{line!r} is no setting", "a setting looks like Restart=always")
        if not section:
            raise UnitSyntaxError(number, f"'{key}' stands before the first section", "begin with [Unit]")
        found.append(Setting(section, key, value.strip(_BLANK), number))
    return tuple(found)


def values_of(settings: Iterable[Setting]) -> dict[str, list[str]]:
    """Return "Section.Key" -> values in order: what two unit files are compared by."""
    found: dict[str, list[str]] = {}
    for setting in settings:
        found.setdefault(f"{setting.section}.{setting.key}", []).append(setting.value)
    return found


def written(settings: Iterable[Setting], remark: str = "") -> str:
    """Return the text of a unit file, with `remark` as a comment on top.

    The values must be good ones (`mistake`): then `settings_of` returns the very same settings.
    """
    lines = [f"# {remark}"] if remark else []
    section = None
    for setting in settings:
        if setting.section != section:
            lines += ([""] if section else []) + [f"[{setting.section}]"]
            section = setting.section
        lines.append(f"{setting.key}={setting.value}")
    return "\n".join(lines) + "\n"


def mistake(value: str) -> tuple[str, str] | None:
    """Return what is wrong with a value and what to try; None for one that stays one value in a unit file."""
    if any(char in value for char in "\n\r\u2028\u2029\x85"):
        return "a line break in the value: it would begin another setting", "write one line; a list repeats the key"
    control = next((char for char in value if not char.isprintable() and _is_control(char)), None)
    if control is not None:
        return f"control character {control!r} in the value", "remove it"
    if value != value.strip():
        return "space at the start or end of the value, which systemd drops", "remove it"
    if (len(value) - len(value.rstrip("\\"))) % 2:
        return "a backslash at the end of the value: it would swallow the next line", "write two, or none"
    return None


def from_spec(sections: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return the settings of sections as a spec has them: of good form, in their order."""
    found: list[Setting] = []
    for section, content in sections.items():
        for part in content if isinstance(content, list) else [content]:
            for key, value in part.items():
                many = value if isinstance(value, list) else [value]
                found += (Setting(section, key, plain(item)) for item in many)
    return tuple(found)


def to_spec(settings: Sequence[Setting]) -> dict[str, Any]:
    """Return settings as a spec has them.

    A section whose order a mapping cannot hold, since a key comes again behind another one, is a list of mappings.
    """
    parts: dict[str, list[dict[str, list[str]]]] = {}
    last: tuple[str, str] | None = None
    for section, key, value, _ in settings:
        mappings = parts.setdefault(section, [{}])
        if key in mappings[-1] and last != (section, key):
            mappings.append({})
        mappings[-1].setdefault(key, []).append(value)
        last = (section, key)
    return {
        section: found[0] if len(found) == 1 else found
        for section, found in ((name, [_unlisted(part) for part in found]) for name, found in parts.items())
    }


def plain(value: Any) -> str:
    """Return a number, a truth value or a text as a unit file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unlisted(part: Mapping[str, list[str]]) -> dict[str, Any]:
    return {key: values[0] if len(values) == 1 else values for key, values in part.items()}


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) with continued lines joined, without comments and empty lines.

    As systemd does it: a comment inside a continuation is dropped, the backslash becomes a space, and a comment
    outside of one is never continued.
    """
    pending, first = "", 0
    for number, raw in enumerate(_LINE_END.split(text), 1):
        stripped = raw.lstrip(_BLANK)
        if stripped.startswith(_COMMENT):
            continue
        line = pending + raw
        first = first or number
        if (len(line) - len(line.rstrip("\\"))) % 2:
            pending = line[:-1] + " "
            continue
        if line.strip(_BLANK):
            yield first, line.strip(_BLANK)
        pending, first = "", 0
    if pending.strip(_BLANK):
        yield first, pending.strip(_BLANK)


def _is_control(char: str) -> bool:
    return (char < " " and char != "\t") or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"
