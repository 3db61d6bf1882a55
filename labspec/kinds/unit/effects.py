"""What a changed unit file does to the unit that runs: nothing, since systemd takes it over, or a restart."""

from __future__ import annotations

from collections.abc import Iterable

from labspec.kinds.unit.names import type_of

_TAKEN_OVER = frozenset(
    {
        "Unit.Description",
        "Unit.Documentation",
        "Unit.SourcePath",
        "Unit.Before",
        "Unit.After",
        "Unit.OnFailure",
        "Unit.OnSuccess",
        "Unit.StartLimitIntervalSec",
        "Unit.StartLimitBurst",
        "Service.ExecReload",
        "Service.ExecStop",
        "Service.ExecStopPost",
        "Service.Restart",
        "Service.RestartSec",
        "Service.TimeoutStartSec",
        "Service.TimeoutStopSec",
    }
)
"""Settings that matter the next time that something happens: systemd has them once it has read the file."""
_NEVER = ("slice", "target")
"""Types that systemd changes while they are active; to restart one would stop all that is in it."""


def restart_verb(unit: str, changed: Iterable[str]) -> str | None:
    """Return what a running unit needs once "Section.Key"s of its file have changed.

    It is restart, reload-or-restart for a mount of which only the options changed, or None where reading the file
    (daemon-reload) is enough. [Install] never needs a restart.
    """
    matter = {key for key in changed if not _passes(key)}
    if not matter or type_of(unit) in _NEVER:
        return None
    if type_of(unit) == "mount" and matter == {"Mount.Options"}:
        return "reload-or-restart"
    return "restart"


def _passes(key: str) -> bool:
    section, _, name = key.partition(".")
    return section == "Install" or section.startswith("X-") or name.startswith("X-") or key in _TAKEN_OVER
