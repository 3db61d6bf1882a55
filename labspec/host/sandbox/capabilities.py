"""Which powers a sandbox can be given: all of them, where this machine itself has them all.

Names and numbers: capabilities(7), linux/capability.h.
"""

from __future__ import annotations

import re
from pathlib import Path

_WORDS = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
NAMES = tuple(_WORDS.split())
"""By number."""

_BOUNDING = re.compile(r"^CapBnd:\s*([0-9a-fA-F]{1,16})$", re.MULTILINE)
_UNCONFINED = tuple(
    part
    for option in ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined")
    for part in ("--security-opt", option)
)


def missing(status: str, last: int) -> list[str]:
    """Return the capabilities that are not in the bounding set of a /proc/PID/status, up to number `last`.

    A status without a bounding set is taken as a full one.
    """
    found = _BOUNDING.search(status)
    if found is None:
        return []
    bits = int(found[1], 16)
    return [name for number, name in enumerate(NAMES[: last + 1]) if not bits >> number & 1]


def privileges(lacking: list[str]) -> list[tuple[str, ...]]:
    """Return the options of `docker run` that give a sandbox its powers, in the order to try them.

    Where a capability is lacking, an engine before 23 fails to start what it may not give, and a later one refuses to
    be told to drop what it does not have.
    """
    if not lacking:
        return [("--privileged",)]
    everything = ("--cap-add", "ALL", *_UNCONFINED)
    drops = tuple(part for name in lacking for part in ("--cap-drop", name))
    return [(*everything, *drops), everything]


def of_this_machine() -> list[str]:
    """Return what this machine lacks; nothing where that cannot be read."""
    try:
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
        status = Path("/proc/1/status").read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return []
    return missing(status, last)
