"""Where everything of the picture stands: connected parts side by side, what hangs on nothing below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from labspec.outputs.graph.layout import Box, Placed, Route, layered
from labspec.outputs.graph.topology import Edge, Node, Topology
from labspec.outputs.graph.words import KINDS, word

NAME, SMALL, CAPTION = 13.0, 10.5, 10.0
"""Sizes of letters."""
WIDE = 0.62
"""How wide a letter of a monospaced font is at most, in its size."""
PAD = 10.0
LINE, SMALL_LINE, CAPTION_LINE = 16.0, 13.5, 14.0
NAME_CHARS, SMALL_CHARS = 20, 25
ARROW = 15.0
"""How wide a box is for each edge that ends there, at least."""
BETWEEN = 36.0
"""Between parts that have nothing to do with each other."""
USUAL_WIDTH = 780.0
HEADING = 30.0


@dataclass(frozen=True, slots=True)
class Label:
    """A node as it is written: its lines fit into its box."""

    node: Node
    caption: str
    name: tuple[str, ...]
    details: tuple[str, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Places of all nodes and edges; `host` is how far down the settings of the host begin, None without any."""

    width: float
    height: float
    labels: Mapping[str, Label]
    boxes: Mapping[str, Placed]
    routes: tuple[Route, ...]
    host: float | None


def arranged(graph: Topology, language: str) -> Picture:
    """Return where everything stands."""
    labels = {node.id: _label(node, language) for node in graph.nodes}
    families = {node.id: node.family for node in graph.nodes}
    # Settings of the host stand below, side by side: what their edges say, their texts say too.
    edges = [edge for edge in graph.edges if not families[edge.source] == families[edge.target] == "host"]
    parts = list(_parts(graph.nodes, edges))
    host = [part for part in parts if all(node.family == "host" for node in part)]
    others = sorted((part for part in parts if part not in host), key=lambda part: len(part) == 1)
    boxes: dict[str, Placed] = {}
    routes: list[Route] = []
    widths = [_lay(part, edges, labels)[0] for part in others if len(part) > 1]
    width = max([USUAL_WIDTH if len(parts) > 1 else 0.0, *widths])
    bottom = _flow(others, edges, labels, width, 0.0, boxes, routes)
    heading = None
    if host:
        heading = bottom + (BETWEEN if bottom else 0.0)
        bottom = _flow(host, edges, labels, width, heading + HEADING, boxes, routes)
    right = max((box.x + box.width for box in boxes.values()), default=0.0)
    return Picture(right, bottom, labels, boxes, tuple(routes), heading)


def columns(text: str) -> int:
    """Return how many letters' room a text takes: two for those of the far East and pictures."""
    return sum(1 if ord(char) < 0x1100 else 2 for char in text)


def wrapped(text: str, room: int, most: int) -> tuple[str, ...]:
    """Return at most so many lines of so much room, broken behind a sign where that can be, with ... where cut."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        cut = _fitting(rest, room)
        if cut < len(rest):
            breaks = [number for number in range(cut // 2, cut) if rest[number] in "-._/:, =@"]
            cut = breaks[-1] + 1 if breaks and len(lines) < most - 1 else cut
        lines.append(rest[:cut].rstrip(" "))
        rest = rest[cut:].lstrip(" ")
    if rest:
        last = lines[-1]
        lines[-1] = last[: _fitting(last, room - 1)] + "…"
    return tuple(lines)


def _fitting(text: str, room: int) -> int:
    used = 0
    for number, char in enumerate(text):
        used += columns(char)
        if used > room:
            return number
    return len(text)


def _label(node: Node, language: str) -> Label:
    caption = word(KINDS[node.kind], language)
    shown = wrapped(f"{caption} · {node.stack}" if node.stack else caption, NAME_CHARS + 6, 1)
    name = wrapped(node.name, NAME_CHARS, 3)
    details = tuple(line for detail in node.details for line in wrapped(detail, SMALL_CHARS, 2))
    widths = [
        *(columns(line) * CAPTION * WIDE for line in shown),
        *(columns(line) * NAME * WIDE for line in name),
        *(columns(line) * SMALL * WIDE for line in details),
    ]
    height = PAD + CAPTION_LINE + LINE * len(name) + SMALL_LINE * len(details) + PAD * 0.7
    return Label(node, shown[0], name, details, max(58.0, *widths) + 2 * PAD, height)


def _parts(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[list[Node]]:
    """Yield the connected parts, the first node's first."""
    near: dict[str, list[str]] = {node.id: [] for node in nodes}
    for edge in edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    met: set[str] = set()
    for node in nodes:
        if node.id in met:
            continue
        part, waiting = set(), [node.id]
        while waiting:
            at = waiting.pop()
            if at not in part:
                part.add(at)
                waiting.extend(near[at])
        met |= part
        yield [one for one in nodes if one.id in part]


def _lay(
    part: Sequence[Node], edges: Sequence[Edge], labels: Mapping[str, Label]
) -> tuple[float, float, Mapping[str, Placed], tuple[Route, ...]]:
    """Return width, height, places and routes of one connected part."""
    inside = {node.id for node in part}
    ports = any(node.kind == "port" for node in part)
    pairs = [(edge.source, edge.target) for edge in edges if edge.source in inside]
    boxes = [
        Box(
            node.id,
            max(labels[node.id].width, ARROW * max(sum(node.id == pair[end] for pair in pairs) for end in (0, 1))),
            labels[node.id].height,
            1 if ports and node.kind != "port" else 0,
        )
        for node in part
    ]
    found = layered(boxes, pairs)
    return found.width, found.height, found.boxes, found.routes


def _flow(
    parts: Sequence[Sequence[Node]],
    edges: Sequence[Edge],
    labels: Mapping[str, Label],
    width: float,
    top: float,
    boxes: dict[str, Placed],
    routes: list[Route],
) -> float:
    """Put parts side by side, in a new line where there is no room, and return where the last line ends."""
    x, y, tallest, below = 0.0, top, 0.0, 0.0
    for part in parts:
        wide, high, places, runs = _lay(part, edges, labels)
        gap = BETWEEN if len(part) > 1 else BETWEEN / 2
        if x and x + wide > width:
            x, y, tallest = 0.0, y + tallest + below, 0.0
        below = gap if not x else max(below, gap)
        for name, box in places.items():
            boxes[name] = Placed(box.x + x, box.y + y, box.width, box.height)
        for run in runs:
            stops = tuple((at + x, above + y, below + y) for at, above, below in run.stops)
            routes.append(Route(run.source, run.target, stops))
        x, tallest = x + wide + gap, max(tallest, high)
    return y + tallest
