"""A layered layout: rows of boxes from top to bottom, edges that only bend between the rows.

After Sugiyama: each node gets a row below all that use it, long edges get a place in every row that they pass, places
in a row are ordered by what they are connected to, and then moved below each other as far as the order allows. An
edge thus never crosses a box: within a row it runs straight down at a place of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 20.0
"""Between two boxes of a row."""
LANE = 14.0
"""Between an edge that passes a row and its neighbour."""
RISE = 58.0
"""Between two rows: where the edges bend."""
MOST = 60.0
"""What many edges add to that."""
ROUNDS = 24


@dataclass(frozen=True, slots=True)
class Box:
    """How large a node is drawn."""

    id: str
    width: float
    height: float
    least: int = 0
    """The first row that it may be in."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a node is drawn: its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """Where an edge runs: (x, y) from which it goes straight down to (x, second y), row by row."""

    source: str
    target: str
    stops: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and edges; nothing lies outside (0, 0, width, height)."""

    width: float
    height: float
    boxes: Mapping[str, Placed]
    routes: tuple[Route, ...]


@dataclass(slots=True, eq=False)
class _Place:
    """A place in a row: of a box, or of an edge that passes."""

    key: str
    width: float
    height: float
    passing: bool
    up: list[_Place] = field(default_factory=list)
    down: list[_Place] = field(default_factory=list)
    x: float = 0.0
    """Of its middle."""
    index: int = 0


