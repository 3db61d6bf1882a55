"""The files of a lab: named by relative paths, inside the lab's folder, whatever symlinks say."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.host import inputs
from labspec.spec.report import shown_path

SPEC = "lab.yaml"
_NEW = "'labspec init' writes one to begin with"
MAX_YAML = 16 * 2**20
MAX_FILE = 64 * 2**20
"""The most bytes that a YAML file may have."""


class Files:
    """Finds and reads files for one lab, and remembers what was read."""

    def __init__(self, root: str) -> None:
        self.root = root
        """The lab's folder, absolute, without symlinks."""
        self.digests: dict[str, str] = {}
        """Absolute path -> SHA-256 of the content, in hex."""

    def find(self, relative: str, *, base: str | None = None, folder: bool = False) -> str:
        """Return the absolute path, symlinks resolved, of a file or folder given relative to `base` (None: the lab's).

        Raises LabError, without position, when it is missing, outside of the lab's folder, or something else.
        """
        what = "folder" if folder else "file"
        if not relative or not relative.isprintable():
            raise LabError(f"{relative!r} is no path of a {what}", hint="write a path relative to the lab's folder")
        if Path(relative).is_absolute():
            raise LabError(
                f"'{relative}' is an absolute path", hint="a lab has its files in its own folder: write a relative path"
            )
        named = f"{base or self.root}/{relative}"
        inputs.note(named)
        path = os.path.realpath(named)
        if not self.contains(path):
            raise LabError(
                f"'{relative}' is outside of the lab's folder", hint="move the file into the folder of the spec"
            )
        try:
            mode = Path(path).stat().st_mode
        except OSError as error:
            raise _missing(relative, path, what, error) from None
        if folder and not stat.S_ISDIR(mode):
            raise LabError(f"'{relative}' is not a folder")
        if not folder and not stat.S_ISREG(mode):
            kind = "a folder, not a file" if stat.S_ISDIR(mode) else "not a regular file"
            raise LabError(f"'{relative}' is {kind}")
        if not os.access(path, os.R_OK | (os.X_OK if folder else 0)):
            raise LabError(f"the {what} '{relative}' cannot be read", hint="look at its permissions")
        return path

    def contains(self, path: str) -> bool:
        """Return whether an absolute path without symlinks is the lab's folder, or below it."""
        return path == self.root or path.startswith(self.root.rstrip("/") + "/")

    def read(self, path: str) -> bytes:
        """Return the content of a file that is not too large, and note that the lab depends on it. Raises LabError."""
        content = self._noted(path, MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise LabError(f"{shown_path(path)} is too large", hint=f"a file of a lab has at most {MAX_FILE >> 20} MiB")
        return content

    def read_yaml(self, path: str) -> bytes:
        """Return the content of a YAML file that is not too large. Raises LabError."""
        content = self._noted(path, MAX_YAML + 1)
        if len(content) > MAX_YAML:
            hint = f"a YAML file has at most {MAX_YAML >> 20} MiB"
            raise LabError(f"{shown_path(path)} is too large", hint=hint)
        return content

    def _noted(self, path: str, most: int) -> bytes:
        try:
            with Path(path).open("rb") as file:
                content = file.read(most)
        except OSError as error:
            raise LabError(f"cannot read {shown_path(path)}: {error.strerror}") from error
        self.digests[path] = hashlib.sha256(content).hexdigest()
        return content


def spec_file(path: Path | None) -> str:
    """Return the absolute path of a spec (None: ./lab.yaml), whose folder has no symlinks in it. Raises LabError."""
    named = Path(SPEC) if path is None else path
    file = named / SPEC if named.is_dir() else named
    if not file.is_file():
        if file.exists():
            raise LabError(f"{file} is not a regular file")
        if file != named:
            raise LabError(f"there is no {SPEC} in the folder {named}", hint=_NEW)
        raise LabError(f"there is no {named}" + (" here" if path is None else ""), hint=_NEW)
    return str(Path(os.path.realpath(file.parent)) / file.name)


def _missing(relative: str, path: str, what: str, error: OSError) -> LabError:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return LabError(f"the {what} '{relative}' cannot be read: {error.strerror}")
    try:
        siblings = [sibling.name for sibling in Path(path).parent.iterdir()]
    except OSError:
        siblings = []
    near = did_you_mean(Path(path).name, siblings)
    return LabError(f"there is no {what} '{relative}' in the lab's folder", hint=near)
