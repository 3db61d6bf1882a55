"""The graph in its three languages: complete, well formed, and nothing of a lab's text is markup in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from labspec.core.resource import Lab, Resource
from labspec.kinds import REGISTRY
from labspec.outputs.graph import dot, mermaid, svg
from labspec.outputs.graph.arrange import PAD, WIDE, arranged, columns, wrapped
from labspec.outputs.graph.colours import COLOURS, DARK_FAINT, DARK_INK, DARK_PAPER, FAINT, INK, PAPER
from labspec.outputs.graph.topology import ORDER, SHARES, USES, topology
from labspec.outputs.graph.words import EDGES, FAMILIES, KINDS, TITLE, WORD_LANGUAGES, word
from labspec.outputs.handout.pictures import data_uri
from labspec.spec.loader import load

ROOT = Path(__file__).parents[3]
NASTY = '</text><script>alert(1)</script>"]; -->|%%{init}%% \\" `**x**` & ]]> #59; é 漢\u202e\x1b'
SVG = "{http://www.w3.org/2000/svg}"
UNMADE = {"image-archive"}
"""Their files are made by other tests."""
FILES = (*ROOT.glob("specs/*/lab.yaml"), *ROOT.glob("examples/*/lab.yaml"))
LABS = sorted(path.parent for path in FILES if path.parent.name not in UNMADE)

STATEMENT = re.compile(
    r"""
    flowchart\ TB
    | \s+subgraph\ s\d+\["[A-Za-z0-9\ \#;]*"\] | \s+end
    | \s+n\d+\["[A-Za-z0-9\ \#;]*(<br/>[A-Za-z0-9\ \#;]*)*"\]:::[a-z]+
    | \s+n\d+\ (-->|-\.->|==>)(\|"[A-Za-z0-9\ \#;]+"\|)?\ n\d+
    | \s+classDef\ [a-z]+\ fill:\#[0-9a-f]{6},stroke:\#[0-9a-f]{6},color:\#[0-9a-f]{6}
    """,
    re.VERBOSE,
)
"""Every line that Mermaid is given: text has letters, digits, spaces and numbered characters in it, nothing else."""
CHARACTER = re.compile(r"#\d+;|[A-Za-z0-9 ]")


def parsed(text: str) -> ElementTree.Element:
    """Return a picture that was just made here."""
    return ElementTree.fromstring(text)  # noqa: S314  our own, and without a document type


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Lab]:
    def loaded(**content: Any) -> Lab:
        (tmp_path / "lab.yaml").write_text(json.dumps({"labspec": 1, "lab": {"name": "tp"}, **content}))
        return load(tmp_path, variables={}, variable_files=[])

    return loaded


def nasty() -> Lab:
    """Return a lab whose every text is hostile, as no validated lab is."""
    service = Resource(
        f"service.{NASTY}",
        "service",
        NASTY,
        {"image": NASTY, "ports": [f"80:{NASTY}"], "mounts": [{"type": "volume", "source": "v", "target": NASTY}]},
        needs=(f"volume.{NASTY}",),
    )
    volume = Resource(f"volume.{NASTY}", "volume", "v", {"options": {"type": NASTY}})
    stack = Resource(f"stack.{NASTY}.service.x", "service", "x", {"image": "i"})
    return Lab(NASTY, "/", "/lab.yaml", (service, volume, stack), title=NASTY)


def test_references_are_edges(made: Callable[..., Lab]) -> None:
    lab = made(
        volumes={"data": {}},
        networks={"inner": {}},
        images={
            "app": {"from": "base", "steps": [{"run": "true"}]},
            "base": {"from": "x:1", "steps": [{"run": "true"}]},
        },
        services={
            "front": {"image": "app", "ports": ["8080:80", "127.0.0.1:53:53/udp"], "depends_on": ["db"]},
            "db": {"image": "redis:7", "volumes": ["data:/data", "/etc:/host:ro"], "networks": ["inner"]},
            "side": {"image": "app", "network_mode": "service:db"},
        },
    )
    found = topology(lab)
    nodes = {node.id: node for node in found.nodes}
    edges = {(edge.source, edge.target): (edge.sort, edge.label) for edge in found.edges}
    assert edges["port.service.front/8080/80", "service.front"] == (USES, "")
    assert nodes["port.service.front/127.0.0.1:53/53/udp"].details == ("→ 53/udp",)
    assert edges["service.front", "service.db"] == (ORDER, "")
    assert edges["service.db", "volume.data"] == (USES, "/data")
    assert edges["service.side", "service.db"] == (SHARES, "")
    assert edges["image.app", "image.base"] == (USES, "")
    assert ("service.db", "network.inner") in edges
    assert nodes["service.db"].details == ("redis:7", "⇄ /etc")
    assert nodes["service.front"].details == ()


def test_circles_are_cut() -> None:
    first = Resource("service.a", "service", "a", needs=("service.b",))
    second = Resource("service.b", "service", "b", needs=("service.a", "service.b"))
    lab = Lab("tp", "/", "/lab.yaml", (first, second))
    assert [(edge.source, edge.target) for edge in topology(lab).edges] == [("service.a", "service.b")]


@pytest.mark.parametrize("folder", LABS, ids=lambda path: path.name)
def test_every_lab_of_the_repository_can_be_drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABSPEC_CACHE", "off")
    lab = load(folder, variables={}, variable_files=[])
    picture = svg(lab, lab.language)
    data_uri(picture.encode(), "graph.svg")
    checked(parsed(picture), lab)
    assert all(STATEMENT.fullmatch(line) for line in mermaid(lab).splitlines())
    assert dot(lab).count(" -> ") == len(topology(lab).edges)


def checked(root: ElementTree.Element, lab: Lab) -> None:
    """Check that a picture is whole: a box for each node, texts inside, everything on the paper."""
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    named = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    assert [group.findtext(f"{SVG}title") for group in named] == [node.id for node in topology(lab).nodes]
    for group in named:
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + wide <= width - 48 + 0.2
        assert y + high <= height - 48 + 0.2
        for text in group.iter(f"{SVG}text"):
            room = columns(text.text or "") * float(text.attrib["font-size"]) * WIDE
            assert float(text.attrib["x"]) + room <= x + wide - PAD + 0.2
            assert y < float(text.attrib["y"]) < y + high - 2


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_picture_says_what_it_is(language: str, made: Callable[..., Lab]) -> None:
    lab = made(services={"web": {"image": "x:1"}}, networks={"inner": {}})
    root = parsed(svg(lab, language, "topo"))
    assert root.attrib["role"] == "img"
    ids = {element.attrib["id"]: element.text for element in root.iter() if "id" in element.attrib}
    assert root.attrib["aria-labelledby"].split() == ["topo-title", "topo-desc"]
    assert ids["topo-title"] == word(TITLE, language).format(name="tp")
    assert {"en": "service web uses network default", "fr": "service web utilise réseau default"}[language] in (
        ids["topo-desc"] or ""
    )
    assert "prefers-color-scheme:dark" in (root.findtext(f"{SVG}style") or "")


def test_hostile_text_is_text_in_every_form() -> None:
    lab = nasty()
    picture = svg(lab, "en")
    root = parsed(picture)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"),
    }
    assert "\x1b" not in picture
    assert "\u202e" not in picture
    data_uri(picture.encode(), "graph.svg")
    for line in mermaid(lab).splitlines():
        assert STATEMENT.fullmatch(line), line
        assert all(
            CHARACTER.sub("", text) == "" for part in re.findall(r'"([^"]*)"', line) for text in part.split("<br/>")
        )
    for line in dot(lab).splitlines():
        assert "script" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", line)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
@pytest.mark.parametrize(
    "lab", [nasty(), load(ROOT / "specs/tp1-b3", variables={}, variable_files=[])], ids=["nasty", "seed"]
)
def test_graphviz_takes_it(lab: Lab) -> None:
    done = subprocess.run(["dot", "-Tsvg"], input=dot(lab), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    drawn = parsed(done.stdout)
    kinds = [group.attrib.get("class") for group in drawn.iter(f"{SVG}g")]
    assert kinds.count("node") == len(topology(lab).nodes)
    assert kinds.count("edge") == len(topology(lab).edges)


def test_a_lab_with_nothing_is_a_picture_too() -> None:
    lab = Lab("tp", "/", "/lab.yaml")
    assert parsed(svg(lab, "fr")).findtext(f"{SVG}desc") == "rien"
    assert mermaid(lab) == "flowchart TB\n"
    assert dot(lab).startswith('digraph "tp" {')


def test_every_kind_has_its_word_and_colours() -> None:
    assert {kind.name for kind in REGISTRY} - {"stack"} <= set(KINDS)
    for words in (*KINDS.values(), *FAMILIES.values(), *EDGES.values()):
        assert set(words) == set(WORD_LANGUAGES)
    assert set(FAMILIES) == set(COLOURS)


def test_texts_are_readable_on_their_ground() -> None:
    pairs = [(INK, PAPER), (FAINT, PAPER), (DARK_INK, DARK_PAPER), (DARK_FAINT, DARK_PAPER)]
    for colours in COLOURS.values():
        pairs += [(ink, colours.ground) for ink in (INK, FAINT, colours.border)]
        pairs += [(ink, colours.dark_ground) for ink in (DARK_INK, DARK_FAINT, colours.dark_border)]
    assert {pair for pair in pairs if contrast(*pair) < 4.5} == set()


def contrast(one: str, other: str) -> float:
    """Return the ratio of luminances of two colours (WCAG 2)."""

    def luminance(colour: str) -> float:
        parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("text", "room", "most", "lines"),
    [
        ("short", 20, 3, ("short",)),
        ("common_server.service", 15, 3, ("common_server.", "service")),
        ("x" * 50, 20, 2, ("x" * 20, "x" * 19 + "…")),
        ("漢" * 12, 20, 2, ("漢" * 10, "漢" * 2)),
        ("", 20, 2, ()),
    ],
)
def test_names_are_broken_where_that_can_be(text: str, room: int, most: int, lines: tuple[str, ...]) -> None:
    assert wrapped(text, room, most) == lines


def test_settings_of_the_host_stand_below(made: Callable[..., Lab]) -> None:
    lab = made(services={"web": {"image": "x:1"}}, host={"groups": {"docker": {"members": ["root"]}}})
    picture = arranged(topology(lab), "en")
    assert picture.host is not None
    assert picture.boxes["group.docker"].y > picture.host > picture.boxes["service.web"].y
