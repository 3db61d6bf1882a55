"""Kernel parameters as files below /proc/sys, and the lab's own file of those that are set at boot (sysctl.d(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError
from labspec.host.paths import MissingFolderError, anchored, make_folder, remove_folder
from labspec.host.system import FileState

if TYPE_CHECKING:
    from labspec.host.host import Host

FOLDER = "/etc/sysctl.d"
HEADER = "# Made by labspec for lab {lab}; 'labspec destroy' removes it.\n"


def live_path(name: str) -> str:
    """Return the file of a parameter: dots become slashes, and slashes dots (net.ipv4.conf.eth0/1.rp_filter)."""
    return "/proc/sys/" + name.translate({ord("."): "/", ord("/"): "."})


def read_live(name: str) -> str | None:
    """Return the value that a parameter has, blanks folded, or None where the kernel has no such parameter."""
    try:
        with open(live_path(name), encoding="ascii", errors="replace") as file:  # noqa: PTH123  no file on a disk
            return " ".join(file.read().split())
    except OSError:
        return None


def write_live(name: str, value: str) -> None:
    """Give a parameter a value now. Raises LabError where the kernel refuses it."""
    try:
        with open(live_path(name), "w", encoding="ascii") as file:  # noqa: PTH123  no file on a disk
            file.write(value)
    except OSError as error:
        raise LabError(f"the kernel does not take {name} = {value}: {error.strerror}") from error


def boot_path(lab: str) -> str:
    """Return the lab's own file."""
    return f"{FOLDER}/90-labspec-{lab}.conf"


def read_boot(lab: str, host: Host) -> dict[str, str]:
    """Return name -> value in the lab's own file; nothing where there is none."""
    try:
        with anchored(boot_path(lab)) as path:
            found = host.system.read(path)
    except MissingFolderError:
        return {}
    lines = found.content.decode(errors="replace").splitlines() if found else []
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_boot(lab: str, values: dict[str, str], host: Host) -> None:
    """Write the lab's own file; one without values is removed."""
    if values:
        make_folder(FOLDER)
    with anchored(boot_path(lab)) as path:
        if not values:
            host.system.remove(path)
            remove_folder(FOLDER)
            return
        text = HEADER.format(lab=lab) + "".join(f"{name} = {value}\n" for name, value in sorted(values.items()))
        host.system.write(path, FileState(text.encode(), "0644", 0, 0))
