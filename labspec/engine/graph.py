"""Putting the steps of a plan in order: what waits for what, as a graph that may run in parallel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

from labspec.core.change import Action, Change, Node, Step
from labspec.core.resource import Lab
from labspec.kinds import REGISTRY

Ends = tuple[int, ...]
"""Indexes of nodes: what waits for all of them is behind all that they stand for."""


def arrange(changes: Sequence[Change], lab: Lab) -> tuple[Node, ...]:
    """Return the nodes of a plan, each behind those that it waits for.

    1. The ground that all else stands on (files, accounts, the daemon's settings), a kind behind the other.
    2. Preparations (builds, pulls). Until the last of them is done nothing that is there is touched, so that a build or
       a pull that fails leaves the lab as it was. Where all is new, what needs none of them is made meanwhile.
    3. Removals, users before what they use. What left the spec and holds names or ports goes before new such things
       are made; what containers may still be using goes last.
    4. Makings, each behind what it needs, and behind all that lets go of something in its kind: one may want the ports
       or addresses that another had. Containers behind all the networks and volumes of their compose project, which
       compose wants to see whether they are used or not.
    5. What is left over from what was replaced.
    """
    graph = _Graph()
    by_address = {change.address: change for change in changes}
    needs = {
        resource.address: [need for need in resource.needs if need in by_address]
        for resource in lab.resources
        if resource.address in by_address
    }
    sorter = TopologicalSorter(dict.fromkeys(by_address, ()))
    for address in by_address:
        sorter.add(address, *needs.get(address, ()))
    order = [by_address[address] for address in sorter.static_order()]
    ranks = {kind.name: rank for rank, kind in enumerate(REGISTRY)}
    exclusive = {kind.name for kind in REGISTRY if kind.exclusive}
    ground = {kind.name for kind in REGISTRY if kind.ground}

    late = [change for change in order if change.action is Action.DELETE and change.kind not in exclusive]
    waiting = {change.address for change in late}
    firm: Ends = ()
    made: dict[str, Ends] = {}
    for kind in REGISTRY:
        for change in order:
            if kind.ground and change.kind == kind.name and change.address not in waiting:
                before = _all([firm, *(made[need] for need in needs.get(change.address, ()) if need in made)])
                made[change.address] = graph.chain(change.steps, change.address, before)
        firm = graph.join(_all([firm, *made.values()]))

    order = [change for change in order if change.kind not in ground]
    prepared: dict[str, Ends] = {}
    for change in order:
        before = _all([firm, *(prepared[need] for need in needs.get(change.address, ()) if need in prepared)])
        prepared[change.address] = graph.chain(change.prepare, change.address, before)
    new = all(change.action is Action.CREATE for change in order)
    ready = firm if new else graph.join(_all([firm, *prepared.values()]))

    removed: dict[str, Ends] = {}
    waits: dict[str, list[Ends]] = {}
    users: Ends = ()
    backwards = list(reversed(order))
    for change in sorted(backwards, key=lambda change: change.kind not in exclusive):
        if change.address in waiting:
            continue
        if change.kind not in exclusive and not users:
            # What a container was on until now, the spec need not tell any more.
            users = graph.join(_all(removed.values()))
        own = prepared[change.address] if new else ready
        before = _all([own, users if change.remove else (), *waits.get(change.address, ())])
        ends = graph.chain(change.remove, change.address, before) if change.remove else before
        removed[change.address] = ends
        for need in () if new else needs.get(change.address, ()):
            waits.setdefault(need, []).append(ends)
    gone = (
        removed[change.address] for change in order if change.action is Action.DELETE and change.address not in waiting
    )
    cleared = graph.join(_all([ready, *gone]))

    made_anew: dict[str, list[Ends]] = {}
    for change in order:
        if change.remove and change.action is not Action.DELETE:
            made_anew.setdefault(change.kind, []).append(removed[change.address])
    vacant = {kind: graph.join(_all(ends)) for kind, ends in made_anew.items()}

    projects = {resource.address: resource.project for resource in lab.resources if resource.project}
    whole: dict[str, Ends] = {}
    parts: dict[str, list[Ends]] = {}
    for change in sorted(order, key=lambda change: change.kind in exclusive):
        if change.action is Action.DELETE:
            continue
        gates = [made[need] for need in needs.get(change.address, ())]
        gates += [removed[change.address], vacant.get(change.kind, ())]
        project = projects.get(change.address)
        if change.kind in exclusive:
            gates.append(cleared)
            if project:
                if project not in whole:
                    whole[project] = graph.join(_all(parts.get(project, ())))
                gates.append(whole[project])
        made[change.address] = graph.chain(change.make, change.address, _all(gates))
        if project:
            parts.setdefault(project, []).append(made[change.address])

    done = graph.join(_all([cleared, *made.values()]))
    for change in order:
        graph.chain(change.finish, change.address, done)
    for name in sorted({change.kind for change in late}, key=lambda name: -ranks[name]):
        of_kind = (change for change in late if change.kind == name)
        done = graph.join(_all(graph.chain(change.remove, change.address, done) for change in of_kind))
    return tuple(graph.nodes)


def _all(ends: Iterable[Ends]) -> Ends:
    return tuple(sorted({index for some in ends for index in some}))


class _Graph:
    """The nodes so far. Equal steps are one node, the first that asked for it."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._index: dict[Step, int] = {}

    def chain(self, steps: Sequence[Step], address: str, after: Ends) -> Ends:
        """Add steps one behind the other; return what waits for them must wait for."""
        ends = after
        for step in steps:
            index = self._index.get(step)
            if index is None:
                index = self._index[step] = len(self.nodes)
                self.nodes.append(Node(step, address, ends))
                ends = ()
            ends = _all([ends, (index,)])
        return ends

    def join(self, ends: Ends) -> Ends:
        """Return one index that stands for many, so that the graph stays linear in size."""
        if len(ends) < 2:
            return ends
        self.nodes.append(Node(None, "", ends))
        return (len(self.nodes) - 1,)
