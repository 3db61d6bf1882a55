"""Words for a terminal: printable, measured, shortened."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labspec.report.text import count, pad, printable, seconds, shorten, shorten_pair, show, show_size, table, width


@given(st.text(st.characters()))
def test_printable_leaves_only_visible_characters(text: str) -> None:
    assert printable(text).isprintable()
    assert text.isprintable() == (printable(text) == text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\u202egnp", "\\u202egnp"),
        ("\x9b", "\\x9b"),
        ("\x00", "\\x00"),
        ("l'été \u2713", "l'été \u2713"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x), max_leaves=9))
def test_show_is_one_printable_line(value: object) -> None:
    assert show(value).isprintable()


def test_show_quotes_strings() -> None:
    assert show("8888") == '"8888"'
    assert show(8888) == "8888"
    assert json.loads(show({"a": ["l'été", None, True]})) == {"a": ["l'été", None, True]}


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text(st.characters(categories=["L", "N", "S", "M"])), st.integers(12, 60), st.integers(0, 30))
def test_shorten_fits(text: str, columns: int, start: int) -> None:
    assert width(shorten(text, columns, start)) <= max(columns, 12)


def test_shorten_says_that_something_is_left_out() -> None:
    assert shorten("abcdefghijklmnop", 12) == "abcdefghi..."
    assert shorten("abcdefghijkl", 12) == "abcdefghijkl"
    assert shorten("a" * 500, None) == "a" * 500


def test_shorten_pair_shows_where_they_part() -> None:
    left, right = shorten_pair("a" * 300 + "X" + "b" * 300, "a" * 300 + "Y" + "b" * 300, 30)
    assert "X" in left
    assert "Y" in right
    assert left.startswith("...")
    assert right.endswith("...")


def test_table_lines_up() -> None:
    assert table([("日本", "b"), ("a", "c"), ("ccccc", "")]) == ["日本   b", "a      c", "ccccc"]
    assert table([]) == []


def test_words() -> None:
    assert [count(1, "volume"), count(2, "volume"), count(0, "entry")] == ["1 volume", "2 volumes", "0 entries"]
    assert [seconds(0.04), seconds(9.96), seconds(59.7), seconds(185)] == ["0.0 s", "10.0 s", "1 min 0 s", "3 min 5 s"]
    assert pad("日", 4) == "日  "


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (536870912, "512m"),
        (2**31, "2g"),
        (2**20 + 1024, "1025k"),
        (1000, "1000"),
        (0, "0"),
        (-1, "-1"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_a_size_is_spelt_as_docker_takes_it(value: Any, shown: str) -> None:
    assert show_size(value) == shown
