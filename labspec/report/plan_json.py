"""A plan as JSON, format 1: written change by change, so that a large plan is never one string in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.change import Action, Change, Plan
from labspec.core.diff import UNSET, Diff
from labspec.report.fields import secret_fields
from labspec.report.text import without_secrets

FORMAT = 1


def plan_chunks(plan: Plan) -> Iterator[str]:
    """Yield the plan as pieces of one JSON document, one change a line; docs/json.md has its fields."""
    rest = plan_json(plan, changes=False)
    head, tail = json.dumps(rest, ensure_ascii=True).rsplit('"changes": []', 1)
    yield head + '"changes": ['
    separator = "\n"
    for change in plan.changes:
        yield separator + json.dumps(change_json(change), ensure_ascii=True)
        separator = ",\n"
    yield ("\n]" if plan.changes else "]") + tail + "\n"


def plan_json(plan: Plan, *, changes: bool = True) -> dict[str, Any]:
    """Return the plan as one JSON object; without `changes` that list is empty, and the last key."""
    return {
        "format": FORMAT,
        "lab": plan.lab,
        "empty": plan.empty,
        "fingerprint": plan.fingerprint,
        "summary": {
            **{action.word: plan.number([action]) for action in Action},
            "unchanged": plan.unchanged,
        },
        "dangers": [
            {"name": danger.name, "address": danger.address, "message": danger.message} for danger in plan.dangers
        ],
        "problems": [problem.as_json() for problem in plan.problems],
        "left_out": [missing.as_json() for missing in plan.left_out],
        "changes": [change_json(change) for change in plan.changes] if changes else [],
    }


def change_json(change: Change) -> dict[str, Any]:
    """Return one change as a JSON object, without the value of any secret field."""
    secret = secret_fields(change.kind)
    return {
        "address": change.address,
        "kind": change.kind,
        "action": change.action.word,
        "reason": change.reason,
        "before": _fields(change.before, secret),
        "after": _fields(change.after, secret),
        "diffs": [diff_json(diff) for diff in change.diffs],
        "warnings": list(change.warnings),
        "steps": [str(step) for step in change.steps],
    }


def diff_json(diff: Diff) -> dict[str, Any]:
    """Return one difference; an absent `before` or `after` is a value that is not set, or a secret one."""
    sides = {"before": diff.before, "after": diff.after}
    shown = {} if diff.secret else {side: value for side, value in sides.items() if value is not UNSET}
    return {
        "path": diff.path,
        **shown,
        "cause": diff.cause.name.lower(),
        "settle": diff.settle.name.lower(),
        "secret": diff.secret,
    }


def _fields(fields: Mapping[str, Any] | None, secret: frozenset[str]) -> dict[str, Any] | None:
    return None if fields is None else without_secrets(fields, secret)
