"""The .nspawn file of a machine, systemd.nspawn(5), and the command line that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MACHINES = "/var/lib/machines"
SETTINGS = "/etc/systemd/nspawn"


def settings_lines(wishes: Mapping[str, Any]) -> list[str]:
    """Return the lines of the .nspawn file. No value can add one: the model lets only plain paths in."""
    lines = ["[Exec]", f"Boot={_word(wishes.get('boot', False))}", "LinkJournal=no"]
    mounts = wishes.get("mounts") or ()
    files = [f"TemporaryFileSystem={path}" for path in wishes.get("tmpfs") or ()]
    files += [
        f"{'BindReadOnly' if mount.get('read_only') else 'Bind'}={mount['source']}:{mount['target']}"
        for mount in mounts
    ]
    lines += ["", "[Files]", *files] if files else []
    private = wishes.get("network", "private") == "private"
    return [*lines, "", "[Network]", f"Private={_word(private)}", "VirtualEthernet=no"]


def settings_text(lines: list[str]) -> str:
    """Return the .nspawn file."""
    return "\n".join(["# Written by labspec: 'labspec apply' puts it right.", *lines, ""])


def settings_file(machine: str) -> str:
    """Return where the .nspawn file of a machine is."""
    return f"{SETTINGS}/{machine}.nspawn"


def run_command(machine: str, unit: str, command: list[str], env: Mapping[str, str]) -> list[str]:
    """Return the line that runs a machine as a transient unit, as systemd-nspawn@.service does."""
    variables = [f"--setenv={name}={value}" for name, value in env.items()]
    nspawn = ["systemd-nspawn", "--quiet", "--keep-unit", f"--machine={machine}", *variables]
    nspawn += ["--", *command] if command else []
    properties = (
        "Type=notify",
        "KillMode=mixed",
        "Delegate=yes",
        "RestartForceExitStatus=133",
        "SuccessExitStatus=133",
    )
    # The service manager replaces $NAME in the arguments of a transient unit.
    return [
        "systemd-run",
        f"--unit={unit}",
        "--collect",
        "--quiet",
        *(f"--property={each}" for each in properties),
        *(part.replace("$", "$$") for part in nspawn),
    ]


def _word(value: bool) -> str:
    return "yes" if value else "no"