def layered(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> Layout:
    """Return the layout of one graph without circles; each edge goes from upper to lower."""
    ranks = _ranks(boxes, edges)
    rows: list[list[_Place]] = [[] for _ in range(max(ranks.values()) + 1)]
    places = {box.id: _Place(box.id, box.width, box.height, passing=False) for box in boxes}
    for box in boxes:
        rows[ranks[box.id]].append(places[box.id])
    chains = [_chain(edge, ranks, places, rows) for edge in edges]
    _order(rows)
    _move(rows)
    return _drawn(rows, chains, edges)


def _ranks(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return node -> row: one below the lowest of those that use it; then sources go down to what they use."""
    above: dict[str, list[str]] = {box.id: [] for box in boxes}
    below: dict[str, list[str]] = {box.id: [] for box in boxes}
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    least = {box.id: box.least for box in boxes}
    ranks: dict[str, int] = {}
    waiting = {box.id: len(above[box.id]) for box in boxes}
    ready = [box.id for box in boxes if not waiting[box.id]]
    while ready:
        node = ready.pop(0)
        ranks[node] = max([least[node], *(ranks[user] + 1 for user in above[node])])
        for used in below[node]:
            waiting[used] -= 1
            if not waiting[used]:
                ready.append(used)
    for node in sorted(ranks, key=lambda one: -ranks[one]):
        if not above[node] and below[node]:
            ranks[node] = min(ranks[used] for used in below[node]) - 1
    first = min(ranks.values())
    return {node: rank - first for node, rank in ranks.items()}


def _chain(
    edge: tuple[str, str], ranks: Mapping[str, int], places: Mapping[str, _Place], rows: list[list[_Place]]
) -> list[_Place]:
    """Return the places that an edge goes through, those of the rows that it passes made."""
    source, target = edge
    chain = [places[source]]
    for rank in range(ranks[source] + 1, ranks[target]):
        place = _Place(f"{source}>{target}", 0.0, 0.0, passing=True)
        rows[rank].append(place)
        chain.append(place)
    chain.append(places[target])
    for upper, lower in pairwise(chain):
        upper.down.append(lower)
        lower.up.append(upper)
    return chain


def _order(rows: list[list[_Place]]) -> None:
    """Order each row by the middle of what its places are connected to; the best of several rounds stays."""
    for row in rows:
        _number(row)
    best, crossings = [list(row) for row in rows], _crossings(rows)
    for turn in range(ROUNDS):
        downwards = turn % 2 == 0
        for row in rows if downwards else rows[::-1]:
            row.sort(key=lambda place: _wish(place, downwards))
            _number(row)
        found = _crossings(rows)
        if found < crossings:
            best, crossings = [list(row) for row in rows], found
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept
        _number(row)


def _wish(place: _Place, downwards: bool) -> float:
    near = place.up if downwards else place.down
    return sum(other.index for other in near) / len(near) if near else float(place.index)


def _number(row: list[_Place]) -> None:
    for index, place in enumerate(row):
        place.index = index


def _crossings(rows: list[list[_Place]]) -> int:
    total = 0
    for row in rows:
        ends = [sorted(lower.index for lower in place.down) for place in row]
        flat = [end for group in ends for end in group]
        total += sum(left > right for number, left in enumerate(flat) for right in flat[number + 1 :])
    return total


def _move(rows: list[list[_Place]]) -> None:
    """Move the places of each row towards what they are connected to, in their order and with room between."""
    for row in rows:
        _settle(row, [0.0] * len(row))
    for turn in range(ROUNDS):
        downwards = turn % 2 == 0
        for row in rows if downwards else rows[::-1]:
            _settle(row, [_target(place, downwards, both=turn >= ROUNDS - 2) for place in row])


def _target(place: _Place, downwards: bool, *, both: bool) -> float:
    near = [*place.up, *place.down] if both else place.up if downwards else place.down
    return sum(other.x for other in near) / len(near) if near else place.x


def _settle(row: list[_Place], wishes: Sequence[float]) -> None:
    """Give each place the x nearest to its wish: neighbours that would meet share the mean of their wishes."""
    offsets, at = [], 0.0
    for index, place in enumerate(row):
        if index:
            before = row[index - 1]
            at += before.width / 2 + place.width / 2 + (LANE if place.passing or before.passing else GAP)
        offsets.append(at)
    groups: list[tuple[float, float, int]] = []
    for place, wish, offset in zip(row, wishes, offsets, strict=True):
        weight = 8.0 if place.passing else 1.0  # an edge that runs straight is worth a box that is aside
        total, mass, count = (wish - offset) * weight, weight, 1
        while groups and groups[-1][0] / groups[-1][1] > total / mass:
            earlier = groups.pop()
            total, mass, count = total + earlier[0], mass + earlier[1], count + earlier[2]
        groups.append((total, mass, count))
    index = 0
    for total, mass, count in groups:
        for _ in range(count):
            row[index].x = total / mass + offsets[index]
            index += 1


def _drawn(rows: list[list[_Place]], chains: list[list[_Place]], edges: Sequence[tuple[str, str]]) -> Layout:
    left = min(place.x - place.width / 2 for row in rows for place in row)
    right = max(place.x + place.width / 2 for row in rows for place in row)
    boxes: dict[str, Placed] = {}
    spans: dict[int, tuple[float, float]] = {}
    y = 0.0
    for row in rows:
        height = max(place.height for place in row)
        for place in row:
            place.x -= left
            spans[id(place)] = (y, y + height)
            if not place.passing:
                boxes[place.key] = Placed(place.x - place.width / 2, y, place.width, place.height)
        y += height + _rise(row)
    routes = tuple(
        Route(source, target, tuple(_stops(chain, spans)))
        for (source, target), chain in zip(edges, chains, strict=True)
    )
    return Layout(right - left, y - _rise(rows[-1]), boxes, routes)


def _rise(row: list[_Place]) -> float:
    """Return how much room the edges below a row need: the more there are, the steeper they run."""
    return RISE + min(MOST, 3.0 * max(0, sum(len(place.down) for place in row) - 6))


def _stops(chain: list[_Place], spans: Mapping[int, tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Return where an edge runs straight down: from below its first box, through each row, to above its last."""
    first, *passed, last = chain
    top, bottom = spans[id(first)]
    out = _port(first, first.down, chain[1])
    into = _port(last, last.up, chain[-2])
    between = [(place.x, *spans[id(place)]) for place in passed]
    end = spans[id(last)][0]
    return [(out, top + first.height, bottom), *between, (into, end, end)]


def _port(place: _Place, others: list[_Place], other: _Place) -> float:
    """Return where at a box an edge begins or ends: side by side, in the order of their other ends."""
    ordered = sorted(others, key=lambda one: (one.x, one.index))
    room = min(place.width * 0.85, 22.0 * (len(ordered) - 1))
    if len(ordered) < 2:
        return place.x
    return place.x - room / 2 + room * ordered.index(other) / (len(ordered) - 1)
