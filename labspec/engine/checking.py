"""Running the checks of a lab: in rounds, all that are due at once, until each is true or its time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from labspec.checks.kind import Finding, NotThereError
from labspec.checks.kinds import kind
from labspec.checks.kinds.unit import RUNS, unit_name
from labspec.checks.view import View
from labspec.core.diagnostic import Diagnostic, LabError, did_you_mean
from labspec.core.resource import Lab
from labspec.host.docker import ApiError
from labspec.host.host import Host
from labspec.kinds import lives

WORKERS = 16
"""Checks that look at once: most of them wait for somebody's answer."""
PERMISSION = "host-commands"
"""What `--allow` takes for checks that run programs of the lab's on this host."""

Check = Mapping[str, Any]
"""A check as labspec.checks.meaning has read it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check: `state` is ok, fail, error (it could not be looked at) or skip."""

    check: Check
    state: str
    findings: tuple[Finding, ...] = ()
    message: str = ""
    """Why it was skipped, or could not be looked at."""
    hint: str = ""
    seconds: float = 0.0
    looks: int = 0

    @property
    def id(self) -> str:
        """The check's name."""
        return str(self.check["id"])


def checks_of(lab: Lab, audience: str | None = None, only: Sequence[str] = ()) -> list[Check]:
    """Return the checks that somebody sees (None: all), or those of some names among them.

    Raises LabError for a name that is not there.
    """
    found = [check for check in lab.parts.get("checks") or () if audience is None or audience in check["audience"]]
    known = {check["id"] for check in found}
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known) or "'labspec check --list' names them"
            raise LabError(f"--only {name}: the lab has no such check", hint=hint)
    return [check for check in found if not only or check["id"] in only]


def refuse_dangers(checks: Sequence[Check], allow: frozenset[str]) -> None:
    """Raise LabError where a check does more to this host than looking, and the user has not allowed it."""
    if PERMISSION in allow:
        return
    said = [(check["id"], kind(check["kind"]).danger(check["what"])) for check in checks]
    refused = [Diagnostic(f"check '{name}' {what} on this host ({PERMISSION})") for name, what in said if what]
    if refused:
        hint = f"if you trust this lab, add --allow {PERMISSION}"
        raise LabError([*refused[:-1], refused[-1]._replace(hint=hint)])


def run_checks(
    lab: Lab,
    host: Host,
    checks: Sequence[Check],
    on_result: Callable[[Result], None] = lambda _result: None,
    *,
    patience: float | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> list[Result]:
    """Run checks and return their results in the same order.

    `patience` stands for the time of each to become true; `left_out` are those to skip, with why.
    """
    run = _Run(lab, host, checks, on_result, patience)
    run.leave_out(left_out)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="check") as pool:
        while run.left:
            run.round(pool)
    return [run.results[check["id"]] for check in checks]


def passed(results: Sequence[Result]) -> bool:
    """Return whether nothing failed; what was skipped for want of a check that failed is told by that one."""
    return all(result.state in ("ok", "skip") for result in results)


def without_program(lab: Lab, host: Host, checks: Sequence[Check]) -> dict[str, str]:
    """Return id -> what the host lacks, for checks of objects that it cannot have."""
    by_address = lab.by_address
    lacking: dict[str, str] = {}
    for live in lives():
        missing = getattr(live, "missing", None)
        used = missing is not None and any(resource.kind == live.kind for resource in lab.resources)
        found = missing(host) if missing is not None and used else None
        if found is not None:
            lacking[live.kind] = found.message
    return {
        check["id"]: lacking[by_address[address].kind]
        for check in checks
        for address in check["about"]
        if by_address[address].kind in lacking
    }


@dataclass
class _Waiting:
    """A check that has no result yet."""

    check: Check
    looks: int = 0
    started: float = 0.0
    due: float = 0.0


@dataclass
class _Run:
    lab: Lab
    host: Host
    checks: Sequence[Check]
    on_result: Callable[[Result], None]
    patience: float | None
    left: dict[str, _Waiting] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = {check["id"]: _Waiting(check) for check in self.checks}

    def leave_out(self, checks: Mapping[str, str]) -> None:
        """Skip checks."""
        for name, why in checks.items():
            self._end(Result(self.left[name].check, "skip", message=why))

    def round(self, pool: ThreadPoolExecutor) -> None:
        """Look at every check that is due, each thing of the host read once."""
        self._skip()
        ready = [waiting for waiting in self.left.values() if not self._blocked(waiting.check)]
        if not ready:
            return
        now = time.monotonic()
        soonest = min(waiting.due for waiting in ready)
        if soonest > now:
            time.sleep(soonest - now)
            now = time.monotonic()
        due = [waiting for waiting in ready if waiting.due <= now]
        looking = [waiting.check for waiting in due]
        addresses = {address for check in looking for address in check["about"]}
        view = View(self.lab, self.host, addresses, _units(looking))
        for waiting, result in zip(due, pool.map(lambda one: _look(one.check, view), due), strict=True):
            waiting.looks += 1
            waiting.started = waiting.started or now
            self._settle(waiting, replace(result, looks=waiting.looks))

    def _settle(self, waiting: _Waiting, result: Result) -> None:
        check = waiting.check
        patience = check["for"] if self.patience is None else self.patience
        now = time.monotonic()
        if result.state != "ok" and now + check["every"] <= waiting.started + patience:
            waiting.due = now + check["every"]
            return
        self._end(replace(result, seconds=now - waiting.started))

    def _end(self, result: Result) -> None:
        self.results[result.id] = result
        del self.left[result.id]
        self.on_result(result)

    def _blocked(self, check: Check) -> bool:
        return any(need in self.left for need in check["needs"])

    def _skip(self) -> None:
        """Give up checks for which one that they need has not passed."""
        again = True
        while again:
            again = False
            for waiting in list(self.left.values()):
                needs = waiting.check["needs"]
                bad = [need for need in needs if need in self.results and self.results[need].state != "ok"]
                if bad:
                    again = True
                    self._end(Result(waiting.check, "skip", message=f"needs {', '.join(bad)}"))


def _look(check: Check, view: View) -> Result:
    view.timeout = check["timeout"]
    try:
        findings = tuple(kind(check["kind"]).look(check["what"], view))
    except NotThereError as error:
        findings = (error.finding,)
    except LabError as error:
        told = error.diagnostics[0]
        return Result(check, "error", message=told.message, hint=told.hint or "")
    except ApiError as error:
        return Result(check, "error", message=f"the Docker engine refused: {error.message}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Result(check, "error", message=f"{where}{error.strerror or error}")
    except Exception as error:
        return Result(check, "error", message=f"internal error: {type(error).__name__}: {error}")
    return Result(check, "fail" if findings else "ok", findings)


def _units(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Return unit -> properties that checks ask for."""
    found: dict[str, list[str]] = {}
    for check in checks:
        if check["kind"] == "unit":
            found.setdefault(unit_name(check["what"]["name"]), []).extend(check["what"].get("properties", RUNS))
    return found
