"""The way back while daemon.json changes: a timer of systemd that puts it back, and restarts Docker, without labspec.

It looks every few seconds. As long as the labspec that armed it lives it waits, up to a deadline; once that is dead,
or hangs, it acts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.host.state import COPIES, write_atomic
from labspec.kinds.daemon.running import BOOTED

if TYPE_CHECKING:
    from labspec.host.host import Host

FIRST_SECONDS = 5
EVERY_SECONDS = 3
LONGEST_SECONDS = 300
_ACT_SECONDS = 120
_BETWEEN_LOOKS = 0.3

# FILE and COPY are repeated; where there is no COPY there was no FILE.
_SCRIPT = """# Arguments: UNIT FOLDER restart|reload PID STARTED DEADLINE [FILE COPY]...
unit=$1 folder=$2 how=$3 pid=$4 started=$5 deadline=$6
shift 6
stat=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null)
if [ "$(date +%s)" -lt "$deadline" ] && [ "${stat%% *}" != Z ] &&
    [ "$(printf %s "$stat" | cut -d' ' -f20)" = "$started" ]; then
    exit 0
fi
changed=
while [ $# -ge 2 ]; do
    if [ -e "$2" ]; then
        cmp -s "$1" "$2" || { cp -p "$2" "$1.labspec" && mv -f "$1.labspec" "$1" && changed=yes; }
    elif [ -e "$1" ]; then
        rm -f "$1" && changed=yes
    fi
    shift 2
done
sync
systemctl reset-failed docker.service docker.socket
if ! systemctl is-active --quiet docker.service; then
    systemctl restart docker.service
elif [ "$changed" ]; then
    systemctl "$how" docker.service
fi
systemctl stop "$unit.timer"
rm -rf "$folder"
"""


def arm(host: Host, lab: str, paths: Sequence[str], how: str, *, timer: bool) -> None:
    """Keep copies of files, and start the timer, if any, that puts them back. Raises LabError where systemd refuses.

    One that waits with copies of these files stays: it was set before something that failed, and Docker may be down.
    """
    folder = host.state.lab(lab) / COPIES
    if timer and folder.is_dir() and {*paths} <= {*_pairs(folder)[::2]} and _waits(host, lab):
        return
    disarm(host, lab)
    folder.mkdir(mode=0o700, exist_ok=True)
    pairs: list[str] = []
    for number, path in enumerate(paths):
        state = host.system.read(path)
        copy = folder / str(number)
        if state is not None:
            write_atomic(copy, state.content, int(state.mode, 8), (state.uid, state.gid))
        pairs += [path, str(copy)]
    script = folder / "script"
    write_atomic(script, _SCRIPT.encode())
    write_atomic(folder / "pairs", json.dumps(pairs).encode())
    if not timer:
        return
    unit = _unit(lab)
    deadline = int(time.time()) + LONGEST_SECONDS
    host.system.run(
        [
            "systemd-run",
            f"--unit={unit}",
            f"--description=labspec puts back the Docker settings of before {lab}, unless it is told not to",
            f"--on-active={FIRST_SECONDS}",
            f"--on-unit-active={EVERY_SECONDS}",
            "--timer-property=AccuracySec=100ms",
            "--quiet",
            *("/bin/sh", str(script), unit, str(folder), how, str(os.getpid()), _started(), str(deadline), *pairs),
        ]
    )


def let_it_act(host: Host, lab: str) -> None:
    """Wait for the timer of a labspec that was killed: what it puts back must not change under the next one's plan.

    Copies that wait for no timer go: nothing was changed after they were made, or the journal has it. The lab's lock is
    to be held, so that nobody else's is waited for.
    """
    folder = host.state.root / lab / COPIES
    end = time.monotonic() + _ACT_SECONDS
    while folder.is_dir() and BOOTED.is_dir() and _waits(host, lab):
        if time.monotonic() > end:
            return
        time.sleep(_BETWEEN_LOOKS)
    disarm(host, lab)


def _waits(host: Host, lab: str) -> bool:
    units = [f"{_unit(lab)}.timer", f"{_unit(lab)}.service"]
    return "active" in host.system.run(["systemctl", "is-active", *units], accepted=range(256)).stdout.split()


def put_back(host: Host, lab: str) -> None:
    """Put the files back as they were when the timer was armed."""
    folder = host.state.lab(lab) / COPIES
    pairs = _pairs(folder)
    for path, copy in zip(pairs[::2], pairs[1::2], strict=True):
        state = host.system.read(copy)
        if state is None:
            host.system.remove(path)
        else:
            host.system.write(path, state)


def _pairs(folder: Path) -> list[str]:
    """Return path and copy in turn; none where they were not wholly written."""
    try:
        found: list[str] = json.loads((folder / "pairs").read_bytes())
    except FileNotFoundError:
        return []
    return found


def disarm(host: Host, lab: str) -> None:
    """Stop the timer, if there is one, and remove the copies."""
    folder = host.state.root / lab / COPIES
    if not folder.is_dir():
        return
    if BOOTED.is_dir():
        units = [f"{_unit(lab)}.timer", f"{_unit(lab)}.service"]
        host.system.run(["systemctl", "stop", *units], accepted=range(256))
        host.system.run(["systemctl", "reset-failed", *units], accepted=range(256))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def _unit(lab: str) -> str:
    return f"labspec-rollback-{lab}"


def _started() -> str:
    """Return when this process was started, in the kernel's ticks (proc_pid_stat(5)): tells it from one of its id."""
    return Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
