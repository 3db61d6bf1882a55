"""A compose file as nodes: values with their places, their comments, and the tags that say how they are merged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.spec.report import shown_path

TAGS = {"!reset": "reset", "!override": "override"}
_MOST_NODES = 300_000
_LONGEST = 16 * 2**20
_PLAIN, _QUOTED = "plain", "quoted"
_CORE = "tag:yaml.org,2002:"
_CONTAINERS = {yaml.SequenceNode: f"{_CORE}seq", yaml.MappingNode: f"{_CORE}map"}
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TIME = re.compile(
    _DAY.pattern + r"(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:Z|[-+][0-9]{2}:[0-9]{2})?"
)


@dataclass(slots=True)
class Text:
    """A file that was read."""

    path: Path
    lines: list[str]

    def position(self, line: int, column: int) -> Position:
        """Return a place in it; line and column count from 0."""
        return Position(shown_path(str(self.path)), line + 1, column + 1)


@dataclass(slots=True)
class Node:
    """A value: a scalar, a mapping of nodes or a list of nodes."""

    value: Any
    text: Text
    line: int
    column: int
    key: tuple[int, int] | None = None
    """Where its key is."""
    tag: str = ""
    template: str | None = None
    """What the spec says for a text that has variables: the same text with lookups in it."""
    before: tuple[str, ...] = ()
    """Comments above it, without '#'."""
    behind: str = ""
    """The comment at the end of its first line."""
    folder: str = field(default="")
    """Where its relative paths start, as seen from the project; "": there."""

    @property
    def at(self) -> Position:
        """Where the value is."""
        return self.text.position(self.line, self.column)

    def wrong(self, message: str, hint: str | None = None, *, key: bool = False) -> LabError:
        """Return the refusal of this value, or (`key`) of its key."""
        line, column = self.key if key and self.key else (self.line, self.column)
        return LabError(refusal(self.text, line, column, message, hint))

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def with_value(self, value: Any) -> Node:
        """Return another value at the same place, with the same comments."""
        return replace(self, value=value, tag="", template=None)

    def get(self, key: str) -> Node | None:
        """Return the value of a key of a mapping, or None."""
        return self.value.get(key) if isinstance(self.value, dict) else None


def refusal(text: Text, line: int, column: int, message: str, hint: str | None = None) -> Diagnostic:
    """Return what is wrong at a place of a file."""
    source = text.lines[line] if line < len(text.lines) else ""
    return Diagnostic(message, text.position(line, column), hint, source)


def read_documents(path: Path) -> list[Node]:
    """Return the documents of a compose file, without empty ones. Raises LabError for what is no YAML."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read {shown_path(str(path))}: {error.strerror}") from error
    if len(content) > _LONGEST:
        raise LabError(f"{shown_path(str(path))} is too large for a compose file")
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(f"{shown_path(str(path))} is not UTF-8 text: {error.reason}") from error
    text = Text(path, decoded.splitlines())
    try:
        nodes = list(yaml.compose_all(decoded, Loader=_Loader))
        return [_Reader(text).node(node, ()) for node in nodes if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise LabError(refusal(text, line, column, f"not YAML: {error.problem or error}")) from None
    except yaml.YAMLError as error:
        raise LabError(f"{shown_path(str(path))} is not YAML: {error}") from None


class _Loader(yaml.CBaseLoader):
    """PyYAML's C parser, whose nodes tell plain text from quoted, and have no tags that the file does not have."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002  its signature
        """Return the tag of a value that has none."""
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _CONTAINERS[kind]


class _Reader:
    """Makes nodes of PyYAML's; what aliases share is made anew at each place."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._made = 0
        self._told: set[int] = set()

    def node(self, found: Any, around: tuple[int, ...]) -> Node:
        """Return the node of one of PyYAML's."""
        line, column = found.start_mark.line, found.start_mark.column
        self._made += 1
        if self._made > _MOST_NODES:
            raise LabError(refusal(self._text, line, column, "the aliases stand for too much"))
        if id(found) in around:
            raise LabError(refusal(self._text, line, column, "the anchor contains itself"))
        around = (*around, id(found))
        made = Node(None, self._text, line, column, tag=TAGS.get(found.tag, ""))
        if isinstance(found, yaml.ScalarNode):
            made.value = self._scalar(found)
        elif isinstance(found, yaml.SequenceNode):
            made.value = [self._item(item, around) for item in found.value]
        else:
            made.value = self._mapping(found, around)
        return made

    def _item(self, found: Any, around: tuple[int, ...]) -> Node:
        made = self.node(found, around)
        self._comment(made, found.start_mark.line, found)
        return made

    def _mapping(self, found: Any, around: tuple[int, ...]) -> dict[str, Node]:
        values: dict[str, Node] = {}
        merged: list[Node] = []
        places: dict[str, int] = {}
        for key, value in found.value:
            mark = key.start_mark
            if not isinstance(key, yaml.ScalarNode):
                raise LabError(refusal(self._text, mark.line, mark.column, "a key is text, not a list or a mapping"))
            name = str(key.value)
            if name in places:
                hint = f"the first is in line {places[name] + 1}"
                raise LabError(refusal(self._text, mark.line, mark.column, f"the key '{name}' is here twice", hint))
            places[name] = mark.line
            if name == "<<" and key.tag == _PLAIN:
                merged += self._merged(value, around)
                continue
            if key.tag == _PLAIN and not isinstance(plain_value(name), str):
                message = f"the key {name or 'null'} is no text"
                raise LabError(refusal(self._text, mark.line, mark.column, message, "put it in quotes"))
            made = self.node(value, around)
            made.key = (mark.line, mark.column)
            self._comment(made, mark.line, value)
            values[name] = made
        whole: dict[str, Node] = {}
        for source in reversed(merged):
            whole |= source.value
        return {**whole, **values}

    def _merged(self, value: Any, around: tuple[int, ...]) -> list[Node]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        made = [self.node(source, around) for source in sources]
        for source in made:
            if not isinstance(source.value, dict):
                raise source.wrong("'<<' takes a mapping, or a list of mappings")
        return made

    def _scalar(self, found: Any) -> Any:
        tag, text = str(found.tag), str(found.value)
        if tag == _PLAIN:
            if _TIME.fullmatch(text):
                message = "compose takes this for a point in time, not for text"
                raise LabError(
                    refusal(self._text, found.start_mark.line, found.start_mark.column, message, "put it in quotes")
                )
            return plain_value(text)
        if tag in (_QUOTED, "!", *TAGS, f"{_CORE}str", f"{_CORE}binary"):
            return text if tag not in TAGS or found.style else plain_value(text)
        if tag.startswith(_CORE):
            value = plain_value(text)
            return float(value) if tag.endswith(":float") and isinstance(value, int) else value
        mark = found.start_mark
        raise LabError(refusal(self._text, mark.line, mark.column, f"the tag {tag} is not known to compose"))

    def _comment(self, made: Node, line: int, value: Any) -> None:
        """Give a node the comments of its line, and of the lines above; each comment goes to one node."""
        if line in self._told:
            return
        self._told.add(line)
        lines = self._text.lines
        above = line - 1
        found: list[str] = []
        while above >= 0 and above not in self._told and (not lines[above].strip() or _is_comment(lines[above])):
            if _is_comment(lines[above]):
                self._told.add(above)
                found.append(lines[above].lstrip().removeprefix("#").removeprefix(" ").rstrip())
            above -= 1
        made.before = tuple(reversed(found))
        end = value.end_mark if isinstance(value, yaml.ScalarNode) and value.style not in ("|", ">") else None
        on_line = end is not None and end.line == line
        rest = lines[line][end.column :] if on_line and end is not None and line < len(lines) else ""
        if not on_line and line < len(lines) and not isinstance(value, yaml.ScalarNode):
            rest = lines[line][value.start_mark.column if value.start_mark.line == line else 0 :]
            rest = rest if "'" not in rest and '"' not in rest else ""
        match = re.search(r"(?:^|\s)#\s?(.*)$", rest)
        made.behind = match[1].strip() if match else ""


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def plain_value(text: str) -> Any:
    """Return the value of plain text as compose's YAML reader takes it: `yes` is text, 0755 is octal, a day a time."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if math.isfinite(number) else text
    day = _DAY.fullmatch(text)
    if day:
        return _midnight(text, *(int(part) for part in day.groups()))
    infinite = _INFINITY.fullmatch(text)
    if infinite:
        return math.nan if infinite[3] else float(f"{infinite[1]}inf")
    return text


def _midnight(text: str, year: int, month: int, day: int) -> str:
    """Return a day as compose writes it, or the text where there is no such day."""
    try:
        return f"{date(year, month, day)} 00:00:00 +0000 UTC"
    except ValueError:
        return text


def _integer(text: str) -> int | float | str:
    digits = text.replace("_", "")
    sign = -1 if digits[0] == "-" else 1
    digits = digits.lstrip("+-")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 8 if digits[0] == "0" and len(digits) > 1 else 10)
    try:
        number = sign * int(digits[2:] if digits[:2] in ("0b", "0o", "0x") else digits, base)
    except ValueError:
        return text
    return number if -(2**63) <= number < 2**64 else float(number)


def walk(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Yield every node below one, itself first, with its path."""
    yield path, node
    pairs = node.value.items() if isinstance(node.value, dict) else ()
    for key, item in (
        pairs if isinstance(node.value, dict) else enumerate(node.value if isinstance(node.value, list) else ())
    ):
        yield from walk(item, (*path, key))
