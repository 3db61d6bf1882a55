"""A YAML file as plain values, with the position of every key and value: PyYAML's C parser and an own composer.

The parser's events are enough, and its constructors are not safe from what a stranger may write: the composer reads
scalars as YAML 1.2 does, and refuses duplicate keys, cycles, bombs and whatever else a spec has no use for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from labspec.core.diagnostic import did_you_mean
from labspec.spec.characters import decode
from labspec.spec.report import BITS, Mark, Place, Places, Report, mark_at
from labspec.spec.scalars import resolve, words
from labspec.spec.syntax import plain_words

MAX_DEPTH = 100
MAX_COPIED = 200_000
"""How much all aliases together may stand for: a node counts one, a long text one for each 64 characters."""

Event = Any
"""An event of either parser: the types of their attributes are not told apart by class."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TAGS = {f"{_CORE}{name}": name for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_MERGE = "<<"


class Document(NamedTuple):
    """What a file says, and where."""

    value: Any
    place: Place


class _Anchor(NamedTuple):
    value: Any
    place: Place
    weight: int
    height: int
    """How many levels of nesting it has."""


class _StopError(Exception):
    """The rest of the file cannot be read; what is wrong has been reported."""


def parse(data: bytes, path: str, report: Report) -> Document | None:
    """Return what the content of a file says. Mistakes are reported; None: so grave that the rest cannot be read."""
    decoded = decode(data, path, report)
    if decoded is None:
        return None
    text, base = decoded
    try:
        return _Composer(text, base, report).document()
    except _StopError:
        return None
    except yaml.MarkedYAMLError as error:
        line, column, message, hint = plain_words(error, text)
        report.error(mark_at(base, line, column), message, hint)
    except yaml.YAMLError as error:
        report.error(mark_at(base, 1, 1), f"not YAML: {error}")
    return None


