"""A spec's text in canonical form: keys in the order of the schema, text in double quotes.

Whole pieces of the text change places and nothing is written anew, so comments, blank lines, anchors, line ends and
every way to write a value stay as they are. What stands between a key and the one above it moves with the key; what is
indented deeper, and what follows the last key, stays with what stands above.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from labspec.spec.order import Shape, whole
from labspec.spec.outline import Node, outline
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

_TRAILING = re.compile(r"[ \t]+(?=\r?\n)")
_BLANK = re.compile(r"[ \t]*\r?\n")
_MODELINE = re.compile(r"#\s*(yaml-language-server|vim?|ex|-\*-)\s*[:-]")
_KEEPING = re.compile(r"[|>][1-9]?\+[ \t]*(#.*)?$", re.MULTILINE)
"""The head of a text block that keeps the empty lines below it."""
_HEAD = ("labspec", "lab")
"""The keys at the top of a spec that stand together; blank lines part the others."""
_BOM = "\ufeff"


class _Chunk(NamedTuple):
    """A key with its value: the lines above that belong to it, and its own text, which begins at the key."""

    lead: str
    body: str


def formatted(data: bytes, path: str, shape: Shape | None = None) -> bytes:
    """Return the content of a YAML file in canonical form, which means the same; `shape` is a whole spec's.

    Raises LabError, with positions, where the file is no YAML that labspec reads.
    """
    report = Report()
    document = parse(data, path, report)
    report.check()
    text = data.decode("utf-8")
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    if document is None or not text.strip():
        return data
    if not text.endswith("\n"):
        text += "\r\n" if "\r\n" in text else "\n"
    root = outline(text)
    if root is None:
        return data
    made = (bom + _Formatter(text).document(root, shape or whole())).encode()
    again = parse(made, path, Report())
    # A text block at the very end, whose last line has no end, means something else once it has one.
    same = again is not None and _meaning(again.value) == _meaning(document.value)
    return made if same else data


def _meaning(value: object) -> str:
    return json.dumps(value, sort_keys=True)


class _Formatter:
    def __init__(self, text: str) -> None:
        self._text = text

    def document(self, root: Node, shape: Shape) -> str:
        begin = self._line_start(root.first) if root.block else root.start
        head = self._text[:begin]
        if not root.block:
            return self._gap(0, root.start) + self._inline(root, shape) + self._gap(root.end, len(self._text))
        split = self._pinned(head)
        _, body = self._block(root, split, len(self._text), shape)
        made = _without_blank_top(self._gap(0, split) + body)
        if _KEEPING.search(self._text):
            return made
        return made.rstrip("\r\n") + ("\r\n" if made.endswith("\r\n") else "\n")

    def _pinned(self, head: str) -> int:
        """Return the offset behind what stays at the top: directives, '---', and the lines that editors look for."""
        end = 0
        offset = 0
        for line in head.splitlines(keepends=True):
            offset += len(line)
            if line.startswith(("%", "---")) or (_MODELINE.match(line) and not end):
                end = offset
        return end

    def _block(self, node: Node, start: int, end: int, shape: Shape) -> tuple[str, str]:
        """Return what must go above the line on which a mapping or list begins, and the text from `start` to `end`."""
        if node.kind == "seq":
            return self._sequence(node, start, end, shape)
        return self._mapping(node, start, end, shape)

    def _sequence(self, node: Node, start: int, end: int, shape: Shape) -> tuple[str, str]:
        column = self._column(node.items[0][0])
        bounds = self._bounds([(dash, item.end) for dash, item in node.items], start, end, column)
        inner = shape.item()
        above = ""
        parts: list[str] = []
        for index, (dash, item) in enumerate(node.items):
            begin, until = bounds[index], bounds[index + 1]
            lifted, body = self._value(dash + 1, item, until, inner)
            lead = self._gap(begin, dash)
            if lifted and begin == dash:
                above = lifted
            elif lifted:
                line = lead.rfind("\n") + 1
                lead = lead[:line] + _indented(lifted, lead[line:]) + lead[line:]
            parts.append(f"{lead}-{body}")
        return above, "".join(parts) + self._gap(bounds[-1], end)

    def _mapping(self, node: Node, start: int, end: int, shape: Shape) -> tuple[str, str]:
        if any(self._is_marked(key.start) for key, _ in node.pairs):
            return "", self._text[start:end]
        column = self._column(node.first)
        shared = start == node.first and column > 0
        bounds = self._bounds([(key.start, value.end) for key, value in node.pairs], start, end, column)
        chunks = []
        for index, (key, value) in enumerate(node.pairs):
            begin, until = bounds[index], bounds[index + 1]
            lead = "" if shared and index == 0 else self._gap(begin, self._line_start(key.start))
            _, body = self._value(key.end, value, until, shape.inside(key.value))
            chunks.append(_Chunk(lead, self._inline(key, shape) + body))
        order = _order(node, shape.keys)
        if order[0] != 0:
            sections = [index for index, (key, _) in enumerate(node.pairs) if key.value not in _HEAD]
            chunks = _moved_blanks(chunks, order[0], sections if column == 0 else [])
        indent = " " * column
        above = ""
        parts = []
        for place, index in enumerate(order):
            chunk = chunks[index]
            if shared and place == 0:
                above = chunk.lead
                parts.append(chunk.body)
            else:
                parts.append(f"{chunk.lead}{indent}{chunk.body}")
        return above, "".join(parts) + self._gap(bounds[-1], end)

    def _value(self, start: int, node: Node, end: int, shape: Shape) -> tuple[str, str]:
        """Return what must go above, and the text from `start`, behind a key or dash, to `end` with the value in it."""
        if not node.block:
            return "", self._gap(start, node.start) + self._inline(node, shape) + self._gap(node.end, end)
        line = self._line_start(node.first)
        if line <= start:
            above, body = self._block(node, node.first, end, shape)
            return above, self._gap(start, node.first) + body
        begin = line
        while begin > start and self._is_loose(self._line_start(begin - 1), start):
            begin = self._line_start(begin - 1)
        _, body = self._block(node, begin, end, shape)
        return "", self._gap(start, begin) + body

    def _inline(self, node: Node, shape: Shape) -> str:
        """Return the text of a scalar, alias, or anything in braces and brackets."""
        if node.kind == "scalar":
            return _quoted(self._text[node.start : node.end], node)
        inner: list[tuple[int, int, str]] = []
        if node.pairs:
            for key, value in node.pairs:
                text = self._inline(key, shape) + self._text[key.end : max(value.start, key.end)]
                inner.append((key.start, max(key.end, value.end), text + self._inline(value, shape.inside(key.value))))
        elif node.items:
            inner = [(item.start, item.end, self._inline(item, shape.item())) for _, item in node.items]
        if not inner:
            return self._text[node.start : node.end]
        ends = [node.start, *(stop for _, stop, _ in inner)]
        gaps = [self._gap(before, begin) for before, (begin, _, _) in zip(ends, inner, strict=False)]
        order = list(range(len(inner)))
        if node.pairs and not any("#" in gap or "?" in gap for gap in gaps):
            order = _order(node, shape.keys)
        return "".join(gap + inner[index][2] for gap, index in zip(gaps, order, strict=True)) + self._gap(
            ends[-1], node.end
        )

    def _bounds(self, spans: Sequence[tuple[int, int]], start: int, end: int, column: int) -> list[int]:
        """Return where the piece of each key or dash begins, `start` for the first, and where the last one ends."""
        bounds = [start]
        for index, (_, stop) in enumerate(spans):
            limit = self._line_start(spans[index + 1][0]) if index + 1 < len(spans) else end
            bounds.append(self._deeper(self._next_line(stop, limit), limit, column))
        return bounds

    def _deeper(self, begin: int, limit: int, column: int) -> int:
        """Return the offset behind the comments below a piece that are indented deeper than it."""
        found = offset = begin
        while offset < limit:
            stop = self._next_line(offset, limit)
            line = self._text[offset:stop]
            content = line.lstrip(" \t")
            if content.strip():
                if len(line) - len(content) <= column:
                    break
                found = stop
            offset = stop
        return found

    def _is_loose(self, begin: int, start: int) -> bool:
        """Return whether a whole line behind `start` is blank or a comment."""
        return begin > start and self._text[begin : self._next_line(begin, len(self._text))].lstrip()[:1] in ("", "#")

    def _is_marked(self, key: int) -> bool:
        """Return whether a key has the mark '?' before it."""
        return self._text[self._line_start(key) : key].lstrip(" -").startswith("?")

    def _gap(self, begin: int, end: int) -> str:
        return _TRAILING.sub("", self._text[begin:end]) if "\n" in self._text[begin:end] else self._text[begin:end]

    def _line_start(self, offset: int) -> int:
        return self._text.rfind("\n", 0, offset) + 1

    def _next_line(self, offset: int, limit: int) -> int:
        found = self._text.find("\n", offset, limit)
        return limit if found < 0 else found + 1

    def _column(self, offset: int) -> int:
        return offset - self._line_start(offset)


def _order(node: Node, keys: Sequence[str]) -> list[int]:
    """Return the canonical order of a mapping's pairs; where aliases would change their meaning, the one it has."""
    ranks = {"<<": -1, **{key: rank for rank, key in enumerate(keys)}}
    there = list(range(len(node.pairs)))
    if not keys:
        return there
    order = sorted(there, key=lambda index: ranks.get(node.pairs[index][0].value, len(ranks)))
    names = [key.names | value.names for key, value in node.pairs]
    bound = [index for index in there if any(names[index] & names[other] for other in there if other != index)]
    return order if [index for index in order if index in bound] == bound else there


