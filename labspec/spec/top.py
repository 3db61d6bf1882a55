"""The top level of a spec: its own keys, the sections of the kinds, and the files that it includes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.spec.files import Files
from labspec.spec.head import is_misspelt
from labspec.spec.report import Mark, Place, Places, Report, find, shown_path
from labspec.spec.scalars import words
from labspec.spec.yamlfile import Document, parse

VERSION = 1
"""The version of the spec language that this labspec knows."""
EXTENSION = "x-"
"""What a key at the top begins with that labspec leaves alone: a place for what anchors stand for."""
OWN_KEYS = ("labspec", "lab", "vars", "include")
_MOST_FILES = 500


class Spec(NamedTuple):
    """A spec with its includes: every section as one mapping, its parts, and the places in all the files."""

    sections: dict[str, dict[str, Any]]
    parts: dict[str, Any]
    lab: Any
    places: Places


class Known(NamedTuple):
    """The keys that a spec may have beside its own."""

    sections: Collection[str]
    """`above.key` for one inside another: it is one of the spec's sections under this whole name."""
    parts: Collection[str] = ()
    listed: Collection[str] = ()
    """The sections that may be lists."""

    @property
    def tops(self) -> tuple[str, ...]:
        """All keys that the top of a spec may have: of a section inside another, that other one."""
        return tuple(dict.fromkeys((*OWN_KEYS, *(name.partition(".")[0] for name in self.sections), *self.parts)))


class _Merger:
    """Puts a file and what it includes together."""

    def __init__(self, known: Known, files: Files, report: Report) -> None:
        self._known = known.tops
        self._parts = known.parts
        self._sections = tuple(name for name in self._known if name == "vars" or name not in OWN_KEYS)
        self._inner: dict[str, list[str]] = {}
        """The keys of each section that has sections in it."""
        for above, _, key in (name.partition(".") for name in known.sections if "." in name):
            self._inner.setdefault(above, []).append(key)
        self._listed = known.listed
        self._files = files
        self._report = report
        self.sections: dict[str, dict[str, Any]] = {}
        self.places: dict[str, Places] = {}
        self.parts: dict[str, Any] = {}
        self._open: list[str] = []
        self._seen: set[str] = set()

    def add(self, path: str, value: dict[str, Any], places: Places, *, main: bool) -> None:
        """Take over the sections of a file, then those of the files that it includes."""
        self._seen.add(path)
        for key, content in value.items():
            mark = find(places, (key,), key=True)
            if key in self._parts or key.startswith(EXTENSION):
                self._part(key, content, mark, places.inner[key])
            elif key in self._inner:
                self._nested(key, content, places.inner[key])
            elif key in self._sections:
                self._section(key, content, mark, places.inner[key])
            elif key not in OWN_KEYS:
                hint = did_you_mean(key, self._known) or f"sections: {', '.join(self._sections)}"
                self._report.error(mark, f"unknown section '{key}'", hint)
            elif key != "include" and not main:
                self._report.error(mark, f"'{key}' in an included file", "only the spec itself has it")
        self._open.append(path)
        self._includes(value.get("include"), places.inner.get("include", places.mark))
        self._open.pop()

    def _part(self, name: str, content: Any, mark: Mark, place: Place) -> None:
        """Take over a part; a list may go on in further files."""
        if self.parts.get(name) is None:
            self.parts[name] = content
            self.places[name] = place if isinstance(place, Places) else Places(place, None, [])
            return
        whole, here = self.parts[name], self.places[name]
        if isinstance(whole, list) and isinstance(content, list) and isinstance(place, Places):
            self.parts[name] = [*whole, *content]
            self.places[name] = Places(here.mark, None, [*here.inner, *place.inner])
            return
        first = self._report.position(here.mark)
        self._report.error(mark, f"'{name}' is in two files", f"the first is at {first}")

    def _nested(self, above: str, content: Any, place: Place) -> None:
        """Take over the sections inside a section."""
        if content is None:
            return
        keys = self._inner[above]
        if not isinstance(content, dict) or not isinstance(place, Places):
            message = f"section '{above}' is a mapping, found {words(content)}"
            self._report.error(find(place, ()), message, f"it has the keys {', '.join(keys)}")
            return
        for key, inner in content.items():
            mark = find(place, (key,), key=True)
            if key in keys:
                self._section(f"{above}.{key}", inner, mark, place.inner[key])
                continue
            hint = did_you_mean(key, keys) or f"known keys: {', '.join(keys)}"
            self._report.error(mark, f"unknown key '{key}' in '{above}'", hint)

    def _section(self, name: str, content: Any, mark: Mark, place: Place) -> None:
        whole = self.sections.setdefault(name, {})
        target = self.places.setdefault(name, Places(mark, {}, {}))
        if content is None:
            return
        if name in self._listed and isinstance(content, list) and isinstance(place, Places):
            content, place = self._named(name, content, place)
        if not isinstance(content, dict) or not isinstance(place, Places) or place.keys is None or target.keys is None:
            message = f"section '{name}' is a mapping of names, found {words(content)}"
            self._report.error(find(place, ()), message, f"write '{name}:', and below it 'name: ...', indented")
            return
        for entry, value in content.items():
            if entry in whole:
                first = self._report.position(target.keys[entry])
                self._report.error(place.keys[entry], f"{name}.{entry} is in two files", f"the first is at {first}")
                continue
            whole[entry] = value
            target.keys[entry] = place.keys[entry]
            target.inner[entry] = place.inner[entry]

    def _named(self, section: str, names: list[Any], place: Places) -> tuple[dict[str, None], Places]:
        """Return a list of names as entries with nothing in them."""
        marks: dict[str, Mark] = {}
        for index, name in enumerate(names):
            mark = find(place, (index,))
            if not isinstance(name, str):
                self._report.error(mark, f"expected a name in '{section}', found {words(name)}", "put it in quotes")
            elif name in marks:
                self._report.error(mark, f"{name!r} is in the list twice", "remove one of the two")
            else:
                marks[name] = mark
        return dict.fromkeys(marks), Places(place.mark, marks, dict(marks))

    def _includes(self, value: Any, place: Place) -> None:
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._report.error(find(place, ()), "'include' is a list of files", "write include: [file.yaml]")
            return
        for index, relative in enumerate(value):
            self._include(relative, find(place, (index,)))

    def _include(self, relative: str, mark: Mark) -> None:
        try:
            path = self._files.find(relative)
            if path in self._open:
                cycle = [*self._open[self._open.index(path) :], path]
                raise LabError(f"the file includes itself: {' -> '.join(map(shown_path, cycle))}")  # noqa: TRY301
            if path in self._seen:
                raise LabError(f"'{relative}' is included twice", hint="remove one of the two")  # noqa: TRY301
            if len(self._seen) >= _MOST_FILES:
                raise LabError(f"more than {_MOST_FILES} files", hint="put some of them together")  # noqa: TRY301
            content = self._files.read_yaml(path)
        except LabError as error:
            for found in error.diagnostics:
                self._report.error(mark, found.message, found.hint)
            return
        document = parse(content, path, self._report)
        if document is None or document.value is None:
            return
        if isinstance(document.value, dict) and isinstance(document.place, Places):
            self.add(path, document.value, document.place, main=False)
            return
        message = f"expected a mapping of sections, found {words(document.value)}"
        self._report.error(find(document.place, ()), message, "write sections such as 'services:' in it")


