"""The layered layout: boxes apart, edges beside them, whatever the graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.outputs.graph.layout import Box, Placed, layered

Edges = list[tuple[str, str]]
SLACK = 0.01


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], Edges]:
    """Return boxes of many sizes, and edges that only lead on."""
    count = draw(st.integers(1, 14))
    sizes = st.floats(20, 220)
    boxes = [Box(f"n{number}", draw(sizes), draw(sizes), draw(st.integers(0, 1))) for number in range(count)]
    pairs = [(f"n{left}", f"n{right}") for left in range(count) for right in range(left + 1, count)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []
    return boxes, edges


def meet(one: Placed, other: Placed) -> bool:
    return (
        one.x < other.x + other.width - SLACK
        and other.x < one.x + one.width - SLACK
        and one.y < other.y + other.height - SLACK
        and other.y < one.y + one.height - SLACK
    )


def runs_through(box: Placed, stops: tuple[tuple[float, float, float], ...]) -> bool:
    """Return whether an edge is anywhere in a box: where it runs straight down, or where it bends."""
    for x, above, below in stops:
        if box.x + SLACK < x < box.x + box.width - SLACK and above < box.y + box.height and box.y < below:
            return True
    bends = [(upper[2], lower[1]) for upper, lower in pairwise(stops)]
    return any(above < box.y + box.height - SLACK and box.y + SLACK < below for above, below in bends)


@settings(deadline=None, max_examples=150)
@given(graphs())
def test_nothing_lies_on_anything(graph: tuple[list[Box], Edges]) -> None:
    boxes, edges = graph
    found = layered(boxes, edges)
    placed = list(found.boxes.items())
    assert {name for name, _ in placed} == {box.id for box in boxes}
    for number, (_, one) in enumerate(placed):
        assert one.x >= -SLACK
        assert one.y >= -SLACK
        assert one.x + one.width <= found.width + SLACK
        assert one.y + one.height <= found.height + SLACK
        assert not any(meet(one, other) for _, other in placed[number + 1 :])
    assert [(route.source, route.target) for route in found.routes] == edges
    for route in found.routes:
        others = [box for name, box in placed if name not in (route.source, route.target)]
        assert not any(runs_through(box, route.stops) for box in others)


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_edges_begin_and_end_at_their_boxes_and_lead_down(graph: tuple[list[Box], Edges]) -> None:
    found = layered(*graph)
    for route in found.routes:
        first, last = found.boxes[route.source], found.boxes[route.target]
        (start, above, _), (end, below, _) = route.stops[0], route.stops[-1]
        assert first.x <= start <= first.x + first.width
        assert above == first.y + first.height
        assert last.x <= end <= last.x + last.width
        assert below == last.y
        assert first.y < last.y


def test_crossings_are_undone_by_order() -> None:
    boxes = [Box(name, 100, 40) for name in "abcxyz"]
    found = layered(boxes, [("a", "z"), ("b", "y"), ("c", "x")]).boxes
    above = sorted("abc", key=lambda name: found[name].x)
    below = sorted("xyz", key=lambda name: found[name].x)
    assert ["zyx"["abc".index(name)] for name in above] == below


def test_what_uses_only_low_things_stands_low() -> None:
    boxes = [Box(name, 100, 40) for name in ("a", "b", "c", "late")]
    found = layered(boxes, [("a", "b"), ("b", "c"), ("late", "c")]).boxes
    assert found["late"].y == found["b"].y
