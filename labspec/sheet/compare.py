"""Two runs of a sheet's commands compared: the same, different in what always is, or drifted.

What has an identity is held to it over the whole sheet, by type: where one run has the same process in two places, so
must the other one. The first block that breaks that is told, since the one before it cannot be told to be wrong.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from labspec.sheet.captures import Capture
from labspec.sheet.normalise import IDENTITIES, Context, Line, Token, skeleton, tokenise, tokens

SAME, VOLATILE, DRIFTED = "same", "volatile", "drifted"
_AROUND = 2
_MOST_ALIKE = 200
"""So many lines of one shape are matched with each other; more keep their order."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a block did when it was run again."""

    id: str
    state: str
    """SAME, VOLATILE (different only in what always is), or DRIFTED."""
    diff: tuple[str, ...] = ()
    """What differs: lines that begin with '-' (captured), '+' (now), ' ' (both), '!' (why)."""


class Comparison:
    """Compares block after block, and remembers what is what."""

    def __init__(self) -> None:
        self._known: defaultdict[str, _Pairs] = defaultdict(_Pairs)

    def compare(
        self, identity: str, captured: Capture, now: Capture, context: Context, *, unordered: bool = False
    ) -> Verdict:
        """Return how a block did; what a drifted one says of processes and addresses counts for no other."""
        diff: list[str] = []
        found: list[tuple[Token, Token]] = []
        sure: list[tuple[Token, Token]] = []
        if captured.exit != now.exit:
            diff.append(f"! exit code {captured.exit}, now {now.exit}")
        for name in ("stdout", "stderr"):
            before, after = (tokenise(getattr(run, name).rstrip("\n"), context) for run in (captured, now))
            unsure: set[int] = set()
            if unordered:
                before, after, unsure = self._ordered(before, after)
            if [skeleton(line) for line in before] != [skeleton(line) for line in after]:
                diff += _diff(before, after, name)
            else:
                pairs = _pairs(before, after)
                found += pairs
                sure += pairs if not unsure else _pairs(*(_without(lines, unsure) for lines in (before, after)))
        if not diff:
            diff = self._conflicts(found)
        if diff:
            return Verdict(identity, DRIFTED, tuple(diff))
        for before_token, after_token in sure:
            self._known[before_token.type].add(before_token.value, after_token.value)
        same = captured.stdout == now.stdout and captured.stderr == now.stderr
        return Verdict(identity, SAME if same else VOLATILE)

    def _conflicts(self, found: Sequence[tuple[Token, Token]]) -> list[str]:
        """Return what a block's pairs say against each other, or against the blocks before."""
        here: defaultdict[str, _Pairs] = defaultdict(_Pairs)
        said: dict[str, None] = {}
        for before, after in found:
            for pairs in (self._known[before.type], here[before.type]):
                other = pairs.against(before.value, after.value)
                if other:
                    was, is_ = other
                    said[f"! {before.type} {before.text} is {after.text} now, but {was} became {is_} elsewhere"] = None
            here[before.type].add(before.value, after.value)
        return list(said)

    def _ordered(self, before: list[Line], after: list[Line]) -> tuple[list[Line], list[Line], set[int]]:
        """Return the lines of both runs so that those that go together stand at the same place.

        The numbers are those of lines that could also go with others: what these say is no knowledge.
        """
        alike: defaultdict[str, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
        for side, lines in enumerate((before, after)):
            for line in lines:
                alike[skeleton(line)][side].append(line)
        left: list[Line] = []
        right: list[Line] = []
        unsure: set[int] = set()
        for shape in sorted(alike):
            old, new = alike[shape]
            if len(old) == len(new) > 1:
                unsure |= set(range(len(left), len(left) + len(old)))
                new = self._matched(old, new)
            left += old
            right += new
        return left, right, unsure

    def _matched(self, old: list[Line], new: list[Line]) -> list[Line]:
        """Return the new lines in the order of the old ones that they go with, those that are known to be one first."""
        if len(old) > _MOST_ALIKE:
            return new
        ranked = sorted(
            ((-self._agreement(line, other), at, to) for at, line in enumerate(old) for to, other in enumerate(new)),
        )
        found: dict[int, int] = {}
        for _, at, to in ranked:
            if at not in found and to not in found.values():
                found[at] = to
        return [new[found[at]] for at in range(len(old))]

    def _agreement(self, before: Line, after: Line) -> int:
        """Return how well two lines go together: tokens known to be the same, less those known to be others."""
        score = 0
        for one, other in _pairs([before], [after]):
            pairs = self._known[one.type]
            score += -100 if pairs.against(one.value, other.value) else pairs.forward.get(one.value) == other.value
        return score


class _Pairs:
    """What became what: one to one."""

    def __init__(self) -> None:
        self.forward: dict[str, str] = {}
        self.back: dict[str, str] = {}

    def add(self, before: str, after: str) -> None:
        """Remember a pair."""
        self.forward[before] = after
        self.back[after] = before

    def against(self, before: str, after: str) -> tuple[str, str] | None:
        """Return the pair that says something else, or None."""
        if self.forward.get(before, after) != after:
            return before, self.forward[before]
        if self.back.get(after, before) != before:
            return self.back[after], after
        return None


def _pairs(before: Sequence[Line], after: Sequence[Line]) -> list[tuple[Token, Token]]:
    """Return the identities of two runs with the same skeleton, side by side."""
    return [
        pair
        for lines in zip(before, after, strict=True)
        for pair in zip(*map(tokens, lines), strict=True)
        if pair[0].type in IDENTITIES
    ]


def _without(lines: Sequence[Line], numbers: set[int]) -> list[Line]:
    return [line for number, line in enumerate(lines) if number not in numbers]


def _diff(before: Sequence[Line], after: Sequence[Line], name: str) -> Iterator[str]:
    """Yield the lines that differ, as they are written, with some around them."""
    old, new = ([skeleton(line) for line in lines] for lines in (before, after))
    if name != "stdout":
        yield f"! {name}"
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        for action, start, end, new_start, new_end in group:
            if action == "equal":
                yield from (f"  {_written(line)}" for line in before[start:end])
                continue
            yield from (f"- {_written(line)}" for line in before[start:end])
            yield from (f"+ {_written(line)}" for line in after[new_start:new_end])


def _written(line: Line) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in line)


def states(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    """Return how many blocks did how."""
    return {state: sum(verdict.state == state for verdict in verdicts) for state in (SAME, VOLATILE, DRIFTED)}
