"""Which of a plan's changes are settings: what a lab changes of the host outside the engine, and can be put back."""

from labspec.core.change import Plan

SETTINGS = frozenset({"user", "group", "file", "sysctl", "kernel_arg", "daemon", "unit"})
"""Kinds whose journal has what was there before."""


def settings_in(made: Plan) -> tuple[str, ...]:
    """Return the addresses of the settings that a plan changes."""
    return tuple(change.address for change in made.changes if change.kind in SETTINGS)
