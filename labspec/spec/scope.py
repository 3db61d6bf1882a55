"""What a section sees of the spec, or of another document of the lab: entries, files, and a place for mistakes."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, Position
from labspec.kinds.provider import Scope
from labspec.spec.files import Files
from labspec.spec.head import Head
from labspec.spec.report import Place, Report, find
from labspec.spec.yamlfile import parse


class DocumentScope:
    """A document of the lab, as `labspec.kinds.provider.Scope` describes it.

    `root` is the folder that relative paths start from: the lab's, or that of a further document.
    """

    def __init__(
        self,
        value: Any,
        places: Place,
        root: str,
        *,
        head: Head,
        files: Files,
        report: Report,
    ) -> None:
        self._head = head
        self.lab = head.name
        self.root = root
        self.profiles = head.profiles
        self.languages = head.languages
        self._value = value if isinstance(value, dict) else {}
        self._places = places
        self._files = files
        self._report = report

    def entry(self, section: str, name: str) -> Mapping[str, Any] | None:
        """Return the entry `section.name` ({} for one with nothing in it), or None where there is no such mapping."""
        entries = self._section(section)
        if name not in entries:
            return None
        found = {} if entries[name] is None else entries[name]
        return found if isinstance(found, dict) else None

    def names(self, section: str) -> KeysView[str]:
        """Return the names of a section's entries, in the order of the file."""
        return self._section(section).keys()

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Report a mistake at `path`, on its value or (`key`) on its key."""
        self._report.error(find(self._places, path, key=key), message, hint)

    @contextmanager
    def tentative(self) -> Iterator[list[Diagnostic]]:
        """Take back what is reported while the block runs; it is in the list afterwards."""
        before, found = self._report.number(), list[Diagnostic]()
        yield found
        found += self._report.take_back(before)

    def position(self, path: Sequence[str | int], *, key: bool = False) -> Position | None:
        """Return where the value at `path`, or (`key`) its key, is written."""
        return self._report.position(find(self._places, path, key=key))

    def file(self, path: Sequence[str | int], relative: str, *, folder: bool = False) -> str | None:
        """Return the absolute path, symlinks resolved, of a file or folder of the lab; None, and a report, if none."""
        try:
            return self._files.find(relative, base=self.root, folder=folder)
        except LabError as error:
            self._pass_on(path, error)
            return None

    def read(self, absolute: str) -> bytes:
        """Return the content of a file that `file` found. Raises LabError where it cannot be read."""
        return self._files.read(absolute)

    def document(self, path: Sequence[str | int], relative: str) -> tuple[Any, Scope] | None:
        """Return a YAML file of the lab, and its scope; None, and a report, where there is none."""
        absolute = self.file(path, relative)
        if absolute is None:
            return None
        try:
            content = self._files.read_yaml(absolute)
        except LabError as error:
            self._pass_on(path, error)
            return None
        document = parse(content, absolute, self._report)
        if document is None:
            return None
        inner = DocumentScope(
            document.value,
            document.place,
            str(Path(absolute).parent),
            head=self._head,
            files=self._files,
            report=self._report,
        )
        return document.value, inner

    def _section(self, name: str) -> dict[str, Any]:
        found = self._value.get(name)
        return found if isinstance(found, dict) else {}

    def _pass_on(self, path: Sequence[str | int], error: LabError) -> None:
        for found in error.diagnostics:
            self.error(path, found.message, found.hint)
