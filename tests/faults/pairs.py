"""Two labspecs that change one lab at the same time: one does it, the other waits its turn or says who is at it."""

from __future__ import annotations

import re
from pathlib import Path

from asking import labelled
from killing import LABEL, LOCKED, SECONDS, Place, Trial, foreign, traced
from scenarios import Scenario

_WRITES = re.compile("(before|after) (POST|DELETE|(start|end) of docker compose)")


def pair(place: Place, scenario: Scenario, *, destroy: bool) -> Trial:
    """Start an apply and, at the same time, another or a destroy; return what was wrong after them."""
    trial = Trial(scenario, "apply and destroy" if destroy else "apply and apply", "at once", reached=True)
    place.said.clear()
    place.prepare(scenario)
    with foreign(place, trial):
        commands = [["apply", "-y"], ["destroy", "-y"] if destroy else ["apply", "-y"]]
        traces = [place.folder / f"trace-{number}" for number in range(2)]
        running = [
            place.start(*command, LABSPEC_FAULT_TRACE=str(trace))
            for command, trace in zip(commands, traces, strict=True)
        ]
        done = [process.wait(SECONDS) for process in running]
        codes = [one.returncode for one in done]
        if not set(codes) <= {0, LOCKED} or codes == [LOCKED, LOCKED]:
            trial.wrong.append(f"exit codes are {codes}: {[one.stderr[-300:] for one in done]}")
        for one in done:
            if one.returncode == LOCKED and "is being changed by labspec, process" not in one.stderr:
                trial.wrong.append(f"it does not say who holds the lock: {one.stderr}")
        one, other = (_writing(trace) for trace in traces)
        if one and other and one[0] < other[1] and other[0] < one[1]:
            trial.wrong.append(f"both wrote at one time: {one} {other}")
        names = [item["Name"] for item in labelled("networks", f"{LABEL}={place.lab}")]
        if len(names) != len(set(names)):
            trial.wrong.append(f"networks of one name: {names}")
        for command in (("apply", "-y"), ("plan", "--detailed-exitcode"), ("destroy", "-y")):
            again = place.run(*command)
            if again.returncode:
                trial.wrong.append(f"{command[0]} after it exits {again.returncode}: {again.stderr[-300:]}")
    return trial


def _writing(trace: Path) -> tuple[float, float] | None:
    """Return from when to when a labspec changed what the engine has; the trace is removed."""
    writes = [moment for moment, point in traced(trace) if _WRITES.search(point)]
    trace.unlink(missing_ok=True)
    return (min(writes), max(writes)) if writes else None
