"""What counts as a difference, and why it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from labspec.core.diff import UNSET, Cause, Field, Settle, compare, digests
from labspec.core.resource import Observed

SIZE = Field("size", Settle.UPDATE, default=0)
NAME = Field("name")
TAGS = Field("tags", default={}, keyed=True)
BLIND = Field("blind", live=False)


def seen(state: Mapping[str, Any], applied: Mapping[str, Any] = {}, defaults: Mapping[str, Any] = {}) -> Observed:
    """Return an object with a state, made from a spec that asked for `applied`."""
    return Observed("x.a", "x", "id", "a", state, digests(applied), defaults)


CASES: dict[str, tuple[Field, dict[str, Any], Observed, list[tuple[str, Any, Any, Cause]]]] = {
    "as asked": (SIZE, {"size": 3}, seen({"size": 3}, {"size": 3}), []),
    "asked anew": (SIZE, {"size": 4}, seen({"size": 3}, {"size": 3}), [("size", 3, 4, Cause.SPEC)]),
    "changed by hand": (SIZE, {"size": 3}, seen({"size": 9}, {"size": 3}), [("size", 9, 3, Cause.DRIFT)]),
    "dropped": (SIZE, {}, seen({"size": 3}, {"size": 3}), [("size", 3, 0, Cause.DROPPED)]),
    "never asked, at its default": (SIZE, {}, seen({"size": 0}), []),
    "never asked, changed by hand": (SIZE, {}, seen({"size": 1}), [("size", 1, 0, Cause.DRIFT)]),
    "no known default": (NAME, {}, seen({"name": "x"}), []),
    "no known default, dropped": (NAME, {}, seen({"name": "x"}, {"name": "x"}), [("name", "x", UNSET, Cause.DROPPED)]),
    "the object's own default": (NAME, {}, seen({"name": "x"}, {}, {"name": "x"}), []),
    "not the object's own default": (
        NAME,
        {},
        seen({"name": "x"}, {}, {"name": "y"}),
        [("name", "x", "y", Cause.DRIFT)],
    ),
    "one key": (
        TAGS,
        {"tags": {"a": "1", "b": "2"}},
        seen({"tags": {"a": "1", "b": "3", "c": "4"}}, {"tags": {"a": "1", "b": "3", "c": "4"}}),
        [("tags.b", "3", "2", Cause.SPEC), ("tags.c", "4", UNSET, Cause.SPEC)],
    ),
    "blind, as recorded": (BLIND, {"blind": [1]}, seen({}, {"blind": [1]}), []),
    "blind, changed": (BLIND, {"blind": [2]}, seen({}, {"blind": [1]}), [("blind", ..., [2], Cause.SPEC)]),
    "blind, dropped": (BLIND, {}, seen({}, {"blind": [1]}), [("blind", ..., UNSET, Cause.DROPPED)]),
}


@pytest.mark.parametrize("case", CASES)
def test_compare(case: str) -> None:
    field, desired, observed, expected = CASES[case]
    found = [(diff.path, diff.before, diff.after, diff.cause) for diff in compare([field], desired, observed)]
    assert [(path, after, cause) for path, _, after, cause in found] == [(p, a, c) for p, _, a, c in expected]
    for (_, before, _, _), (_, wanted, _, _) in zip(found, expected, strict=True):
        assert wanted is ... or before == wanted


def test_a_folded_value_stands_for_the_whole() -> None:
    observed = seen({"tags": {"from": "image", "a": "1"}}, {"tags": {"a": "1"}})
    assert compare([TAGS], {"tags": {"a": "1"}}, observed, {"tags": {"from": "image", "a": "1"}}) == ()
    diffs = compare([TAGS], {"tags": {"a": "2"}}, observed, {"tags": {"from": "image", "a": "2"}})
    assert [(diff.path, diff.cause) for diff in diffs] == [("tags.a", Cause.SPEC)]


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digests({"a": {"x": 1, "y": 2}}) == digests({"a": {"y": 2, "x": 1}})
