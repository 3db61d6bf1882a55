"""Sandboxes for people, and for programs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labspec.report.text import table

if TYPE_CHECKING:
    from labspec.host.sandbox.objects import Sandbox


def sandbox_lines(sandboxes: Sequence[Sandbox]) -> list[str]:
    """Return sandboxes as a table, with its heads."""
    rows = [
        (sandbox.name, sandbox.state, sandbox.engine, sandbox.ip or "-", _ports(sandbox), _age(sandbox.created))
        for sandbox in sandboxes
    ]
    return table([("NAME", "STATE", "ENGINE", "IP", "PORTS", "AGE"), *rows])


def sandbox_json(sandbox: Sandbox) -> dict[str, Any]:
    """Return a sandbox as `--json` has it (docs/json.md)."""
    ports = [
        {"address": port.address, "host": port.outer, "sandbox": port.inner, "protocol": port.protocol}
        for port in sandbox.ports
    ]
    return {
        "name": sandbox.name,
        "state": sandbox.state,
        "engine": sandbox.engine,
        "ip": sandbox.ip or None,
        "ports": ports,
        "created": sandbox.created,
        "id": sandbox.id,
    }


def _ports(sandbox: Sandbox) -> str:
    return ", ".join(map(str, sandbox.ports)) or "-"


def _age(created: int) -> str:
    """Return how long ago something was made, in its largest unit."""
    spent = max(0, int(time.time()) - created)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if spent >= length:
            return f"{spent // length} {unit}"
    return f"{spent} s"
