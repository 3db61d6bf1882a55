"""Proving checks: the lab is broken in one way after another, and each check must notice one of them.

What is broken at one time is so far apart that each check depends on one of the mutations only: the one that a check
fails by is then known. From one broken state the plan leads straight to the next; the lab is whole again at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from labspec.checks.kind import RUNNING
from labspec.core.resource import Lab
from labspec.engine.checking import Check, Result, run_checks
from labspec.engine.proving_edits import Mutation
from labspec.engine.proving_mutations import candidates, closure, dependents
from labspec.engine.proving_states import Breaker, Reload, is_daemons
from labspec.host.host import Host

SETTLE_SECONDS = 2.0
"""A check that fails in a broken state is looked at again for so long: what only takes a moment proves nothing."""
WHOLE_SECONDS = 30.0
"""So long checks may take to pass on the whole lab."""
MOST_TRIES = 24
"""Broken states that are tried for one check."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one check: `state` is proven, unproven, or unsound where it fails on the whole lab."""

    check: Check
    state: str
    mutation: str = ""
    """What was broken when it failed."""
    result: Result | None = None
    """How it failed then, or on the whole lab."""
    tried: tuple[str, ...] = ()
    """What was broken without its noticing."""


def prove(
    lab: Lab,
    reload: Reload,
    host: Host,
    checks: Sequence[Check],
    tell: Callable[[str], None] = lambda _text: None,
    *,
    allow_missing: bool = False,
    left_out: Mapping[str, str] | None = None,
) -> list[Proof]:
    """Break the lab in many ways, and return a proof for each check, in their order. The lab is whole afterwards.

    Raises LabError where it cannot be made whole.
    """
    breaker = Breaker(lab, reload, host, tell, allow_missing)
    run = _Proving(lab, host, [check for check in checks if check["id"] not in (left_out or {})], breaker)
    try:
        run.on_the_whole()
        while run.batch():
            pass
    finally:
        breaker.heal()
    return [run.proofs[check["id"]] for check in checks if check["id"] in run.proofs]


@dataclass
class _Proving:
    lab: Lab
    host: Host
    checks: Sequence[Check]
    breaker: Breaker
    proofs: dict[str, Proof] = field(default_factory=dict)
    left: dict[str, list[Mutation]] = field(default_factory=dict)
    """Check -> the ways to break it that are not tried yet."""
    tried: dict[str, list[str]] = field(default_factory=dict)
    fine: dict[str, set[Mutation]] = field(default_factory=dict)
    """Check -> the ways to break it that were made for it, before what it is about is just stopped."""
    coarse: dict[str, Proof] = field(default_factory=dict)
    """Check -> a proof by which no more is known than that it fails where something does not run."""

    def on_the_whole(self) -> None:
        """See which checks pass on the whole lab, and find ways to break the others."""
        self.breaker.make_whole()
        values: dict[str, Any] = {}
        self.breaker.reload(values.update)
        for result in run_checks(self.lab, self.host, self.checks, patience=WHOLE_SECONDS):
            name = result.id
            if result.state == "ok":
                self.left[name] = candidates(result.check, self.lab, values)[:MOST_TRIES]
                self.tried[name] = []
                self.fine[name] = set(takewhile(lambda one: one.act is None or not one.act.stops, self.left[name]))
            else:
                self.proofs[name] = Proof(result.check, "unsound", result=result)

    def batch(self) -> bool:
        """Break some things at once, and see which checks notice; return whether there is more to do."""
        self._give_up()
        chosen = self._chosen()
        if not chosen:
            return False
        self.breaker.tell("; ".join(map(str, chosen)))
        done = self.breaker.break_(chosen)
        waiting = [check for check in self.checks if check["id"] in self.left]
        concerned = {check["id"]: self._concerned(check, done) for check in waiting}
        suspects = [{**check, "needs": []} for check in waiting if concerned[check["id"]]]
        failing = [one.id for one in run_checks(self.lab, self.host, suspects, patience=0.0) if one.state == "fail"]
        again = [check for check in suspects if check["id"] in failing]
        for result in run_checks(self.lab, self.host, again, patience=SETTLE_SECONDS):
            causes = concerned[result.id]
            if result.state == "fail" and len(causes) == 1:
                proof = Proof(result.check, "proven", str(causes[0]), result, tuple(self.tried[result.id]))
                self.left[result.id] = [other for other in self.left[result.id] if other != causes[0]]
                self.coarse.setdefault(result.id, proof)
                if not _only_stopped(result):
                    self._end(result.id, proof)
        for name, mutations in self.left.items():
            for mutation in concerned.get(name, ()):
                if mutation in mutations:
                    mutations.remove(mutation)
                    self.tried[name].append(str(mutation))
        self.breaker.take_back(done)
        return True

    def _end(self, name: str, proof: Proof) -> None:
        self.proofs[name] = proof
        del self.left[name]

    def _give_up(self) -> None:
        """End with checks for which nothing is left that could show more than is known."""
        for name, mutations in list(self.left.items()):
            mutations[:] = [mutation for mutation in mutations if mutation not in self.breaker.bad]
            if name in self.coarse and not any(mutation in self.fine[name] for mutation in mutations):
                self._end(name, self.coarse[name])
            elif not mutations:
                check = next(check for check in self.checks if check["id"] == name)
                self._end(name, Proof(check, "unproven", tried=tuple(self.tried[name])))

    def _chosen(self) -> list[Mutation]:
        """Return the next mutations: those that most checks wait for, as long as they keep out of each other's way."""
        wanted: dict[Mutation, int] = {}
        for mutations in self.left.values():
            wanted[mutations[0]] = wanted.get(mutations[0], 0) + 1
        chosen: list[Mutation] = []
        taken: set[str] = set()
        # What disturbs everything takes longest: others may have shown by then what it would show.
        for mutation in sorted(wanted, key=lambda one: (is_daemons(one), -wanted[one])):
            if mutation.act is not None and mutation.act.alone:
                continue
            area = self._area(mutation)
            if not chosen or (not area & taken and not self._everything(area | taken)):
                chosen.append(mutation)
                taken |= area
        if not chosen:
            return list(wanted)[:1]
        return chosen

    def _area(self, mutation: Mutation) -> set[str]:
        """Return the addresses whose checks may fail by a mutation: all that hang on what it breaks."""
        hit = dependents(mutation.address, self.lab)
        found = set(hit)
        for check in self.checks:
            if self._depends(check) & hit:
                found |= self._depends(check)
        return found

    def _depends(self, check: Check) -> set[str]:
        known = self.lab.by_address
        own = closure([address for address in check["about"] if address in known], known)
        return own | {str(mutation.address) for mutation in self.left.get(check["id"], ())[:1]}

    def _everything(self, area: set[str]) -> bool:
        return len(area) >= len(self.lab.resources)

    def _concerned(self, check: Check, done: Iterable[Mutation]) -> list[Mutation]:
        """Return the mutations that may make a check fail; of the daemon's, those that it looks at itself."""
        depends = self._depends(check)
        return [
            mutation
            for mutation in done
            if (
                mutation.address in check["about"]
                if is_daemons(mutation)
                else depends & dependents(mutation.address, self.lab)
            )
        ]


def _only_stopped(result: Result) -> bool:
    """Return whether a check failed for no other reason than that something does not run."""
    return all(finding.expected in (RUNNING, "a container") for finding in result.findings)
