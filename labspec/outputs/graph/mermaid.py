"""The graph in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html), which GitHub and GitLab draw."""

from __future__ import annotations

from collections.abc import Iterator

from labspec.core.resource import Lab
from labspec.outputs.graph.colours import COLOURS, INK
from labspec.outputs.graph.topology import ORDER, SHARES, USES, Node, topology
from labspec.outputs.graph.words import KINDS, word

ARROWS = {USES: "-->", ORDER: "-.->", SHARES: "==>"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")


def mermaid(lab: Lab, language: str | None = None) -> str:
    """Return the graph of a lab as a flowchart; `language` is that of the kinds' names, the lab's own by default."""
    graph = topology(lab)
    spoken = language or lab.language
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    stacks = list(dict.fromkeys(node.stack for node in graph.nodes))
    lines = ["flowchart TB"]
    for number, stack in enumerate(stacks):
        if stack:
            lines.append(f'  subgraph s{number}["{_escaped(stack)}"]')
        indent = "    " if stack else "  "
        lines += [
            f"{indent}{line}" for node in graph.nodes if node.stack == stack for line in _node(node, names, spoken)
        ]
        if stack:
            lines.append("  end")
    for edge in graph.edges:
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"  {names[edge.source]} {ARROWS[edge.sort]}{label} {names[edge.target]}")
    for family in dict.fromkeys(node.family for node in graph.nodes):
        colours = COLOURS[family]
        lines.append(f"  classDef {family} fill:{colours.ground},stroke:{colours.border},color:{INK}")
    return "\n".join(lines) + "\n"


def _node(node: Node, names: dict[str, str], language: str) -> Iterator[str]:
    parts = [word(KINDS[node.kind], language), node.name, *node.details]
    yield f'{names[node.id]}["{"<br/>".join(map(_escaped, parts))}"]:::{node.family}'


def _escaped(text: str) -> str:
    """Return a text in which everything but letters and digits is a numbered character, so that nothing is markup."""
    return "".join(char if char in _PLAIN else f"#{ord(char)};" for char in text)
