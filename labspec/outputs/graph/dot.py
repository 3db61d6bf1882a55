"""The graph in DOT, the language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from labspec.core.resource import Lab
from labspec.outputs.graph.colours import COLOURS, FAINT, INK
from labspec.outputs.graph.topology import ORDER, SHARES, USES, Node, plain, topology
from labspec.outputs.graph.words import KINDS, word

STYLES = {USES: "solid", ORDER: "dashed", SHARES: "dotted"}


def dot(lab: Lab, language: str | None = None) -> str:
    """Return the graph of a lab as a digraph; `language` is that of the kinds' names, the lab's own by default."""
    graph = topology(lab)
    spoken = language or lab.language
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        '  graph [rankdir="TB", fontname="monospace"]',
        f'  node [shape="box", style="rounded,filled", fontname="monospace", fontcolor="{INK}"]',
        f'  edge [color="{FAINT}", fontcolor="{FAINT}", fontname="monospace"]',
    ]
    for number, stack in enumerate(dict.fromkeys(node.stack for node in graph.nodes)):
        indent = "    " if stack else "  "
        if stack:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(stack)}"]
        lines += [f"{indent}{_node(node, spoken)}" for node in graph.nodes if node.stack == stack]
        if stack:
            lines.append("  }")
    for edge in graph.edges:
        label = f", label={_quoted(edge.label)}" if edge.label else ""
        lines.append(f'  {_quoted(edge.source)} -> {_quoted(edge.target)} [style="{STYLES[edge.sort]}"{label}]')
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: Node, language: str) -> str:
    colours = COLOURS[node.family]
    label = "\\n".join(_escaped(part) for part in (word(KINDS[node.kind], language), node.name, *node.details))
    return f'{_quoted(node.id)} [label="{label}", fillcolor="{colours.ground}", color="{colours.border}"]'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
