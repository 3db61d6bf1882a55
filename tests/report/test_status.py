"""The table of a lab's objects."""

from __future__ import annotations

from dataclasses import dataclass

import click

from labspec.report.status import status_json, status_lines


@dataclass(frozen=True)
class Row:
    """What the report needs of the engine's rows."""

    address: str
    kind: str
    state: str
    detail: str = ""
    id: str = ""


ROWS = (
    Row("image.ok", "image", "ok", "", "sha256:0123456789abcdef"),
    Row("service.web", "service", "drifted", "memory", "0123456789abcdef"),
    Row("volume.missing", "volume", "missing"),
)


def test_columns_line_up() -> None:
    assert [click.unstyle(line) for line in status_lines("tp1", ROWS)] == [
        "ADDRESS         STATE    ID            DETAIL",
        "image.ok        ok       0123456789ab",
        "service.web     drifted  0123456789ab  memory",
        "volume.missing  missing  -",
        "",
        "Lab tp1: 1 ok, 1 drifted, 1 missing.",
    ]


def test_the_state_is_coloured_and_not_the_address() -> None:
    lines = list(status_lines("tp1", ROWS))
    assert lines[1] == f"image.ok        {click.style('ok', fg='green')}       0123456789ab"
    assert lines[3] == f"volume.missing  {click.style('missing', fg='red')}  -"


def test_no_objects() -> None:
    assert list(status_lines("tp1", [])) == ["Lab tp1 has no objects, neither in its spec nor on this host."]


def test_a_detail_cannot_paint_the_terminal() -> None:
    for line in status_lines("tp1", [Row("service.a", "service", "drifted", "\x1b[2J\u202e", "\x1b")]):
        assert click.unstyle(line).isprintable()


def test_json() -> None:
    document = status_json("tp1", ROWS)
    assert document["ok"] is False
    assert status_json("tp1", ROWS[:1])["ok"] is True
    assert document["resources"][1] == {
        "address": "service.web",
        "kind": "service",
        "state": "drifted",
        "id": "0123456789abcdef",
        "detail": "memory",
    }
