"""The text of a plan: all that a reviewer must see is there, and nothing in a spec can paint the terminal."""

from __future__ import annotations

import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from labspec.core.change import Action, Change, Plan
from labspec.core.diff import Cause, Diff, Settle
from labspec.report import plan as report
from labspec.report.plan import Style, plan_lines
from labspec.report.text import width

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def text(plan: Plan, shown: Style | None = None) -> str:
    return click.unstyle("\n".join(plan_lines(plan, shown or Style())))


def test_everything(everything: Plan, snapshot: SnapshotAssertion) -> None:
    assert text(everything) == snapshot


def test_everything_with_steps_and_whole_values(everything: Plan, snapshot: SnapshotAssertion) -> None:
    assert text(everything, Style(whole=True, steps=True)) == snapshot


def test_everything_on_a_narrow_terminal(everything: Plan, snapshot: SnapshotAssertion) -> None:
    assert text(everything, Style(columns=60)) == snapshot


def test_in_colour(everything: Plan, snapshot: SnapshotAssertion) -> None:
    assert list(plan_lines(everything)) == snapshot


def test_empty(empty: Plan) -> None:
    assert text(empty) == "No changes. The host matches the spec."
    assert text(empty, Style(destroy=True)) == "Nothing to destroy. The host has nothing of this lab."


def test_summary_counts_every_action(everything: Plan) -> None:
    assert text(everything).splitlines()[-1] == (
        "Plan: 1 to create, 1 to change, 1 to replace, 1 to delete, 1 to start. 5 unchanged."
    )


@pytest.mark.parametrize("shown", [Style(whole=True, steps=True), Style(60, steps=True), Style()])
def test_a_spec_cannot_paint_the_terminal(painting: Plan, shown: Style) -> None:
    for line in plan_lines(painting, shown):
        assert COLOUR.sub("", line).isprintable(), line
        line.encode()


def test_a_secret_is_never_shown(everything: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "secret_fields", lambda _kind: frozenset({"token"}))
    change = Change("service.a", "service", Action.CREATE, "not on this host", after={"token": "hunter2", "user": "me"})
    shown = text(Plan("tp1", (change,)), Style(whole=True))
    assert "token: (secret)" in shown
    assert "hunter2" not in shown
    assert "hunter" not in text(everything, Style(whole=True, steps=True))


def test_allowed_dangers_ask_for_nothing_more(everything: Plan) -> None:
    assert "unless you say: --allow socket\n" in text(everything, Style(allow=frozenset({"privileged"})))
    assert "--allow" not in text(everything, Style(allow=frozenset({"privileged", "socket"})))


@given(st.text(min_size=80), st.text(min_size=80), st.integers(40, 160))
def test_two_long_values_that_differ_never_look_the_same(before: str, after: str, columns: int) -> None:
    if before == after:
        return
    diff = Diff("command", before, after, Cause.SPEC, Settle.REPLACE)
    plan = Plan("tp1", (Change("service.a", "service", Action.REPLACE, "x", diffs=(diff,)),))
    lines = text(plan, Style(columns)).splitlines()
    at = next(index for index, line in enumerate(lines) if "~ command:" in line)
    left, _, right = lines[at].partition("~ command:")[2].partition("  (spec")[0].strip().rpartition(" -> ")
    if left or right:
        assert left.strip() != right.strip()
        return
    below = [line.strip() for line in lines[at + 1 : -2]]
    assert [line[2:] for line in below if line[0] == "-"] != [line[2:] for line in below if line[0] == "+"]


@given(st.text(min_size=200), st.integers(40, 160))
def test_a_new_objects_lines_fit_the_terminal(value: str, columns: int) -> None:
    change = Change("service.a", "service", Action.CREATE, "not on this host", after={"user": value})
    for line in text(Plan("tp1", (change,)), Style(columns)).splitlines()[3:4]:
        assert width(line) <= columns
