"""Whether a sheet still tells the truth: what was captured held against what its commands do now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labspec.core.resource import Lab
from labspec.engine.capture import captured_blocks
from labspec.sheet.captures import Captures
from labspec.sheet.compare import Comparison, Verdict
from labspec.sheet.normalise import Context, asks_for_processes, fixed_values
from labspec.sheet.sheet import Block, Run, Sheet


def verdicts(lab: Lab, sheet: Sheet, captured: Captures, now: Captures) -> list[tuple[Block, Verdict]]:
    """Return how each block did, in the order of the sheet; both have a capture of every one."""
    fixed = fixed_values(_words([resource.desired for resource in lab.resources]))
    comparison = Comparison()
    found: dict[str, Verdict] = {}
    # Lines in any order are matched by what the other blocks tell of them.
    for block in sorted(captured_blocks(sheet), key=_is_unordered):
        before, after = captured.blocks[block.id], now.blocks[block.id]
        context = Context(
            place=after.place,
            volatile=block.volatile if isinstance(block, Run) else (),
            about_processes=asks_for_processes(after.command),
            fixed=fixed,
        )
        found[block.id] = comparison.compare(block.id, before, after, context, unordered=_is_unordered(block))
    return [(block, found[block.id]) for block in captured_blocks(sheet)]


def _is_unordered(block: Block) -> bool:
    return isinstance(block, Run) and block.unordered


def _words(value: Any) -> Iterator[str | int]:
    """Yield every text and number in a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _words(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield value