class _Composer:
    """Makes values and places of the parser's events."""

    def __init__(self, text: str, base: Mark, report: Report) -> None:
        self._next: Callable[[], Event] = _Loader(text).get_event
        self._base = base
        self._report = report
        self._anchors: dict[str, _Anchor | None] = {}
        """None: the anchor's node is not finished yet."""
        self._weight = 0
        self._copied = 0
        self._deepest = 0

    def document(self) -> Document:
        """Return the one document of the stream."""
        self._next()
        event = self._next()
        if isinstance(event, StreamEndEvent):
            return Document(None, mark_at(self._base, 1, 1))
        value, place = self._node(self._next(), 0)
        self._next()
        event = self._next()
        if isinstance(event, DocumentStartEvent):
            self._stop(event, "a second document begins here", "a file is one document: remove '---' and what follows")
        return Document(value, place)

    def _mark(self, event: Event) -> Mark:
        start = event.start_mark
        mark: Mark = self._base | start.line + 1 << BITS | start.column + 1
        return mark

    def _error(self, event: Event, message: str, hint: str | None = None) -> None:
        self._report.error(self._mark(event), message, hint)

    def _stop(self, event: Event, message: str, hint: str | None = None) -> None:
        self._error(event, message, hint)
        raise _StopError

    def _node(self, event: Event, depth: int) -> tuple[Any, Place]:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, depth)
        if event.anchor is None:
            return self._content(event, depth)
        self._anchors[event.anchor] = None
        weight, deepest = self._weight, self._deepest
        self._deepest = depth
        value, place = self._content(event, depth)
        self._anchors[event.anchor] = _Anchor(value, place, self._weight - weight, self._deepest - depth)
        self._deepest = max(deepest, self._deepest)
        return value, place

    def _content(self, event: Event, depth: int) -> tuple[Any, Place]:
        self._weight += 1
        if type(event) is ScalarEvent:
            return self._scalar(event), self._mark(event)
        self._go_down(event, depth + 1)
        if type(event) is MappingStartEvent:
            self._container_tag(event, "map")
            return self._mapping(event, depth + 1)
        self._container_tag(event, "seq")
        return self._sequence(event, depth + 1)

    def _alias(self, event: Event, depth: int) -> tuple[Any, Place]:
        name: str = event.anchor
        found = self._anchors.get(name)
        if found is None:
            if name in self._anchors:
                self._error(event, f"the alias *{name} is inside of what it stands for", "write the value out")
            else:
                near = did_you_mean(name, self._anchors)
                self._error(event, f"there is no anchor &{name} above this alias", near or _quoted_star(name))
            return None, self._mark(event)
        self._weight += found.weight
        self._copied += found.weight
        if self._copied > MAX_COPIED:
            self._stop(event, "the aliases stand for too much", "use fewer of them, or smaller anchors")
        self._go_down(event, depth + found.height)
        return found.value, found.place

    def _go_down(self, event: Event, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._stop(event, f"more than {MAX_DEPTH} levels of nesting", "no lab needs that many")
        self._deepest = max(self._deepest, depth)

    def _scalar(self, event: Event) -> Any:
        text: str = event.value
        self._weight += len(text) >> 6
        if "\0" in text:
            self._error(event, "a NUL character in the text", "remove it")
        tag = event.tag
        if tag is None and event.style not in ("", None):
            return text
        try:
            return resolve(text) if tag is None else self._tagged(event, tag, text)
        except ValueError as error:
            self._error(event, str(error), "put it in quotes if it is text")
            return text

    def _tagged(self, event: Event, tag: str, text: str) -> Any:
        name = "str" if tag == "!" else _TAGS.get(tag)
        if name is None:
            self._unknown_tag(event)
        if name in ("str", None):
            return text
        value = resolve(text)
        if name == "float" and type(value) is int:
            return float(value)
        kinds = {"int": int, "float": float, "bool": bool, "null": type(None)}
        if type(value) is not kinds.get(str(name)):
            self._error(event, f"the tag !!{name} does not fit this value", "remove the tag")
        return value

    def _container_tag(self, event: Event, name: str) -> None:
        tag = event.tag
        if tag in (None, "!") or _TAGS.get(tag) == name:
            return
        if tag in _TAGS:
            self._error(event, f"the tag !!{_TAGS[tag]} does not fit this value", "remove the tag")
        else:
            self._unknown_tag(event)

    def _unknown_tag(self, event: Event) -> None:
        tag = str(event.tag).replace(_CORE, "!!")
        self._error(event, f"the tag {tag} is not known", "remove it, or put text that begins with '!' in quotes")

    def _sequence(self, event: Event, depth: int) -> tuple[list[Any], Places]:
        mark = self._mark(event)
        values: list[Any] = []
        places: list[Place] = []
        while True:
            event = self._next()
            if type(event) is SequenceEndEvent:
                return values, Places(mark, None, places)
            value, place = self._node(event, depth)
            values.append(value)
            places.append(place)

    def _mapping(self, event: Event, depth: int) -> tuple[dict[str, Any], Places]:
        mark = self._mark(event)
        values: dict[str, Any] = {}
        keys: dict[str, Mark] = {}
        inner: dict[str, Place] = {}
        merged: list[tuple[dict[str, Any], Places]] | None = None
        while True:
            event = self._next()
            if type(event) is MappingEndEvent:
                break
            key_mark = self._mark(event)
            if _is_merge(event):
                if merged is not None:
                    self._error(event, "the key '<<' is here twice", "write '<<: [*one, *two]'")
                event = self._next()
                merged = [*(merged or ()), *self._sources(event, *self._node(event, depth))]
                continue
            key = self._key(event, depth)
            value, place = self._node(self._next(), depth)
            if key is None:
                continue
            if key in values:
                first = self._report.position(keys[key])
                self._report.error(key_mark, f"the key '{key}' is here twice", f"the first is in line {first.line}")
                continue
            values[key], keys[key], inner[key] = value, key_mark, place
        return (values, Places(mark, keys, inner)) if merged is None else _merge(values, keys, inner, merged, mark)

    def _key(self, event: Event, depth: int) -> str | None:
        """Return a key, or None where it is no text."""
        plain = type(event) is ScalarEvent and event.anchor is None
        found = self._scalar(event) if plain else self._node(event, depth)[0]
        if isinstance(found, str):
            return found
        if found is None and type(event) is ScalarEvent and event.value == "":
            self._error(event, "a key is missing", "write one before the ':'")
        elif isinstance(found, dict | list):
            self._error(event, f"a key is text, and this is {words(found)}", "put text that has braces in quotes")
        elif type(event) is not AliasEvent or self._anchors.get(str(event.anchor)):
            self._error(event, f"a key is text, and this is {words(found)}", "put it in quotes")
        return None

    def _sources(self, event: Event, value: Any, place: Place) -> list[tuple[dict[str, Any], Places]]:
        """Return the mappings that a '<<' takes from, the one that goes before all others first."""
        values, places = (
            (value, place.inner) if isinstance(value, list) and isinstance(place, Places) else ([value], [place])
        )
        if all(isinstance(source, dict) for source in values):
            return list(zip(values, places, strict=True))
        self._error(event, "'<<' takes a mapping, or a list of mappings", "write '<<: *anchor'")
        return []


def _quoted_star(name: str) -> str:
    return f"define it with &{name}, or put text that begins with '*' in quotes"


def _is_merge(event: Event) -> bool:
    return type(event) is ScalarEvent and event.value == _MERGE and event.style in ("", None) and event.tag is None


def _merge(
    values: dict[str, Any],
    keys: dict[str, Mark],
    inner: dict[str, Place],
    merged: list[tuple[dict[str, Any], Places]],
    mark: Mark,
) -> tuple[dict[str, Any], Places]:
    """Return a mapping with what it takes from others; what it says itself goes before that."""
    all_values: dict[str, Any] = {}
    all_keys: dict[str, Mark] = {}
    all_inner: dict[str, Place] = {}
    for source, places in reversed(merged):
        all_values |= source
        all_keys |= places.keys or {}
        all_inner |= places.inner
    return {**all_values, **values}, Places(mark, {**all_keys, **keys}, {**all_inner, **inner})
