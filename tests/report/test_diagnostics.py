"""Mistakes as text: the caret stands under the mistake whatever the line is made of."""

from __future__ import annotations

import click
import pytest

from labspec.core.diagnostic import Diagnostic, Position
from labspec.report.diagnostics import SHOWN, diagnostic_lines, diagnostics_json, diagnostics_lines
from labspec.report.text import width


def plain(diagnostic: Diagnostic) -> list[str]:
    return [click.unstyle(line) for line in diagnostic_lines(diagnostic)]


def test_place_source_caret_and_hint() -> None:
    found = Diagnostic("unknown key 'prots'", Position("lab.yaml", 12, 5), "did you mean 'ports'?", "    prots: [80]")
    assert plain(found) == [
        "lab.yaml:12:5: error: unknown key 'prots'",
        "   12 |     prots: [80]",
        "      |     ^",
        "      = did you mean 'ports'?",
    ]


def test_nowhere_in_a_file() -> None:
    assert plain(Diagnostic("no Docker engine", hint="start it")) == ["error: no Docker engine", "      = start it"]


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("\tprots: 1", 2),
        ("日本語: x", 6),
        ("\x1b[31mred: x", 9),
        ("e\u0301te\u0301: x", 8),
        ("a" * 5000 + "X" + "b" * 5000, 5001),
        ("x" * 400 + "X", 401),
        ("X" + "y" * 400, 1),
    ],
)
def test_the_caret_stands_under_the_mistake(source: str, column: int) -> None:
    _, line, caret = plain(Diagnostic("wrong", Position("lab.yaml", 1, column), None, source))
    at = caret.index("^")
    marked = source[column - 1]
    before = 0
    for char in line:
        if before == at:
            assert char == marked
            break
        before += width(char)
    else:
        pytest.fail(f"nothing stands above the caret: {line!r}")
    assert width(line) < 140


def test_a_mistake_cannot_paint_the_terminal() -> None:
    bad = "\x1b[2J\u202e\x9b"
    for line in plain(Diagnostic(bad, Position(bad, 1, 3), bad, bad)):
        assert line.isprintable()


def test_several_are_counted_and_very_many_cut() -> None:
    one = Diagnostic("wrong")
    assert len(list(diagnostics_lines([one]))) == 1
    assert list(diagnostics_lines([one] * 3))[-1] == "3 errors"
    lines = list(diagnostics_lines([one] * (SHOWN + 5)))
    assert lines[-2:] == ["... and 5 more", f"{SHOWN + 5} errors"]
    assert len(lines) == SHOWN + 2


def test_json() -> None:
    found = Diagnostic("wrong", Position("lab.yaml", 1, 2), "try", "abc")
    assert diagnostics_json([found, Diagnostic("no engine")]) == {
        "format": 1,
        "diagnostics": [
            {"message": "wrong", "file": "lab.yaml", "line": 1, "column": 2, "source": "abc", "hint": "try"},
            {"message": "no engine"},
        ],
    }