def assemble(
    path: str,
    document: Document,
    known: Known,
    files: Files,
    report: Report,
) -> Spec:
    """Return a spec with all that it includes.

    Mistakes are reported. Raises LabError at once for what is no spec, or one of a newer version.
    """
    value, places = document
    if not isinstance(value, dict) or not isinstance(places, Places):
        message = "the file is empty" if value is None else f"expected a mapping of sections, found {words(value)}"
        report.error(find(places, ()), message, "'labspec init' writes a spec to begin with")
        raise LabError(report.diagnostics)
    _check_version(value, places, known.tops, report)
    merger = _Merger(known, files, report)
    merger.add(path, value, places, main=True)
    keys = {**(places.keys or {}), **{name: place.mark for name, place in merger.places.items()}}
    inner = {**places.inner, **merger.places}
    return Spec(merger.sections, merger.parts, value.get("lab"), Places(places.mark, keys, inner))


def _check_version(value: dict[str, Any], places: Place, known: Collection[str], report: Report) -> None:
    if "labspec" not in value:
        if is_misspelt("labspec", value, known):
            return
        report.error(find(places, ()), "'labspec: 1' is missing", "write it at the top: it says how to read the file")
        return
    version = value["labspec"]
    mark = find(places, ("labspec",))
    if type(version) is int and version > VERSION:
        report.error(
            mark,
            f"the spec needs a newer labspec, of version {version} of the language",
            f"this one reads version {VERSION}",
        )
        report.check()
    if type(version) is not int or version != VERSION:
        report.error(mark, f"expected the version {VERSION} of the spec language", f"write labspec: {VERSION}")