def _moved_blanks(chunks: Sequence[_Chunk], first: int, sections: Sequence[int]) -> list[_Chunk]:
    """Return chunks of which another becomes the first: above that is no blank line.

    Above the one that was the first there is one, where it is of the `sections` and blank lines part these; where there
    is none to compare with, if it has several lines.
    """
    moved = list(chunks)
    moved[first] = _Chunk(_without_blank_top(moved[first].lead), moved[first].body)
    old = chunks[0]
    if 0 not in sections or _BLANK.match(old.lead):
        return moved
    others = [chunks[index].lead for index in sections[1:]]
    if any(map(_BLANK.match, others)) or (not others and (old.lead or "\n" in old.body.rstrip())):
        line_end = "\r\n" if "\r\n" in old.body else "\n"
        moved[0] = _Chunk(line_end + old.lead, old.body)
    return moved


def _indented(lines: str, indent: str) -> str:
    return "".join(indent + line.lstrip() if line.strip() else line for line in lines.splitlines(keepends=True))


def _without_blank_top(text: str) -> str:
    while blank := _BLANK.match(text):
        text = text[blank.end() :]
    return text


def _quoted(text: str, node: Node) -> str:
    """Return a scalar in the quotes that need no escape: double ones, where both do."""
    if node.style not in ("'", '"') or "\n" in text:
        return text
    begin = text.index(node.style)
    inner = text[begin + 1 : -1]
    if node.style == "'" and '"' not in node.value and "\\" not in node.value:
        return f'{text[:begin]}"{node.value}"'
    plain = inner.replace("\\\\", "").replace('\\"', "")
    if node.style == '"' and '\\"' in inner and "\\" not in plain and "'" not in node.value:
        return f"{text[:begin]}'{node.value}'"
    return text
