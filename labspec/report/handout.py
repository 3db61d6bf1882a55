"""What came of verifying a sheet, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from labspec.report.text import count, printable
from labspec.sheet.compare import DRIFTED, SAME, VOLATILE, Verdict, states
from labspec.sheet.sheet import Block

FORMAT: Final = 1
_COLOURS: Final = {SAME: "green", VOLATILE: "green", DRIFTED: "red"}
_LINE_COLOURS: Final = {"-": "red", "+": "green", "!": "yellow"}


def verdict_lines(found: Sequence[tuple[Block, Verdict]], commands: Sequence[str]) -> Iterator[str]:
    """Yield a line for each block, with what differs below those that drifted, and the sum of them."""
    for (block, verdict), command in zip(found, commands, strict=True):
        state = click.style(f"{verdict.state:8}", fg=_COLOURS[verdict.state])
        yield f"{state}  {printable(command)}"
        if verdict.state == DRIFTED:
            yield f"{'':10}{block.at or block.id}"
            for line in verdict.diff:
                yield click.style(f"{'':10}{printable(line)}", fg=_LINE_COLOURS.get(line[:1]))
    numbers = states([verdict for _, verdict in found])
    told = ", ".join(f"{number} {state}" for state, number in numbers.items())
    yield f"\n{count(len(found), 'block')}: {told}."


def verdicts_json(found: Sequence[tuple[Block, Verdict]], commands: Sequence[str]) -> dict[str, Any]:
    """Return the same as JSON."""
    blocks = []
    for (block, verdict), command in zip(found, commands, strict=True):
        place = {"file": block.at.file, "line": block.at.line} if block.at else {}
        blocks.append({"id": block.id, "command": command, "state": verdict.state, "diff": list(verdict.diff), **place})
    return {"format": FORMAT, **states([verdict for _, verdict in found]), "blocks": blocks}
