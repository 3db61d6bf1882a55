"""Putting a host into the broken states that a proof needs, one after another, and making the lab whole again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from labspec.core.change import Action, Plan
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.engine.proving_acts import containers
from labspec.engine.proving_edits import Edit, Mutation, edited
from labspec.host.docker import ApiError, segment
from labspec.host.host import Host

MENDINGS = 3
MENDING_SECONDS = 2.0


class _Everything(frozenset[str]):
    """Allows every danger there is: a proof runs in a sandbox."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING = _Everything()

Reload = Callable[[Callable[[dict[str, Any]], None]], Lab]
"""Returns the lab of the spec, changed by a function that is given its sections. Raises LabError."""


@dataclass
class Breaker:
    """Breaks one lab on one host."""

    lab: Lab
    reload: Reload
    host: Host
    tell: Callable[[str], None]
    allow_missing: bool = False
    bad: set[Mutation] = field(default_factory=set)
    """What could not be done."""
    _dirty: bool = False
    _replaced: set[str] = field(default_factory=set)
    """What must be made anew to be whole."""

    def make_whole(self) -> None:
        """Apply the lab as it is written. Raises LabError where that fails."""
        self._apply(self.lab, wait=True)

    def break_(self, chosen: Sequence[Mutation], *, mended: bool = False) -> list[Mutation]:
        """Break things, and return what could be done; `mended`: the lab has just been made whole for them."""
        self._dirty = True
        edits = [edit for mutation in chosen for edit in mutation.edits]
        try:
            changed = self.reload(lambda values: _without_parts(values, edits))
            # The daemon's settings may hide all that it has: what only they are about needs none of it.
            own = [mutation.address for mutation in chosen if is_daemons(mutation) and mutation.edits]
            self._apply(changed, replace=() if own else self._replaced, targets=own)
            self._replaced = self._replaced if own else set()
            done = [mutation for mutation in chosen if mutation.edits]
        except (LabError, ApiError) as error:
            if len(chosen) == 1 and not mended and self._is_valid(chosen[0]):
                # What was broken before may be in the way: something that is still unhealthy, say.
                self._mend()
                return self.break_(chosen, mended=True)
            if len(chosen) == 1:
                self.bad.add(chosen[0])
                self.tell(f"  cannot be done: {_first(error)}")
                return []
            good = [mutation for mutation in chosen if self._is_valid(mutation)]
            return self.break_(good if len(good) < len(chosen) else chosen[:1]) if good else []
        for mutation in chosen:
            if mutation.act is None:
                continue
            try:
                mutation.act.do(self.lab, self.host)
                done.append(mutation)
            except (LabError, ApiError, OSError) as error:
                self.bad.add(mutation)
                self.tell(f"  cannot be done: {_first(error)}")
        return done

    def _mend(self) -> None:
        """Make the lab whole, as far as that goes: what is unhealthy gets some time to be well again."""
        for _ in range(MENDINGS):
            try:
                self._apply(self.lab, wait=True)
            except (LabError, ApiError):
                time.sleep(MENDING_SECONDS)
            else:
                return

    def _is_valid(self, mutation: Mutation) -> bool:
        """Return whether the spec is still one after the edits of a mutation; one that is not is not tried again."""
        try:
            self.reload(lambda values: _without_parts(values, mutation.edits))
        except LabError:
            self.bad.add(mutation)
            return False
        return True

    def take_back(self, done: Iterable[Mutation]) -> None:
        """Take back what is not taken back by applying the lab."""
        for mutation in done:
            if mutation.act is not None:
                mutation.act.undo(self.lab, self.host)
                if mutation.act.replaces:
                    self._replaced.add(mutation.act.replaces)

    def _apply(self, lab: Lab, *, wait: bool = False, replace: Iterable[str] = (), targets: Sequence[str] = ()) -> None:
        anew = [address for address in replace if address in lab.by_address]
        if not targets:
            self._kill_what_goes(workflow.make_plan(lab, self.host, replace=anew, allow_missing=self.allow_missing))
        outcome = workflow.apply(
            lab,
            self.host,
            targets=targets,
            replace=anew,
            allow=EVERYTHING,
            wait=wait,
            allow_missing=self.allow_missing,
        )
        for address, error in outcome.failed:
            raise LabError(f"{address}: {error.diagnostics[0].message}", hint=error.diagnostics[0].hint)

    def _kill_what_goes(self, plan: Plan) -> None:
        """Kill containers that are about to be removed: they might take ten seconds each to end by themselves."""
        going = [
            change.address
            for change in plan.changes
            if change.kind == "service" and change.action in (Action.REPLACE, Action.DELETE)
        ]
        for address in going:
            for identity in containers(address, self.lab, self.host, running=True):
                with suppress(ApiError):
                    self.host.docker.post(f"/containers/{segment(identity)}/kill")

    def heal(self) -> None:
        """Make the lab whole after all that was broken. Raises LabError where that fails."""
        if self._dirty:
            self.tell("the lab is made whole")
            self._mend()
            self._apply(self.lab, wait=True, replace=self._replaced)


def is_daemons(mutation: Mutation) -> bool:
    """Return whether the daemon itself is broken, and so everything that it runs."""
    return mutation.address.startswith("daemon.")


def _without_parts(values: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Edit a spec, and take its checks and sheet away: they name what may not be there now."""
    for part in ("checks", "handout"):
        values.pop(part, None)
    edited(values, edits)


def _first(error: Exception) -> str:
    return error.diagnostics[0].message if isinstance(error, LabError) else str(error)
