"""The JSON of a plan: one document, the same streamed and whole, without secrets."""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from labspec.core.change import Action, Change, Plan
from labspec.report import plan_json as report
from labspec.report.plan_json import plan_chunks, plan_json


@pytest.mark.parametrize("name", ["empty", "everything", "painting"])
def test_streamed_is_the_same_document(name: str, request: pytest.FixtureRequest) -> None:
    plan: Plan = request.getfixturevalue(name)
    assert json.loads("".join(plan_chunks(plan))) == json.loads(json.dumps(plan_json(plan)))


def test_every_change_is_a_line_of_its_own(everything: Plan) -> None:
    lines = "".join(plan_chunks(everything)).splitlines()
    assert len(lines) == len(everything.changes) + 2
    assert json.loads(lines[1].rstrip(","))["address"] == "network.local"


def test_everything(everything: Plan, snapshot: SnapshotAssertion) -> None:
    assert json.dumps(plan_json(everything), indent=1) == snapshot


def test_a_secret_is_never_shown(everything: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "secret_fields", lambda _kind: frozenset({"token"}))
    fields = {"token": "hunter2", "user": "me"}
    change = Change("service.a", "service", Action.REPLACE, "x", before=fields, after=fields)
    document = plan_json(Plan("tp1", (change,)))
    assert document["changes"][0]["after"] == {"user": "me"}
    assert "hunter" not in json.dumps([document, plan_json(everything)])


def test_an_unset_side_is_absent(everything: Plan) -> None:
    diffs = {diff["path"]: diff for diff in plan_json(everything)["changes"][1]["diffs"]}
    assert "before" not in diffs["environment.LANG"]
    assert diffs["environment.LANG"]["after"] == "fr_FR.UTF-8"
    assert "after" not in diffs["labels.old"]
    assert diffs["memory"]["cause"] == "drift"
    assert diffs["token"] == {"path": "token", "cause": "spec", "settle": "update", "secret": True}
