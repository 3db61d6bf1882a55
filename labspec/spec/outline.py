"""Where each part of a YAML file stands in its text: offsets of keys, values and dashes, from PyYAML's C parser."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent
from yaml.tokens import BlockEntryToken

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BLOCK_HEADER = re.compile(r"[|>]([0-9+-]*)")


@dataclass(slots=True)
class Node:
    """One value: `text[start:end]` is what is written, its anchor and tag included.

    The end of a mapping or list that stands on lines of its own is the end of the last thing in it.
    """

    kind: str
    """scalar, alias, map or seq."""
    start: int
    end: int
    style: str = ""
    """Of a scalar: the character that it begins with, or none."""
    value: str = ""
    """Of a scalar: what it stands for."""
    flow: bool = False
    """Written in brackets or braces."""
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    """Of a mapping: keys and values in order."""
    items: list[tuple[int, Node]] = field(default_factory=list)
    """Of a list: the offset of the dash, and the item."""
    names: frozenset[str] = frozenset()
    """The anchors that are in it, set or used."""

    @property
    def block(self) -> bool:
        """Whether it is a mapping or list that stands on lines of its own."""
        return self.kind in ("map", "seq") and not self.flow

    @property
    def first(self) -> int:
        """The offset at which the first key or dash stands."""
        if self.pairs:
            return self.pairs[0][0].start
        return self.items[0][0] if self.items else self.start


def outline(text: str) -> Node | None:
    """Return the outline of a text that is one good YAML document without a BOM; None where nothing is in it."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._next: Callable[[], Any] = _Loader(text).get_event
        self._dashes = [
            token.start_mark.index for token in yaml.scan(text, Loader=_Loader) if isinstance(token, BlockEntryToken)
        ]

    def document(self) -> Node | None:
        self._next()
        if isinstance(self._next(), StreamEndEvent):
            return None
        return self._node(self._next())

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, self._end_of(event)
        own = frozenset({event.anchor} if event.anchor else ())
        if isinstance(event, AliasEvent):
            return Node("alias", start, end, names=own)
        if isinstance(event, ScalarEvent):
            style = event.style or ""
            if style in ("|", ">"):
                end = self._block_end(start, end)
            return Node("scalar", start, end, style, event.value, names=own)
        if isinstance(event, MappingStartEvent):
            return self._map(event, start, own)
        return self._seq(event, start, own)

    def _map(self, event: Any, start: int, names: frozenset[str]) -> Node:
        made = Node("map", start, start, flow=bool(event.flow_style))
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._node(event)
            value = self._node(self._next())
            made.pairs.append((key, value))
            names |= key.names | value.names
            made.end = max(key.end, value.end)
        made.names = names
        if made.flow:
            made.end = max(made.end, self._end_of(event))
        return made

    def _seq(self, event: Any, start: int, names: frozenset[str]) -> Node:
        made = Node("seq", start, start, flow=bool(event.flow_style))
        while not isinstance(event := self._next(), SequenceEndEvent):
            item = self._node(event)
            dash = item.start if made.flow else self._dashes[bisect_left(self._dashes, item.start) - 1]
            made.items.append((dash, item))
            names |= item.names
            made.end = item.end
        made.names = names
        if made.flow:
            made.end = max(made.end, self._end_of(event))
        return made

    @staticmethod
    def _end_of(event: Any) -> int:
        end: int = event.end_mark.index
        return end

    def _block_end(self, start: int, end: int) -> int:
        """Return where a text block ends, without its last line break and the empty lines that are not its own."""
        header = _BLOCK_HEADER.search(self._text, start)
        kept = header is not None and "+" in header[1]
        ends = list(_line_ends(self._text, end))
        return ends[0] if kept or len(ends) == 1 else ends[-1]


def _line_ends(text: str, end: int) -> Iterator[int]:
    """Yield the end of the line that `end` is behind, then those of the lines above while they are empty."""
    while True:
        if text[end - 2 : end] == "\r\n":
            end -= 2
        elif text[end - 1 : end] in ("\n", "\r"):
            end -= 1
        else:
            yield end
            return
        yield end
        if text[end - 1 : end] not in ("\n", "\r"):
            return
