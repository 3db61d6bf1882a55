"""The graph as one SVG: it needs no font, style sheet or script from outside, and follows light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from labspec.core.resource import Lab
from labspec.core.wording import Words
from labspec.outputs.graph.arrange import (
    CAPTION,
    CAPTION_LINE,
    LINE,
    NAME,
    PAD,
    SMALL,
    SMALL_LINE,
    WIDE,
    Label,
    Picture,
    arranged,
    columns,
)
from labspec.outputs.graph.colours import COLOURS, FAINT, INK, PAPER, RIM, style
from labspec.outputs.graph.layout import Placed, Route
from labspec.outputs.graph.topology import ORDER, SHARES, USES, Edge, Topology, plain, topology
from labspec.outputs.graph.words import EDGES, EMPTY, FAMILIES, HOST, KINDS, TITLE, word

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
MARGIN = 24.0
BELOW = 34.0
"""Between the picture and its legend."""
LEGEND_LINE, SWATCH = 22.0, 26.0
NARROWEST = 360.0
LONGEST = 24
"""Letters at an edge; of a longer path its end is shown."""
DASHES = {USES: "", ORDER: "7 4", SHARES: "2 3"}

Legend = list[tuple[str, str, float]]
"""Family or sort of edge, its word, its width."""


def svg(lab: Lab, language: str, prefix: str = "graph") -> str:
    """Return the graph of a lab as an SVG element; `prefix` begins its ids, which are to be unique in a page."""
    graph = topology(lab)
    picture = arranged(graph, language)
    width = max(picture.width, NARROWEST)
    legend = _flowed(_legend(graph, language), width)
    height = picture.height + (BELOW + LEGEND_LINE * len(legend) if legend else 0.0)
    wide, high = _number(width + 2 * MARGIN), _number(height + 2 * MARGIN)
    body = "\n".join(
        [
            *_routes(graph, picture, prefix),
            *_host(picture, width, language),
            *(line for name, label in picture.labels.items() for line in _box(label, picture.boxes[name])),
            *_labels(graph, picture),
            *_legend_lines(legend, picture.height + BELOW, prefix),
        ]
    )
    title = word(TITLE, language).format(name=_title(lab.title, language) or graph.name)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="lab-graph" viewBox="0 0 {wide} {high}" \
width="{wide}" height="{high}" role="img" aria-labelledby="{prefix}-title {prefix}-desc" font-family="{FONT}">
<title id="{prefix}-title">{_text(title)}</title>
<desc id="{prefix}-desc">{_text(_described(graph, language))}</desc>
<style>{style()}</style>
<defs><marker id="{prefix}-arrow" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="8" markerHeight="8" \
orient="auto"><path class="tip" d="M0 .8 7.6 4 0 7.2z" fill="{FAINT}"/></marker></defs>
<rect class="paper" width="{wide}" height="{high}" rx="10" fill="{PAPER}"/>
<g transform="translate({_number(MARGIN)} {_number(MARGIN)})">
{body}
</g>
</svg>
"""


def _box(label: Label, box: Placed) -> Iterator[str]:
    colours = COLOURS[label.node.family]
    x, y = box.x + PAD, box.y + PAD
    yield f'<g class="{label.node.family}">'
    yield f"<title>{_text(label.node.id)}</title>"
    yield (
        f'<rect class="box" x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
        f'height="{_number(box.height)}" rx="6" fill="{colours.ground}" stroke="{colours.border}" stroke-width="1.4"/>'
    )
    yield _line("caption", x, y + CAPTION, CAPTION, colours.border, label.caption)
    y += CAPTION_LINE
    for line in label.name:
        yield _line("ink", x, y + NAME, NAME, INK, line, ' font-weight="600"')
        y += LINE
    for line in label.details:
        yield _line("faint", x, y + SMALL, SMALL, FAINT, line)
        y += SMALL_LINE
    yield "</g>"


def _routes(graph: Topology, picture: Picture, prefix: str) -> Iterator[str]:
    sorts = {(edge.source, edge.target): edge.sort for edge in graph.edges}
    for route in picture.routes:
        dash = DASHES[sorts[(route.source, route.target)]]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield (
            f'<path class="edge" d="{_path(route)}" fill="none" stroke="{FAINT}" stroke-width="1.3"{dashed} '
            f'marker-end="url(#{prefix}-arrow)"/>'
        )


def _path(route: Route) -> str:
    x, above, below = route.stops[0]
    parts = [f"M{_number(x)} {_number(above)}", f"V{_number(below)}"]
    at = below
    for next_x, top, bottom in route.stops[1:]:
        middle = _number((at + top) / 2)
        parts.append(f"C{_number(x)} {middle} {_number(next_x)} {middle} {_number(next_x)} {_number(top)}")
        if bottom > top:
            parts.append(f"V{_number(bottom)}")
        x, at = next_x, bottom
    return " ".join(parts)


