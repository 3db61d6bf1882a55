"""What came of an apply, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from click import style

from labspec.core.change import Action
from labspec.report.diagnostics import diagnostic_lines
from labspec.report.text import count, printable, seconds

if TYPE_CHECKING:
    from labspec.engine.executor import Outcome

FORMAT = 1
DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.START: "started",
    Action.ADOPT: "adopted",
}


def outcome_lines(outcome: Outcome, command: str) -> Iterator[str]:
    """Yield the closing lines of `command` ('apply' or 'destroy'): what was done, or how far it came and what next."""
    for address, error in outcome.failed:
        for diagnostic in error.diagnostics:
            first, *rest = diagnostic_lines(diagnostic)
            yield f"{printable(address)}: {first}"
            yield from rest
    if outcome.failed or outcome.interrupted:
        steps = f"{count(outcome.done, 'step')} done, {len(outcome.failed)} failed, {outcome.skipped} not started"
        word = "Interrupted" if outcome.interrupted else f"{command.capitalize()} failed"
        yield f"{style(f'{word}:', fg='red', bold=True)} {steps}, in {seconds(outcome.seconds)}."
        if outcome.taken_back:
            yield f"Put back as they were before it: {', '.join(map(printable, outcome.taken_back))}."
        for address, error in outcome.stuck:
            yield f"Not put back: {printable(address)}: {printable(error.diagnostics[0].message)}."
        what = "What else is done stays done" if outcome.taken_back else "What is done stays done"
        yield f"{what}: the next '{command}' goes on from there; 'labspec plan' shows what is left."
        return
    plan = outcome.plan
    parts = [f"{plan.number([action])} {word}" for action, word in DONE.items() if plan.number([action])]
    word = "Destroyed" if command == "destroy" else "Applied"
    yield f"{style(f'{word}:', fg='green', bold=True)} {', '.join(parts)}, in {seconds(outcome.seconds)}."


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return the last JSON line of an apply; docs/json.md has its fields."""
    return {
        "format": FORMAT,
        "type": "outcome",
        "applied": outcome.applied,
        "done": outcome.done,
        "failed": [
            {"address": address, "diagnostics": [diagnostic.as_json() for diagnostic in error.diagnostics]}
            for address, error in outcome.failed
        ],
        "skipped": outcome.skipped,
        "interrupted": outcome.interrupted,
        "seconds": round(outcome.seconds, 3),
        "taken_back": list(outcome.taken_back),
    }
