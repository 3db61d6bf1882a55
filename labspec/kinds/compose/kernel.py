"""Words of the kernel that a service uses: capabilities, signals, limits, namespaces, processors."""

from __future__ import annotations

import re
from collections.abc import Collection

from labspec.kinds.compose.values import among

_LIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
"""setrlimit(2), in small letters and without RLIMIT_."""
LEAST_MEMORY = 6 * 1024**2
"""The engine gives no container less (Docker 20.10 and later)."""
_SIGNALS = (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX RTMIN SEGV STKFLT STOP SYS "
    "TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
)
"""signal(7), without SIG."""


def capability(value: str) -> None:
    """Raise ValueError for what is no capability (capabilities(7)): NET_ADMIN, CAP_NET_ADMIN, or ALL."""
    from labspec.host.sandbox.capabilities import NAMES

    among(value, value.upper().removeprefix("CAP_"), ("ALL", *NAMES), "is no capability")


def signal(value: str) -> None:
    """Raise ValueError for what is no signal: a number, or its name with or without SIG."""
    if value.isdecimal() and 1 <= int(value) <= 64:
        return
    name = value.upper().removeprefix("SIG")
    if not re.fullmatch(r"RTMIN\+[0-9]{1,2}|RTMAX-[0-9]{1,2}", name):
        among(value, name, _SIGNALS.split(), "is no signal")


def limit(name: str) -> None:
    """Raise ValueError for a name that no limit of processes has."""
    among(name, name, _LIMITS.split(), "is no limit of processes")


def pid_mode(value: str) -> None:
    """Raise ValueError for what is no PID namespace."""
    _namespace(value, ("host",))


def ipc_mode(value: str) -> None:
    """Raise ValueError for what is no IPC namespace."""
    _namespace(value, ("host", "none", "private", "shareable"))


def host_only(value: str) -> None:
    """Raise ValueError for a namespace that is neither the container's own nor the host's."""
    if value not in ("", "host"):
        raise ValueError(f"expected host, found '{value}'")


def processors(value: str) -> None:
    """Raise ValueError for what is no list of processors or memory nodes, as in 0-3,7."""
    if not re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*", value):
        raise ValueError(f"'{value}' is no list of processors: write it as in 0-3,7")


def _namespace(value: str, words: Collection[str]) -> None:
    kind, colon, name = value.partition(":")
    if value and value not in words and not (colon and name and kind in ("container", "service")):
        raise ValueError(f"'{value}' is no namespace: use {', '.join(words)}, service:NAME or container:NAME")
