"""Values and positions of the parser, against those of PyYAML; bombs, and bytes that are no text."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.spec.report import Mark, Place, Places, Report, find
from labspec.spec.yamlfile import MAX_DEPTH, parse


def read(text: str | bytes) -> tuple[Any, Place | None, Report]:
    """Return what a text says, where, and what is wrong with it."""
    report = Report()
    document = parse(text if isinstance(text, bytes) else text.encode(), "lab.yaml", report)
    return (None, None, report) if document is None else (*document, report)


def told(text: str | bytes) -> list[str]:
    """Return "LINE:COLUMN: MESSAGE" of all mistakes in a text."""
    return [f"{found.at}: {found.message}".removeprefix("lab.yaml:") for found in read(text)[2].diagnostics]


def test_values() -> None:
    value, _, report = read(
        "a: no\nb: 0777\n'c': \"12\"\nd: !!str 12\ne: !!float 1\nf: ! 12\ng:\nh: [1, {i: ~}]\n"
        "on: |\n  text\n!!str 1: x\n"
    )
    assert report.diagnostics == ()
    expected = {"a": "no", "b": 777, "c": "12", "d": "12", "e": 1.0, "f": "12", "g": None, "h": [1, {"i": None}]}
    assert value == {**expected, "on": "text\n", "1": "x"}


def test_merges() -> None:
    value, place, report = read(
        "base: &base {a: 1, b: [2]}\nmore: &more {b: 3, c: 4}\n"
        "one: {<<: *base, a: 5}\ntwo:\n  c: 6\n  <<: [*more, *base]\nthree: {<<: {x: 1}, '<<': text}\n"
    )
    assert report.diagnostics == ()
    assert place is not None
    assert value["one"] == {"a": 5, "b": [2]}
    assert value["two"] == {"a": 1, "b": 3, "c": 6}
    assert value["three"] == {"x": 1, "<<": "text"}
    at = {
        path: str(report.position(find(place, path, key=True)))[9:]
        for path in (("one", "a"), ("one", "b"), ("two", "c"))
    }
    assert at == {("one", "a"): "3:18", ("one", "b"): "1:20", ("two", "c"): "5:3"}
    assert report.position(find(place, ("one", "b", 0))).column == 24


def test_an_alias_is_where_its_anchor_is() -> None:
    value, place, report = read("a: &x {k: v}\nb: *x\n")
    assert value["b"] is value["a"]
    assert place is not None
    assert str(report.position(find(place, ("b", "k")))) == "lab.yaml:1:11"
    assert str(report.position(find(place, ("b",), key=True))) == "lab.yaml:2:1"


def test_an_anchor_may_be_used_again() -> None:
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")[0] == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_the_nearest_place_around_a_path() -> None:
    _, place, report = read("services:\n  web:\n    ports: [80, 81]\n")
    assert place is not None

    def at(*path: str | int, key: bool = False) -> str:
        return str(report.position(find(place, path, key=key))).removeprefix("lab.yaml:")

    assert at() == "1:1"
    assert at("services", "web") == "3:5"
    assert at("services", "web", key=True) == "2:3"
    assert at("services", "web", "image") == "2:3", "what is missing is missing from 'web'"
    assert at("services", "web", "image", "x", 3) == "2:3"
    assert at("services", "web", "ports", 1) == "3:17"
    assert at("services", "web", "ports", 2) == "3:5"
    assert at("services", "web", "ports", 1, "x") == "3:17"
    assert at("nothing") == "1:1"


def test_columns_count_characters() -> None:
    assert told("é: 1\n'😀': {é: 1, é: 2}\n") == ["2:13: the key 'é' is here twice"]
    assert told("\ufeffa: 1\na: 2".encode()) == ["2:1: the key 'a' is here twice"]
    assert told("\ufeffa: *x") == ["1:4: there is no anchor &x above this alias"]
    assert told("a: 1\r\nb: *x\r\n") == ["2:4: there is no anchor &x above this alias"]
    assert told("a: 1\rb: *x") == ["2:4: there is no anchor &x above this alias"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: b\nb: caf\xe9\n", "2:7: the file is not in UTF-8"),
        ("\ufeffé: ".encode() + b"\xff", "1:4: the file is not in UTF-8"),
        ("a: b".encode("utf-16"), "1:1: the file is not in UTF-8"),
        (b"a: \xed\xa0\x80", "1:4: the file is not in UTF-8"),
        (b"a: b\0c", "1:5: control character '\\x00'"),
        (b"a: 1\nb: \x1b[2J", "2:4: control character '\\x1b'"),
        (b"a: x\x7f", "1:5: control character '\\x7f'"),
        ("a: x\x85b".encode(), "1:5: control character '\\x85'"),
        ("a: x\u2028b".encode(), "1:5: control character '\\u2028'"),
        ("a: x\ufeff".encode(), "1:5: control character '\\ufeff'"),
        (b"a:\n\tb: 1", "2:1: a tab cannot indent a line"),
        (b"a:\n  b: 1\n\tc: 1", "3:1: a tab cannot indent a line"),
        (b"\ta: 1", "1:1: a tab cannot indent a line"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, message: str) -> None:
    assert told(content) == [message]


def test_a_binary_file_is_told_with_few_words() -> None:
    assert len(told(b"a: " + b"\0" * 1000)) == 10


def test_tabs_between_words_are_fine() -> None:
    assert read("a:\t1\t# one\nb: [\t2,\t3]\n")[0] == {"a": 1, "b": [2, 3]}


def test_without_the_c_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {k: [1, 'two', ~], no: 0777}\nb:\n  <<: *x\n  c: |\n    d\n"
    with_c, place, report = read(text)
    monkeypatch.setattr("labspec.spec.yamlfile._Loader", yaml.SafeLoader)
    without, other_place, other_report = read(text)
    assert without == with_c
    assert place is not None
    assert other_place is not None
    assert marks(other_place, other_report) == marks(place, report)
    assert told("a: [1, 2\nb: 3") == ["1:4: this list lacks a ',' or its ']'"]
    assert told("a: b: c") == ["1:5: a ':' is not allowed here"]
    assert told("a: @x") == ["1:4: text cannot begin with this character"]
    assert told("a:\n\tb: 1") == ["2:1: a tab cannot indent a line"]


def doubling(count: int, text: str) -> str:
    lines = [f"a0: &a0 [{text}, {text}]"]
    lines += [f"a{step}: &a{step} [*a{step - 1}, *a{step - 1}]" for step in range(1, count)]
    return "\n".join(lines)


BOMBS = {
    "laughs": doubling(40, "x"),
    "laughs in mappings": "\n".join(
        ["a0: &a0 {x: 1}", *(f"a{step}: &a{step} {{x: *a{step - 1}, y: *a{step - 1}}}" for step in range(1, 40))]
    ),
    "merges": "\n".join(
        [
            "a0: &a0 {x0: 1}",
            *(f"a{step}: &a{step} {{<<: *a{step - 1}, x{step}: *a{step - 1}}}" for step in range(1, 40)),
        ]
    ),
    "a long text many times": f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 1000)}]",
    "a long list many times": f"a: &a [{'x, ' * 10_000}]\nb: [{', '.join(['*a'] * 100)}]",
    "aliases as keys": "a: &a x\nb: {" + ", ".join(["? *a"] * 200_000) + "}",
    "lists": "[" * 100_000,
    "closed lists": "[" * 100_000 + "]" * 100_000,
    "mappings": "{a: " * 100_000,
    "items": "- " * 100_000,
    "complex keys": "? " * 100_000,
    "keys of lists": "[? " * 50_000,
    "indented": "\n".join(f"{' ' * depth}a:" for depth in range(5000)),
    "indented items": "\n".join(f"{' ' * depth}-" for depth in range(5000)),
    "anchors": "a: " + "&a " * 100_000,
    "tags": "a: " + "!!str " * 100_000,
    "one long number": "a: " + "9" * 1_000_000,
    "one long float": "a: 1" + "0" * 400 + "e" + "9" * 400,
    "one long key": "x" * 2_000_000 + ": 1\n",
    "documents": "--- a\n" * 100_000,
    "directives": "%TAG ! x\n" * 100_000,
    "quotes": "a: " + "'" * 1_000_001,
    "recursive": "&a [" + "*a, " * 1000 + "]",
    "depth by aliases": "\n".join(
        ["a0: &a0 []", *(f"a{n}: &a{n} [[[[[[[[[[*a{n - 1}]]]]]]]]]]" for n in range(1, 60))]
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str) -> None:
    assert read(BOMBS[name])[2].diagnostics


@pytest.mark.parametrize("text", ["[" * MAX_DEPTH + "]" * MAX_DEPTH, "{a: " * MAX_DEPTH + "1" + "}" * MAX_DEPTH])
def test_the_deepest_that_is_allowed(text: str) -> None:
    assert told(text) == []
    assert [message.partition(": ")[2] for message in told(f"[{text}]")] == ["more than 100 levels of nesting"]


def test_large_files_are_no_bombs() -> None:
    value, _, report = read("".join(f"k{number}: [1, 2, {{a: b}}]\n" for number in range(50_000)))
    assert report.diagnostics == ()
    assert len(value) == 50_000


NAMES = st.text("abcé😀 _-.", min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("ab: #é😀'\"\n-", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, True, False]), st.integers(10, 90))
def test_positions_are_those_of_compose(value: Any, flow: bool | None, width: int) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=width, sort_keys=False)
    _, place, report = read(text)
    assert report.diagnostics == ()
    assert place is not None
    assert marks(place, report) == node_marks(yaml.compose(text))


def marks(place: Place, report: Report) -> Any:
    """Return all positions in the shape of the value."""

    def at(mark: Mark) -> tuple[int, int]:
        position = report.position(mark)
        return position.line, position.column

    if not isinstance(place, Places):
        return at(place)
    if place.keys is None:
        return at(place.mark), [marks(item, report) for item in place.inner]
    return at(place.mark), {at(mark): marks(place.inner[key], report) for key, mark in place.keys.items()}


def node_marks(node: Any) -> Any:
    """Return the same of the nodes that PyYAML makes."""
    at = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        return at, [node_marks(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return at, {node_marks(key): node_marks(item) for key, item in node.value}
    return at


@settings(max_examples=400, deadline=None)
@given(st.text("ab0: -[]{},?&*!|>%@#'\"\n\t~<.\\x\u00e9\U0001f600$", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    _, place, report = read(text)
    assert (place is not None) or report.diagnostics
    for found in report.diagnostics:
        assert found.at is not None
        assert found.message
        assert 1 <= found.at.line <= len(text.splitlines()) + 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    _, place, report = read(content)
    assert (place is not None) or report.diagnostics
