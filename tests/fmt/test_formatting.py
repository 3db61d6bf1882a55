"""A spec in canonical form: what changes places, what stays as it is, and that it always means the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from shuffling import shuffled

from labspec.core.diagnostic import LabError
from labspec.spec.formatting import formatted
from labspec.spec.order import whole
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

ROOT = Path(__file__).parents[2]
SPECS = sorted(
    [
        *ROOT.glob("examples/*/lab.yaml"),
        ROOT / "examples/vars-and-includes/services.yaml",
        *ROOT.glob("specs/*/lab.yaml"),
        *(path for name in ("host", "checks", "handout") for path in ROOT.glob(f"specs/*/{name}.yaml")),
        ROOT / "labspec/cli/starter/lab.yaml",
    ]
)


def fmt(text: str) -> str:
    """Return the canonical form, which is its own canonical form."""
    made = formatted(text.encode(), "lab.yaml")
    assert formatted(made, "lab.yaml") == made
    return made.decode()


def value(text: str) -> object:
    report = Report()
    document = parse(text.encode(), "lab.yaml", report)
    report.check()
    return document and document.value


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_specs_of_the_repository(path: Path) -> None:
    """They are in canonical form, and come back from any order."""
    text = path.read_text(encoding="utf-8")
    assert fmt(text) == text
    shape = whole()
    for seed in range(8):
        copy = shuffled(text, shape, seed)
        assert value(copy) == value(text)
        assert fmt(copy) == text


def test_keys() -> None:
    assert (
        fmt("services:\n  web: {init: true, image: x}\nlab: {title: A, name: a}\nlabspec: 1\n")
        == "labspec: 1\nlab: {name: a, title: A}\n\nservices:\n  web: {image: x, init: true}\n"
    )


def test_names_of_the_user_stay_in_order() -> None:
    text = (
        "labspec: 1\nlab: {name: a}\nvars: {b: 1, a: 2}\nimages:\n  z: {from: x, steps: [env: {B: 1, A: 2}]}\n"
        "  y: {from: x}\nunits:\n  u.service:\n    Service: {ExecStart: /bin/b, Environment: [B=1, A=2]}\n"
        "    Unit: {Description: x}\n"
    )
    assert fmt(text) == text


def test_comments_go_with_the_key_below() -> None:
    assert fmt(
        "# the first\nvars: {a: 1}   # beside\n\n# two\n# lines\nlab:\n  # inner\n  title: T\n  name: a\n"
        "  # at the end\nlabspec: 1\n# last\n"
    ) == (
        "labspec: 1\n\n# two\n# lines\nlab:\n  name: a\n  # inner\n  title: T\n  # at the end\n"
        "\n# the first\nvars: {a: 1}   # beside\n# last\n"
    )


def test_deeper_comments_stay_with_the_key_above() -> None:
    assert fmt("vars:\n  a: 1\n  # of a\n\n  # of all variables\n\nlabspec: 1\n") == (
        "labspec: 1\n\nvars:\n  a: 1\n  # of a\n\n  # of all variables\n"
    )
    assert fmt("services:\n  web:\n    init: true    # one\n                  # two\n    image: x\n") == (
        "services:\n  web:\n    image: x\n    init: true    # one\n                  # two\n"
    )


def test_what_editors_look_for_stays_at_the_top() -> None:
    assert fmt("# yaml-language-server: $schema=./x.json\n# about vars\nvars: {a: 1}\nlabspec: 1\n") == (
        "# yaml-language-server: $schema=./x.json\nlabspec: 1\n\n# about vars\nvars: {a: 1}\n"
    )
    assert (
        fmt("%YAML 1.2\n---\nlab: {name: a}\nlabspec: 1\n...\n") == "%YAML 1.2\n---\nlabspec: 1\nlab: {name: a}\n...\n"
    )


def test_items_of_lists() -> None:
    assert fmt(
        "services:\n  a:\n    volumes:\n      # an item\n      - target: /x   # where\n        type: tmpfs\n"
    ) == ("services:\n  a:\n    volumes:\n      # an item\n      - type: tmpfs\n        target: /x   # where\n")
    assert fmt(
        "services:\n  a:\n    volumes:\n    - target: /x\n      # what it is\n      type: tmpfs\n    - z:/z\n"
    ) == ("services:\n  a:\n    volumes:\n    # what it is\n    - type: tmpfs\n      target: /x\n    - z:/z\n")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("'plain'", '"plain"'),
        ("'it''s'", '"it\'s"'),
        ("'say \"hi\"'", "'say \"hi\"'"),
        ("'a\\d'", "'a\\d'"),
        ('"say \\"hi\\""', "'say \"hi\"'"),
        ('"it\'s \\"x\\""', '"it\'s \\"x\\""'),
        ('"\\u00e9 \\"x\\""', '"\\u00e9 \\"x\\""'),
        ('"two\n    lines"', '"two\n    lines"'),
        ("'two\n    lines'", "'two\n    lines'"),
        ("&x 'a'", '&x "a"'),
        ("!!str 'a'", '!!str "a"'),
    ],
)
def test_quotes(text: str, made: str) -> None:
    assert fmt(f"labspec: 1\nvars:\n  a: {text}\n") == f"labspec: 1\nvars:\n  a: {made}\n"
    assert value(f"a: {text}\n") == value(f"a: {made}\n")


@pytest.mark.parametrize(
    "scalar",
    [
        "no",
        "on",
        "12:30:45",
        "1_000",
        "0o17",
        "~",
        "",
        "1.0",
        "|\n    two\n    lines",
        "|-\n    two\n\n    lines",
        "|2\n      indented",
        ">-\n    folded  \n    text   ",
        "a plain text\n    of two lines",
        '"\\t\\u00e9"',
        "é ü 漢字 😀",
        "x" * 300,
        "[a, 'b', {c: d}]",
        "{z: 1, y: 2}",
        "a\tb",
        "# nothing but a comment",
    ],
)
def test_scalars_stay(scalar: str) -> None:
    text = f"vars:\n  a: {scalar}\n  b: 1\nlabspec: 1\n".replace("'b'", '"b"')
    assert fmt(text) == "labspec: 1\n\n" + text.removesuffix("labspec: 1\n").replace(": \n", ":\n")


def test_text_blocks_keep_their_lines() -> None:
    text = "vars:\n  a: |+\n    one\n\n\nlabspec: 1\n"
    assert fmt(text) == "labspec: 1\n\nvars:\n  a: |+\n    one\n\n\n"
    assert value(fmt(text)) == value(text)
    open_end = "vars: {}\nlabspec: 1\nlab:\n  name: a\n  description: |\n    no line end"
    assert value(fmt(open_end)) == value(open_end)


def test_line_ends_and_bom() -> None:
    text = "\ufeffvars: {a: 1}   \r\n\r\nlab: {name: a}\r\nlabspec: 1"
    assert formatted(text.encode(), "x") == "\ufefflabspec: 1\r\n\r\nlab: {name: a}\r\nvars: {a: 1}\r\n".encode()


def test_blanks_at_the_ends() -> None:
    assert fmt("\n\nlabspec: 1   \nlab: {name: a}  # x  \n\n\n") == "labspec: 1\nlab: {name: a}  # x\n"
    assert fmt("") == ""
    assert fmt("# only a comment\n") == "# only a comment\n"


def test_anchors_stay_above_their_aliases() -> None:
    text = "stacks: {a: {services: {x: &x {image: i}}}}\nservices: {x: *x}\nlabspec: 1\n"
    assert fmt(text) == text
    assert fmt("services: {x: &x {image: i}, y: *x}\nlabspec: 1\n") == (
        "labspec: 1\nservices: {x: &x {image: i}, y: *x}\n"
    )
    assert fmt("vars: {a: &x {}}\nservices:\n  x:\n    init: true\n    <<: *x\n") == (
        "vars: {a: &x {}}\nservices:\n  x:\n    <<: *x\n    init: true\n"
    )


def test_flow_over_several_lines() -> None:
    assert fmt("lab: {\n  title: T,\n  name: a\n}\n") == "lab: {\n  name: a,\n  title: T\n}\n"
    commented = "lab: {\n  title: T,  # the title\n  name: a\n}\n"
    assert fmt(commented) == commented


def test_unknown_keys_come_last() -> None:
    assert fmt("services:\n  a: {x-b: 1, x-a: 2, image: i}\n") == "services:\n  a: {image: i, x-b: 1, x-a: 2}\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document begins here"),
        ("a: [1\n", (1, 4), "this list lacks a ',' or its ']'"),
        ("a: 1\na: 2\n", (2, 1), "the key 'a' is here twice"),
        ("a: \x07\n", (1, 4), "control character '\\x07'"),
        ("\ta: 1\n", (1, 1), "a tab cannot indent a line"),
    ],
)
def test_refusals(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(LabError) as refused:
        formatted(text.encode(), "lab.yaml")
    first = refused.value.diagnostics[0]
    assert first.at is not None
    assert ((first.at.line, first.at.column), first.message) == (place, message)