def _labels(graph: Topology, picture: Picture) -> Iterator[str]:
    """Yield what is written at edges, each where it lies on no other, between the last two rows of its edge."""
    routes = {(route.source, route.target): route for route in picture.routes}
    taken: list[tuple[float, float, float]] = []
    for edge in graph.edges:
        if not edge.label:
            continue
        text = edge.label if columns(edge.label) <= LONGEST else f"…{edge.label[1 - LONGEST :]}"
        wide = columns(text) * SMALL * WIDE + 8
        x, y = _free(routes[(edge.source, edge.target)], wide, picture.width, taken)
        taken.append((x, y, wide))
        yield (
            f'<rect class="paper" x="{_number(x - wide / 2)}" y="{_number(y - 7.5)}" width="{_number(wide)}" '
            f'height="15" rx="3" fill="{PAPER}"/>'
        )
        yield _line("faint", x, y + 3.6, SMALL, FAINT, text, ' text-anchor="middle"')


def _free(route: Route, wide: float, width: float, taken: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    (start, _, above), (end, below, _) = route.stops[-2:]
    places = []
    for part in (0.5, 0.62, 0.38, 0.74, 0.26):
        left = (1 - part) ** 3 + 3 * (1 - part) ** 2 * part
        middle = 3 * part * (1 - part)
        x = start * left + end * (1 - left)
        y = above * (1 - part) ** 3 + (above + below) / 2 * middle + below * part**3
        places.append((min(max(x, wide / 2), max(width, NARROWEST) - wide / 2), y))

    def covered(place: tuple[float, float]) -> bool:
        x, y = place
        return any(abs(x - one) < (wide + other) / 2 and abs(y - two) < 15 for one, two, other in taken)

    return next((place for place in places if not covered(place)), places[0])


def _host(picture: Picture, width: float, language: str) -> Iterator[str]:
    if picture.host is not None:
        if picture.host:
            y = _number(picture.host - 4)
            yield f'<path class="rim" d="M0 {y}H{_number(width)}" stroke="{RIM}"/>'
        yield _line("faint", 0, picture.host + 16, 11.5, FAINT, word(HOST, language))


def _legend(graph: Topology, language: str) -> Legend:
    families = {node.family for node in graph.nodes}
    found = [(name, word(words, language)) for name, words in FAMILIES.items() if name in families]
    sorts = {edge.sort for edge in graph.edges}
    found += [(name, word(words, language)) for name, words in EDGES.items() if name in sorts]
    return [(name, text, SWATCH + columns(text) * SMALL * WIDE + 20) for name, text in found]


def _flowed(legend: Legend, width: float) -> list[Legend]:
    lines: list[Legend] = []
    used = width
    for item in legend:
        if used + item[2] > width:
            lines.append([])
            used = 0.0
        lines[-1].append(item)
        used += item[2]
    return lines


def _legend_lines(lines: Sequence[Legend], top: float, prefix: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        x, y = 0.0, top + LEGEND_LINE * number
        for name, text, wide in line:
            if name in COLOURS:
                colours = COLOURS[name]
                yield (
                    f'<g class="{name}"><rect class="box" x="{_number(x)}" y="{_number(y)}" width="16" height="12" '
                    f'rx="3" fill="{colours.ground}" stroke="{colours.border}" stroke-width="1.4"/></g>'
                )
            else:
                dashed = f' stroke-dasharray="{DASHES[name]}"' if DASHES[name] else ""
                yield (
                    f'<path class="edge" d="M{_number(x)} {_number(y + 6)}h20" fill="none" stroke="{FAINT}" '
                    f'stroke-width="1.3"{dashed} marker-end="url(#{prefix}-arrow)"/>'
                )
            yield _line("faint", x + SWATCH, y + 9.8, SMALL, FAINT, text)
            x += wide


def _line(name: str, x: float, y: float, size: float, fill: str, text: str, more: str = "") -> str:
    """Return a line of text; `xml:space` keeps what of it is blank."""
    return (
        f'<text class="{name}" x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}" fill="{fill}"{more} '
        f'xml:space="preserve">{_text(text)}</text>'
    )


def _described(graph: Topology, language: str) -> str:
    """Return the whole graph in words, for those who cannot see it."""
    uses: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        uses[edge.source].append(edge)
    names = {node.id: f"{word(KINDS[node.kind], language)} {node.name}" for node in graph.nodes}
    said = []
    for node in graph.nodes:
        by_sort = [
            f"{word(EDGES[sort], language)} {', '.join(names[edge.target] for edge in found)}"
            for sort in (USES, ORDER, SHARES)
            if (found := [edge for edge in uses[node.id] if edge.sort == sort])
        ]
        said.append(f"{names[node.id]} {'; '.join(by_sort)}".strip())
    return ". ".join(said) or word(EMPTY, language)


def _title(title: Words, language: str) -> str:
    return plain(title if isinstance(title, str) else title.get(language, ""))


def _text(text: str) -> str:
    """Return text for XML; what cannot be seen is spelled out, for which XML has no place either."""
    return escape(plain(text), quote=True)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
