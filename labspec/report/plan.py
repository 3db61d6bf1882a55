"""A plan as text: what would change and why, in words that a beginner can read and a reviewer can trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from click import style

from labspec.core.change import Action, Change, Plan
from labspec.report.delta import diff_lines
from labspec.report.diagnostics import diagnostic_lines
from labspec.report.empty import NO_CHANGES, NOTHING_TO_DESTROY
from labspec.report.fields import secret_fields, size_fields
from labspec.report.text import SECRET, is_block, pad, printable, printable_lines, shorten, show, show_size, width

WORDS = {
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated in place",
    Action.REPLACE: "will be replaced",
    Action.DELETE: "will be deleted",
    Action.START: "will be started",
    Action.ADOPT: "will be adopted as it is",
}
RESTORED = "will be put back as it was"
"""For what labspec changed but did not make: a deletion that leaves something."""
COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "red",
    Action.DELETE: "red",
    Action.START: "cyan",
    Action.ADOPT: "cyan",
}
INDENT = " " * 6
ITEMS_SHOWN = 12
"""Lines of one list or mapping of a new object; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Style:
    """How much of a plan is shown."""

    columns: int = 100
    """The width to fit into."""
    whole: bool = False
    """Every value is shown to its end, however long."""
    steps: bool = False
    """Below each change, the very steps that apply runs."""
    destroy: bool = False
    """The plan removes the lab."""
    allow: frozenset[str] = frozenset()
    """Dangers that the user has already allowed."""


def plan_lines(plan: Plan, shown: Style = Style()) -> Iterator[str]:
    """Yield the plan's lines, coloured by escapes; without them (click.unstyle) it is the plain text."""
    if plan.empty:
        yield NOTHING_TO_DESTROY if shown.destroy else NO_CHANGES
    else:
        name = style(plan.lab, bold=True)
        aim = f"remove lab {name} from this host" if shown.destroy else f"make this host match lab {name}"
        yield f"To {aim}, labspec plans these changes:"
        yield ""
        line = ""
        for change in plan.changes:
            for line in change_lines(change, shown):
                yield line
        if line:
            yield ""
    yield from _warnings(plan)
    yield from _dangers(plan, shown.allow)
    yield from _left_out(plan)
    yield from _problems(plan)
    if not plan.empty:
        yield summary(plan)


def change_lines(change: Change, shown: Style) -> Iterator[str]:
    """Yield the lines of one change, with an empty one behind it when it has details."""
    sign = style(pad(change.action.value, 3), fg=COLOURS[change.action], bold=True)
    address = style(printable(change.address), bold=True)
    word = RESTORED if change.action is Action.DELETE and change.after else WORDS[change.action]
    yield f"  {sign} {address} {word}: {printable(change.reason)}"
    details = list(_details(change, shown))
    yield from (INDENT + line for line in details)
    if details:
        yield ""


def summary(plan: Plan) -> str:
    """Return 'Plan: 3 to create, 1 to change, 0 to replace, 2 to delete. 5 unchanged.'"""
    parts = [
        f"{plan.number([Action.CREATE])} to create",
        f"{plan.number([Action.UPDATE])} to change",
        f"{plan.number([Action.REPLACE])} to replace",
        f"{plan.number([Action.DELETE])} to delete",
    ]
    started = plan.number([Action.START])
    if started:
        parts.append(f"{started} to start")
    adopted = plan.number([Action.ADOPT])
    if adopted:
        parts.append(f"{adopted} to adopt")
    return f"{style('Plan:', bold=True)} {', '.join(parts)}. {plan.unchanged} unchanged."


def _details(change: Change, shown: Style) -> Iterator[str]:
    if change.diffs:
        yield from diff_lines(change.diffs, size_fields(change.kind), shown.columns, whole=shown.whole)
    elif change.action is Action.CREATE and change.after:
        yield from _set_fields(change.after, change.kind, shown)
    for warning in change.warnings:
        yield f"{style('! warning:', fg='yellow')} {printable(warning)}"
    if shown.steps and change.steps:
        yield style("steps:", dim=True)
        yield from (f"  {number}. {printable(str(step))}" for number, step in enumerate(change.steps, 1))


def _set_fields(fields: Mapping[str, Any], kind: str, shown: Style) -> Iterator[str]:
    """Yield what the spec sets of a new object, one field a line, long lists and mappings one item a line."""
    label_columns = max(width(printable(name)) for name in fields) + 1
    room = max(24, shown.columns - len(INDENT) - label_columns - 1)
    for name, value in fields.items():
        label = pad(printable(name) + ":", label_columns)
        if name in secret_fields(kind):
            yield f"{label} {SECRET}"
            continue
        text = show_size(value) if name in size_fields(kind) else show(value)
        if width(text) <= room or not (isinstance(value, list | Mapping) or is_block(value)):
            yield f"{label} {text if shown.whole else shorten(text, room)}"
            continue
        yield label.rstrip()
        items = _items(value)
        for item in islice(items, None if shown.whole else ITEMS_SHOWN):
            yield f"  {item if shown.whole else shorten(item, shown.columns - len(INDENT) - 2)}"
        rest = sum(1 for _ in items)
        if rest:
            yield f"  ... {rest} more (-v shows all)"


def _items(value: str | Sequence[Any] | Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, str):
        return iter(printable_lines(value.rstrip("\n")))
    if isinstance(value, Mapping):
        return (f"{printable(str(key))}: {show(item)}" for key, item in value.items())
    return (f"- {show(item)}" for item in value)


def _warnings(plan: Plan) -> Iterator[str]:
    # Warnings stand under their change; in a long plan that is far up, so that their number is said again here.
    number = sum(len(change.warnings) for change in plan.changes)
    if number > 1:
        yield f"{style(f'{number} warnings', fg='yellow')} above."
        yield ""


def _dangers(plan: Plan, allow: frozenset[str]) -> Iterator[str]:
    if not plan.dangers:
        return
    yield style("This lab asks for more power over the host than a lab needs:", fg="red", bold=True)
    for danger in plan.dangers:
        said = printable(f"{danger.address}: {danger.message}  ({danger.name})")
        yield f"  {style('!', fg='red')} {said}"
    missing = sorted({printable(danger.name) for danger in plan.dangers} - allow)
    if missing:
        yield "  Apply refuses it unless you say: " + " ".join(f"--allow {name}" for name in missing)
    yield ""


def _left_out(plan: Plan) -> Iterator[str]:
    for missing in plan.left_out:
        yield f"{style('! left out:', fg='yellow')} {printable(missing.message)}"
    if plan.left_out:
        yield ""


def _problems(plan: Plan) -> Iterator[str]:
    for problem in plan.problems:
        yield from diagnostic_lines(problem, "in the way")
    if plan.problems:
        yield ""
