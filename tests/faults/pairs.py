"""Two labspecs that change one lab at the same time: one does it, the other waits its turn or says who is at it."""

from __future__ import annotations

import subprocess
import sys

from killing import LAUNCH, LOCKED, Place, Trial, foreign
from scenarios import Scenario, docker


def pair(place: Place, scenario: Scenario, *, destroy: bool) -> Trial:
    """Start an apply and, at the same time, another or a destroy; return what was wrong after them."""
    trial = Trial(scenario, "apply and destroy" if destroy else "apply and apply", "at once", reached=True)
    place.said.clear()
    place.prepare(scenario)
    with foreign(place, trial):
        commands = [["apply", "-y"], ["destroy", "-y"] if destroy else ["apply", "-y"]]
        running = [
            subprocess.Popen(
                [sys.executable, str(LAUNCH), *command],
                cwd=place.folder,
                env=place.environment({}),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        done = [(process.communicate(timeout=120), process.returncode) for process in running]
        codes = [code for _, code in done]
        if not set(codes) <= {0, LOCKED} or codes == [LOCKED, LOCKED]:
            trial.wrong.append(f"exit codes are {codes}: {[said[1][-300:] for said, _ in done]}")
        for (_, said), code in done:
            if code == LOCKED and "is being changed by labspec, process" not in said:
                trial.wrong.append(f"it does not say who holds the lock: {said}")
        names = docker(
            "network", "ls", "--format", "{{.Name}}", "--filter", f"label=io.labspec.lab={place.lab}"
        ).split()
        if len(names) != len(set(names)):
            trial.wrong.append(f"networks of one name: {names}")
        for command in (("apply", "-y"), ("plan", "--detailed-exitcode"), ("destroy", "-y")):
            again = place.run(*command)
            if again.returncode:
                trial.wrong.append(f"{command[0]} after it exits {again.returncode}: {again.stderr[-300:]}")
    return trial
