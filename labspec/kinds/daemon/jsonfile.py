"""A JSON file edited member by member: every byte that is not a named member stays what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, Position

BOM = "\ufeff"
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the object, and where in the text its key and its value begin and end."""

    key: str
    value: Any
    start: int
    key_end: int
    value_start: int
    end: int


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON object as it is written: `first` is where its inside begins, `last` where its closing brace is."""

    text: str
    members: tuple[Member, ...]
    first: int
    last: int
    path: str

    @classmethod
    def read(cls, content: bytes | None, path: str) -> JsonFile:
        """Return the object of a file; one that is missing, or has nothing in it, is an empty object.

        Raises LabError, with line and column, for what is no JSON object.
        """
        try:
            text = (content or b"").decode()
        except UnicodeDecodeError as error:
            before = (content or b"")[: error.start].decode(errors="replace")
            raise _broken(path, before, len(before), "the text is not UTF-8") from error
        if not text.strip(_BLANK + BOM):
            return cls("{}\n", (), 1, 1, path)
        return _Reader(text, path).object()

    @property
    def values(self) -> dict[str, Any]:
        """The members by key; of two with one key the last counts, as for Docker."""
        return {member.key: member.value for member in self.members}

    def raw(self, key: str) -> str | None:
        """Return a member's value as it is written, or None where there is no such member."""
        member = self._member(key)
        return self.text[member.value_start : member.end] if member else None

    def content(self) -> bytes:
        """Return the file's bytes."""
        return self.text.encode()

    def with_values(self, values: Mapping[str, Any]) -> JsonFile:
        """Return the file with these members; one that has an equal value already is left as it is written."""
        made = self
        for key, value in values.items():
            member = made._member(key)
            if member is None or not _same(member.value, value):
                made = made.with_raw(key, made._written(value))
        return made

    def with_raw(self, key: str, raw: str) -> JsonFile:
        """Return the file with the value of one member written so, in its place or as the last one."""
        member = self._member(key)
        if member is not None:
            return self._again(self.text[: member.value_start] + raw + self.text[member.end :])
        return self._again(self._added(key, raw))

    def without(self, key: str) -> JsonFile:
        """Return the file without a member, and without the comma that it no longer needs."""
        member = self._member(key)
        if member is None:
            return self
        index = self.members.index(member)
        if index:
            return self._again(self.text[: self.members[index - 1].end] + self.text[member.end :])
        if len(self.members) > 1:
            return self._again(self.text[: member.start] + self.text[self.members[1].start :])
        return self._again(self.text[: self.first] + self.text[self.last :])

    def _member(self, key: str) -> Member | None:
        found = [member for member in self.members if member.key == key]
        if len(found) > 1:
            message = f"the key '{key}' is there twice"
            raise _broken(self.path, self.text, found[1].start, message, "remove one of the two")
        return found[0] if found else None

    def _added(self, key: str, raw: str) -> str:
        name = json.dumps(key)
        if not self.members:
            inside = f"{self._newline}  {name}: {raw}{self._newline}"
            return self.text[: self.first] + inside + self.text[self.last :]
        last = self.members[-1]
        colon = self.text[last.key_end : last.value_start]
        return f"{self.text[: last.end]},{self._lead}{name}{colon}{raw}{self.text[last.end :]}"

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def _lead(self) -> str:
        """What stands before a key: taken from between members, else from before the only one."""
        if len(self.members) > 1:
            between = self.text[self.members[-2].end : self.members[-1].start]
            return between.partition(",")[2]
        lead = self.text[self.first : self.members[0].start]
        return lead or " "

    def _written(self, value: Any) -> str:
        """Return a value's text: over several lines where the file's members are on lines of their own."""
        lead = self._lead if self.members else f"{self._newline}  "
        if "\n" not in lead:
            return json.dumps(value, ensure_ascii=False)
        indent = lead.rpartition("\n")[2]
        lines = json.dumps(value, ensure_ascii=False, indent=indent or 2).split("\n")
        return f"{self._newline}{indent}".join(lines)

    def _again(self, text: str) -> JsonFile:
        return _Reader(text, self.path).object()


class _Reader:
    """Reads one JSON object, noting where its members are. The values are read by the standard library."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._at = 0
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def object(self) -> JsonFile:
        if self._text.startswith(BOM):
            self._at = 1
        self._skip()
        self._take("{", "an object, in braces,")
        first = self._at
        members: list[Member] = []
        self._skip()
        while self._peek() != "}":
            if members:
                self._take(",", "',' or '}'")
                self._skip()
            members.append(self._member())
            self._skip()
        last = self._at
        self._at += 1
        self._skip()
        if self._at < len(self._text):
            raise self._error("something stands behind the object")
        return JsonFile(self._text, tuple(members), first, last, self._path)

    def _member(self) -> Member:
        start = self._at
        if self._peek() != '"':
            raise self._error("expected a key in double quotes")
        key = self._value()
        key_end = self._at
        self._skip()
        self._take(":", "':'")
        self._skip()
        value_start = self._at
        value = self._value()
        return Member(str(key), value, start, key_end, value_start, self._at)

    def _value(self) -> Any:
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._error(error.msg[:1].lower() + error.msg[1:]) from error
        except ValueError as error:
            raise self._error(str(error)) from error
        except RecursionError as error:
            raise self._error("the value is nested too deeply") from error
        return value

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _BLANK:
            self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, char: str, what: str) -> None:
        if self._peek() != char:
            raise self._error(f"expected {what} {'at the end' if not self._peek() else 'here'}")
        self._at += 1

    def _error(self, message: str) -> LabError:
        return _broken(self._path, self._text, self._at, message)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal; true is not 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _broken(path: str, text: str, at: int, message: str, hint: str = "") -> LabError:
    before = text[:at].removeprefix(BOM)
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    source = text.removeprefix(BOM).split("\n")[line - 1].rstrip("\r")
    hint = hint or "Docker could not read it either: correct it first; labspec has changed nothing"
    return LabError(Diagnostic(message, at=Position(path, line, column), hint=hint, source=source))
