"""Views as text that is safe to print."""

from __future__ import annotations

from labspec.engine.views.model import Table, View
from labspec.report.views import view_lines, view_text

IDENTITY = "a0533b853ecedce3fe4bd9bf6d2e09c760213e8948f0ca898f34ca55de69ee3e"
VIEW = View(
    "mounts",
    "tp",
    "service.web",
    "service.web: \x1b[31mred",
    (Table(("TARGET", "WHERE"), (("/a\nb", f"/docker/{IDENTITY}"), ("/\u202ec", "x" * 100)), "Files"),),
    ("word " * 30,),
    ("cat '\x07'",),
)


def test_nothing_moves_the_cursor() -> None:
    lines = view_text(VIEW)
    assert all(line.isprintable() for line in lines)
    assert lines[0] == "service.web: \\x1b[31mred"
    assert "/a\\nb" in lines[4]


def test_ids_are_short_and_lines_end() -> None:
    lines = view_text(VIEW)
    assert lines[4] == "/a\\nb     /docker/a0533b853ece..."
    assert len(lines[5]) == len("/\\u202ec  ") + 72
    assert max(map(len, view_text(VIEW, columns=60))) == 60
    assert [len(line) for line in lines if line.startswith("word")] == [99, 49]


def test_heads_stand_out() -> None:
    heads = [line for line in view_lines(VIEW, lambda text: f"<{text}>") if line.startswith("<")]
    assert [head.split()[0] for head in heads] == ["<service.web:", "<TARGET"]


def test_an_answer_is_laid_out_json() -> None:
    lines = view_text(View("api", "tp", "/x", "GET /x", answer={"é": ["\x1b"]}))
    assert lines == ["GET /x", "", "{", '  "é": [', '    "\\u001b"', "  ]", "}"]


def test_json_has_what_the_text_has() -> None:
    found = VIEW.as_json()
    assert (found["format"], found["view"], found["address"]) == (1, "mounts", "service.web")
    assert "answer" not in found
