"""Settings that go back by themselves unless somebody confirms them: a timer of systemd does it, with labspec dead too.

The timer is set before anything is changed, so that a host that has cut its user off comes back; once all is applied
it is set anew, for its whole time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Plan
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine import rollback
from labspec.engine.settings import settings_in
from labspec.host.host import Host
from labspec.host.state import PENDING

if TYPE_CHECKING:
    from labspec.engine.executor import Event, Outcome

AGAIN_SECONDS = 10
"""After so long the timer tries once more what it could not do."""
_BOOTED = Path("/run/systemd/system")


def guarded(
    made: Plan, before: Sequence[Mapping[str, Any]], lab: Lab, host: Host, seconds: int, run: Callable[[], Outcome]
) -> Outcome:
    """Run a plan whose settings go back to what was `before` after so many seconds.

    Raises LabError where no timer can be had.
    """
    if not _BOOTED.is_dir():
        raise LabError("--confirm-within needs systemd, which is not this host's init", hint="apply without it")
    old = rollback.recorded(host, lab.name)
    addresses = settings_in(made)
    kept = {
        "lab": [lab.name, lab.root, lab.file],
        "addresses": list(addresses),
        "before": list(before),
        "after": rollback.merged(old, lab, addresses),
    }
    host.state.write(lab.name, PENDING, json.dumps(kept, sort_keys=True).encode())
    try:
        _set_timer(host, lab.name, seconds)
    except BaseException:
        forget(host, lab.name)
        raise
    outcome = run()
    _set_timer(host, lab.name, seconds)
    return outcome


def confirm(host: Host, lab: str) -> tuple[str, ...]:
    """Keep the settings that wait, and return their addresses. Raises LabError where none wait."""
    with host.state.lock(lab):
        found = _read(host, lab)
        _stop_timer(host, lab)
        rollback.record(host, lab, found["after"])
        forget(host, lab)
    return tuple(found["addresses"])


def revert(host: Host, lab: str, on_event: Callable[[Event], None]) -> Outcome:
    """Put the settings that wait back, and return what came of it. Raises LabError where none wait."""
    with host.state.lock(lab):
        found = _read(host, lab)
        outcome = rollback.put_back(Lab(*found["lab"]), host, found["before"], found["addresses"], on_event)
        if not outcome.failed and not outcome.skipped:
            forget(host, lab)
            _stop_timer(host, lab)
    return outcome


def forget(host: Host, lab: str) -> None:
    """Have no settings of the lab wait any more."""
    (host.state.root / lab / PENDING).unlink(missing_ok=True)


def drop(host: Host, lab: str) -> None:
    """Have nothing go back by itself any more, where something would: it is back already."""
    if (host.state.root / lab / PENDING).exists():
        forget(host, lab)
        _stop_timer(host, lab)


def _read(host: Host, lab: str) -> Mapping[str, Any]:
    path = host.state.root / lab / PENDING
    try:
        found: Mapping[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise LabError(f"no settings of lab '{lab}' wait to be confirmed") from None
    except (OSError, ValueError) as error:
        raise LabError(f"{path} cannot be read", hint="remove it to give up the way back") from error
    return found


def _set_timer(host: Host, lab: str, seconds: int) -> None:
    _stop_timer(host, lab)
    own = {"LABSPEC_STATE_DIR": str(host.state.root), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    own |= {name: os.environ[name] for name in ("DOCKER_HOST", "PATH") if name in os.environ}
    host.system.run(
        [
            "systemd-run",
            f"--unit={_unit(lab)}",
            f"--description=labspec puts back the settings of {lab}, unless they are confirmed",
            f"--on-active={seconds}",
            f"--on-unit-inactive={AGAIN_SECONDS}",
            "--timer-property=AccuracySec=100ms",
            "--quiet",
            *(f"--setenv={name}={value}" for name, value in own.items()),
            *(sys.executable, "-m", "labspec", "confirm", "--revert", "--lab", lab),
        ]
    )


def _stop_timer(host: Host, lab: str) -> None:
    with suppress(LabError):
        host.system.run(["systemctl", "stop", f"{_unit(lab)}.timer"], accepted=range(256))
        host.system.run(["systemctl", "reset-failed", f"{_unit(lab)}.service"], accepted=range(256))


def _unit(lab: str) -> str:
    return f"labspec-confirm-{lab}"
