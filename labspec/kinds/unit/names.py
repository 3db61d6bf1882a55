"""The names of units, and where their files go; see systemd.unit(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

FOLDER = "/etc/systemd/system"
"""Where the administrator's units and links are."""
VENDOR_FOLDERS = ("/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
"""Where packages put theirs."""
OWN_SECTION = {
    "service": "Service",
    "socket": "Socket",
    "timer": "Timer",
    "mount": "Mount",
    "automount": "Automount",
    "swap": "Swap",
    "path": "Path",
    "slice": "Slice",
}
"""Type of unit -> the section that only it has; a target has none."""
_UNIT = re.compile(rf"[A-Za-z0-9:_.\\@-]+\.({'|'.join(map(str.lower, OWN_SECTION))}|target|device|scope)")
ENABLING = ("WantedBy", "RequiredBy", "UpheldBy", "Alias")
"""Keys of [Install] that make links to the unit itself."""


def type_of(name: str) -> str:
    """Return the type of a unit: service, timer, ..."""
    return name.rpartition(".")[2]


def is_template(name: str) -> bool:
    """Return whether a unit can only be started as an instance: web@.service."""
    return name.rpartition(".")[0].endswith("@")


def unit_path(name: str, dropin: str | None) -> str:
    """Return the path of a unit's file, or of its drop-in."""
    return f"{FOLDER}/{name}.d/{dropin.removesuffix('.conf')}.conf" if dropin else f"{FOLDER}/{name}"


def owner_remark(lab: str, address: str) -> str:
    """Return the line on top of a unit file that says whose it is, were the journal lost."""
    return f"Made by labspec for lab '{lab}' ({address}); 'labspec destroy' puts back what was here."


def owner_of(text: str) -> str | None:
    """Return the lab that a unit file belongs to by its first line, or None."""
    found = re.match(r"# Made by labspec for lab '([^']+)' \(", text)
    return found[1] if found else None


def misnamed(values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield each key of [Install], with a word in it that cannot be a unit: `systemctl enable` would stop at it."""
    for key in (*ENABLING, "Also"):
        for word in (word for value in values.get(f"Install.{key}", ()) for word in value.split()):
            if "%" not in word and not _UNIT.fullmatch(word):
                yield key, word


def family_of(name: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the units that enabling one makes links to: itself, and what its [Install] names besides."""
    also = [word for key in ("Also", "Alias") for value in values.get(f"Install.{key}", ()) for word in value.split()]
    return sorted({name, *also})
