"""Places in the files of a spec, and the mistakes found there: collected, so that one run reports them all."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from labspec.core.diagnostic import Diagnostic, LabError, Position

Mark = int
"""A position in one number: file, line and column. There is one for each key and value, so it must be small."""

BITS = 26
_MASK = (1 << BITS) - 1
_MOST = 1000
_LONGEST_SOURCE = 2000
"""A longer source line is not repeated with each mistake in it."""


class Places(NamedTuple):
    """The positions inside a mapping or list, in the shape of its value."""

    mark: Mark
    keys: dict[str, Mark] | None
    """None for a list."""
    inner: Any
    """dict[str, Place], or list[Place] for a list."""


Place = Mark | Places


def mark_at(base: Mark, line: int, column: int) -> Mark:
    """Return the mark of a line and column, both from 1, in the file that `base` stands for."""
    return base | line << BITS | column


def find(place: Place, path: Sequence[str | int], *, key: bool = False) -> Mark:
    """Return the mark of the value at `path` below a place, or (`key`) of its key.

    Where nothing is written at the path, it is the nearest thing around it: its key, or where it has none its value.
    """
    own_key: Mark | None = None
    for step in path:
        inner = _step(place, step)
        if inner is None:
            return _mark(place) if own_key is None else own_key
        own_key = place.keys[step] if isinstance(place, Places) and place.keys and isinstance(step, str) else None
        place = inner
    return own_key if key and own_key is not None else _mark(place)


def _step(place: Place, step: str | int) -> Place | None:
    if isinstance(place, int):
        return None
    found: Place | None = None
    if place.keys is not None:
        found = place.inner.get(step)
    elif isinstance(step, int) and 0 <= step < len(place.inner):
        found = place.inner[step]
    return found


def _mark(place: Place) -> Mark:
    return place if isinstance(place, int) else place.mark


def shown_path(path: str) -> str:
    """Return a path as a user here would type it: relative where it is below the current folder, else absolute."""
    absolute = os.path.abspath(path)  # noqa: PTH100  pathlib cannot fold '..' away
    try:
        relative = os.path.relpath(absolute)
    except OSError:
        return absolute
    return absolute if relative.startswith("..") else relative


class Report:
    """The mistakes of one run, and the texts that they are in."""

    def __init__(self) -> None:
        self._files: list[tuple[str, str]] = []
        self._lines: dict[int, list[str]] = {}
        self._found: dict[Diagnostic, None] = {}
        self.failed: set[Mark] = set()
        """Values that could not be looked up: what else is wrong with them follows from that, and is not reported."""

    def add_file(self, path: str, text: str) -> Mark:
        """Return the base of all marks in a file that has this text."""
        self._files.append((shown_path(path), text))
        return (len(self._files) - 1) << 2 * BITS

    def mentions(self, text: str) -> bool:
        """Return whether one of the files has a text in it."""
        return any(text in content for _, content in self._files)

    def position(self, mark: Mark) -> Position:
        """Return what a mark stands for."""
        return Position(self._files[mark >> 2 * BITS][0], mark >> BITS & _MASK, mark & _MASK)

    def error(self, mark: Mark | None, message: str, hint: str | None = None) -> None:
        """Note a mistake; None: at no place in a file."""
        if mark is None:
            self.add(Diagnostic(message, hint=hint))
        elif mark not in self.failed:
            self.add(Diagnostic(message, self.position(mark), hint, self._source(mark)))

    def add(self, diagnostic: Diagnostic) -> None:
        """Note a mistake; the same one twice counts once, and of a flood of them only the first."""
        if len(self._found) < _MOST:
            self._found.setdefault(diagnostic)

    def number(self) -> int:
        """Return how many mistakes there are so far."""
        return len(self._found)

    def take_back(self, number: int) -> list[Diagnostic]:
        """Forget the mistakes since there were so many, and return them."""
        later = list(self._found)[number:]
        for diagnostic in later:
            del self._found[diagnostic]
        return later

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The mistakes so far by position, those without one first."""
        return tuple(sorted(self._found, key=lambda found: (found.at is not None, found.at or Position("", 0, 0))))

    def check(self) -> None:
        """Raise LabError with every mistake so far, if there is one."""
        if self._found:
            raise LabError(self.diagnostics)

    def _source(self, mark: Mark) -> str | None:
        number = mark >> 2 * BITS
        if number not in self._lines:
            self._lines[number] = self._files[number][1].splitlines()
        lines = self._lines[number]
        line = mark >> BITS & _MASK
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        return source if len(source) <= _LONGEST_SOURCE else None
