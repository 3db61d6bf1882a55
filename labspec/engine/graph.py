"""Putting the steps of a plan in order: what waits for what, as a graph that may run in parallel."""

from __future__ import annotations

from collections.abc import Sequence

from labspec.core.change import Action, Change, Node, Step
from labspec.core.resource import Lab
from labspec.kinds import REGISTRY


def arrange(changes: Sequence[Change], lab: Lab) -> tuple[Node, ...]:
    """Return the nodes of a plan, each behind those that it waits for.

    Preparations come first, all of them. Things are made after what they need. A thing that is removed goes after
    those that used it; what left the spec goes before new containers are made, since it may hold their names and
    ports, except what containers may still be using, which goes last.
    """
    builder = _Builder()
    by_address = {change.address: change for change in changes}
    needs = {resource.address: resource.needs for resource in lab.resources}
    rank = {kind.name: index for index, kind in enumerate(REGISTRY)}
    top = max((rank[change.kind] for change in changes), default=0)

    for change in changes:
        for step in change.prepare:
            builder.add(step, change.address, ())
    ready = builder.join()

    users: dict[str, list[str]] = {}
    for address in by_address:
        for need in needs.get(address, ()):
            users.setdefault(need, []).append(address)

    removed: dict[str, tuple[int, ...]] = {}

    def remove(change: Change) -> tuple[int, ...]:
        if change.address not in removed:
            removed[change.address] = ()
            before = [index for user in users.get(change.address, ()) for index in remove(by_address[user])]
            removed[change.address] = builder.chain(change.remove, change.address, (*ready, *before))
        return removed[change.address]

    for change in changes:
        if change.action is not Action.DELETE or rank[change.kind] == top:
            remove(change)
    leaving = [change for change in changes if change.action is Action.DELETE]
    cleared = builder.join(index for change in leaving for index in removed.get(change.address, ()))

    made: dict[str, tuple[int, ...]] = {}
    for change in changes:
        if change.action is Action.DELETE:
            continue
        before = [index for need in needs.get(change.address, ()) for index in made.get(need, ())]
        gate = cleared if rank[change.kind] == top else ready
        made[change.address] = builder.chain(change.make, change.address, (*gate, *removed[change.address], *before))

    done = builder.join(index for ends in (*made.values(), *removed.values()) for index in ends)
    for kind in sorted({change.kind for change in leaving}, key=lambda kind: -rank[kind]):
        if rank[kind] == top:
            continue
        ends = [builder.chain(change.remove, change.address, done) for change in leaving if change.kind == kind]
        done = builder.join(index for end in (*ends, done) for index in end)
    return tuple(builder.nodes)


class _Builder:
    """The nodes so far. Equal steps are one node, waiting for all that any of them waits for."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._index: dict[Step, int] = {}

    def add(self, step: Step, address: str, after: Sequence[int]) -> int:
        """Return the index of the step's node."""
        index = self._index.get(step)
        if index is None:
            index = self._index[step] = len(self.nodes)
            self.nodes.append(Node(step, address, tuple(sorted(set(after)))))
        return index

    def chain(self, steps: Sequence[Step], address: str, after: Sequence[int]) -> tuple[int, ...]:
        """Add steps one behind the other; return what waits for them must wait for."""
        ends = tuple(sorted(set(after)))
        for step in steps:
            ends = (self.add(step, address, ends),)
        return ends

    def join(self, ends: object = None) -> tuple[int, ...]:
        """Return one index that stands for many, so that the graph stays linear in size."""
        indexes = sorted(set(ends)) if ends is not None else list(range(len(self.nodes)))  # type: ignore[call-overload]
        if len(indexes) < 2:
            return tuple(indexes)
        self.nodes.append(Node(None, "", tuple(indexes)))
        return (len(self.nodes) - 1,)
