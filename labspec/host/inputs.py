"""What a lab depends on besides the text of its files: what was there, and which variables the environment had.

Whatever is looked at while a lab is loaded is noted here, so that a stored lab is taken only where all of it still
holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager


class Inputs:
    """What was looked at."""

    def __init__(self, places: dict[str, str] | None = None) -> None:
        self.places = places or {}
        """Path -> what was there, as `what_is` tells it."""
        self.variables: dict[str, str | None] = {}
        """Name -> value; None for a variable that the environment did not have."""
        self.private = False
        """The lab has values in it that are to be stored nowhere."""


_NOTING: list[Inputs] = []


@contextmanager
def noting() -> Iterator[Inputs]:
    """Note what is looked at while the block runs."""
    inputs = Inputs()
    _NOTING.append(inputs)
    try:
        yield inputs
    finally:
        _NOTING.remove(inputs)


_LACKING: list[bool] = []


@contextmanager
def without_builds() -> Iterator[None]:
    """Load labs, while the block runs, whose compose files name what is not here: to write them, not to apply.

    That is what services build from, and the files of secrets and configs.
    """
    _LACKING.append(True)
    try:
        yield
    finally:
        _LACKING.pop()


def builds_may_lack() -> bool:
    """Return whether a build, or the file of a secret, that cannot be read is no mistake now."""
    return bool(_LACKING)


def variable(name: str) -> str | None:
    """Return a variable of the environment, or None."""
    value = os.environ.get(name)
    for inputs in _NOTING:
        inputs.variables[name] = value
    return value


def note(path: str) -> None:
    """Note that what is at a path matters: whether it is there, what it is, and where its symlinks lead."""
    if _NOTING:
        found = what_is(path)
        for inputs in _NOTING:
            inputs.places[path] = found


def note_private() -> None:
    """Note that secret values are part of the lab."""
    for inputs in _NOTING:
        inputs.private = True


def is_there(path: str) -> bool:
    """Return whether there is anything at a path, be it a symlink that leads nowhere."""
    note(path)
    return os.path.lexists(path)


def is_folder(path: str) -> bool:
    """Return whether a folder, or a symlink to one, is at a path."""
    note(path)
    return os.path.isdir(path)  # noqa: PTH112  text, not files


def is_plain_file(path: str) -> bool:
    """Return whether a regular file, no symlink, is at a path."""
    note(path)
    return os.path.isfile(path) and not os.path.islink(path)  # noqa: PTH113, PTH114  text, not files


def what_is(path: str) -> str:
    """Return what is at a path in one text: nothing, or its kind, whether it can be read, and where it really is."""
    try:
        link = stat.S_ISLNK(os.lstat(path).st_mode)
        mode = os.stat(path).st_mode  # noqa: PTH116  text, not files
    except OSError as error:
        return f"nothing ({error.errno})"
    kind = "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"
    readable = os.access(path, os.R_OK | (os.X_OK if kind == "folder" else 0))
    return f"{'link to ' * link}{kind}{' unreadable' * (not readable)} {os.path.realpath(path)}"
