"""Where the kernel's command line is kept: by grubby where that is there, else in GRUB's configuration."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.host.paths import MissingFolderError, anchored, make_folder, remove_folder
from labspec.host.system import FileState

if TYPE_CHECKING:
    from labspec.host.host import Host

COMMAND_LINE = "/proc/cmdline"
DEFAULTS = "/etc/default/grub"
FOLDER = "/etc/default/grub.d"
HEADER = "# Made by labspec for lab {lab}; 'labspec destroy' removes it.\n"
_SECONDS = 300.0
_ASSIGNED = re.compile(r"^\s*GRUB_CMDLINE_LINUX(?:_DEFAULT)?=(.*)$", re.MULTILINE)
_GRUBBY_ARGS = re.compile(r'^args="(.*)"$', re.MULTILINE)


def key_of(argument: str) -> str:
    """Return the key of KEY=VALUE."""
    return argument.partition("=")[0]


def running() -> list[str]:
    """Return the arguments that the kernel was started with."""
    return words(Path(COMMAND_LINE).read_text(encoding="utf-8", errors="replace"))


def words(text: str) -> list[str]:
    """Return the arguments of a command line; quotes keep blanks together."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def uses_grubby() -> bool:
    """Return whether the boot loader's entries are kept by grubby."""
    return shutil.which("grubby") is not None


def grubby_arguments(answer: str) -> list[str]:
    """Return the arguments in the answer to `grubby --info=DEFAULT`."""
    found = _GRUBBY_ARGS.search(answer)
    return words(found[1]) if found else []


def grubby_command(add: list[str], remove: list[str]) -> list[str]:
    """Return the call of grubby that changes the arguments of every kernel."""
    given = [f"--args={' '.join(add)}"] if add else []
    given += [f"--remove-args={' '.join(remove)}"] if remove else []
    return ["grubby", "--update-kernel=ALL", *given]


def configured(lab: str, host: Host) -> list[str]:
    """Return the arguments that the next boot will have, as far as the configuration says."""
    if uses_grubby():
        return grubby_arguments(host.system.run(["grubby", "--info=DEFAULT"]).stdout)
    found: list[str] = []
    own = own_path(lab)
    folder = sorted(str(path) for path in Path(FOLDER).glob("*.cfg")) if Path(FOLDER).is_dir() else []
    for path in (DEFAULTS, *(path for path in folder if path != own)):
        text = Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
        found += [word for match in _ASSIGNED.finditer(text) for part in words(match[1]) for word in words(part)]
    return found + own_arguments(lab, host)


def own_path(lab: str) -> str:
    """Return the lab's own file of GRUB's configuration."""
    return f"{FOLDER}/labspec-{lab}.cfg"


def own_arguments(lab: str, host: Host) -> list[str]:
    """Return the arguments in the lab's own file; none where there is none."""
    try:
        with anchored(own_path(lab)) as path:
            found = host.system.read(path)
    except MissingFolderError:
        return []
    return parsed(found.content.decode(errors="replace")) if found else []


def parsed(text: str) -> list[str]:
    """Return the arguments in a file as `rendered` writes it."""
    found = _ASSIGNED.search(text)
    parts = words(found[1]) if found else []
    return [word for part in parts for word in words(part) if not word.startswith("$")]


def rendered(lab: str, arguments: list[str]) -> str:
    """Return the lab's own file. It is read by a shell: arguments have been checked when the spec was loaded."""
    return HEADER.format(lab=lab) + f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(arguments)}"\n'


def change_own(lab: str, add: list[str], remove: list[str], host: Host) -> None:
    """Change the lab's own file, and have GRUB's menu made anew where that can be done.

    The folder is made where it is missing, and removed with the file where nothing else is in it.
    """
    gone = {key_of(argument) for argument in (*add, *remove)}
    arguments = sorted([*(word for word in own_arguments(lab, host) if key_of(word) not in gone), *add])
    make_folder(FOLDER)
    with anchored(own_path(lab)) as path:
        if arguments:
            host.system.write(path, FileState(rendered(lab, arguments).encode(), "0644", 0, 0))
        else:
            host.system.remove(path)
    if not arguments:
        remove_folder(FOLDER)
    if shutil.which("update-grub"):
        host.system.run(["update-grub"], seconds=_SECONDS)
