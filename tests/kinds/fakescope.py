"""A scope over plain values: what `labspec.spec` does with positions, by paths."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labspec.core.diagnostic import Position


class Told(NamedTuple):
    """A mistake as it was reported."""

    path: tuple[str | int, ...]
    message: str
    hint: str | None
    key: bool

    def __str__(self) -> str:
        place = ".".join(map(str, self.path)) + (" (key)" if self.key else "")
        return f"{place}: {self.message}" + (f" = {self.hint}" if self.hint else "")


class FakeScope:
    """`labspec.kinds.provider.Scope` over a mapping; files are those of a folder, documents are JSON."""

    def __init__(
        self,
        spec: Mapping[str, Any] | None = None,
        root: Path | str = "/nowhere",
        *,
        lab: str = "tp",
        profiles: Sequence[str] = (),
        told: list[Told] | None = None,
        top: str | None = None,
    ) -> None:
        self.lab = lab
        self.root = str(root)
        self.profiles = frozenset(profiles)
        self.languages = ("en",)
        self.told: list[Told] = [] if told is None else told
        self._spec = spec or {}
        self._top = top or self.root

    def entry(self, section: str, name: str) -> Mapping[str, Any] | None:
        found = self._spec.get(section, {}).get(name)
        return {} if found is None and name in self._spec.get(section, {}) else found

    def names(self, section: str) -> list[str]:
        return list(self._spec.get(section, {}))

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False) -> None:
        self.told.append(Told(tuple(path), message, hint, key))

    def position(self, path: Sequence[str | int], *, key: bool = False) -> Position | None:  # noqa: ARG002
        return None

    def file(self, path: Sequence[str | int], relative: str, *, folder: bool = False) -> str | None:
        found = (Path(self.root) / relative).resolve()
        if Path(relative).is_absolute() or not found.is_relative_to(self._top):
            self.error(path, f"'{relative}' is outside of the lab's folder")
            return None
        if not (found.is_dir() if folder else found.is_file()):
            self.error(path, f"there is no {'folder' if folder else 'file'} '{relative}'")
            return None
        return str(found)

    def read(self, absolute: str) -> bytes:
        return Path(absolute).read_bytes()

    def document(self, path: Sequence[str | int], relative: str) -> tuple[Any, FakeScope] | None:
        file = self.file(path, relative)
        if file is None:
            return None
        value = json.loads(Path(file).read_bytes())
        inner = FakeScope(
            value, Path(file).parent, lab=self.lab, profiles=sorted(self.profiles), told=self.told, top=self._top
        )
        return value, inner

    def lines(self) -> list[str]:
        """Return the mistakes as text."""
        return [str(told) for told in self.told]
