"""Lookups: `${{ vars.port }}` in a value stands for a variable or a fact of the lab, and is never an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from labspec.core.diagnostic import did_you_mean
from labspec.spec.report import Mark, Place, Places, Report
from labspec.spec.scalars import as_text, words

OPEN = "${{"
MAX_COPIED = 200_000
"""How much all lookups together may stand for: a value counts one, a long text one for each 64 characters."""
MAX_DEPTH = 100
_MAX_CHAIN = 20
_MAX_OPEN = 50
"""Levels of nesting around a lookup in a variable: what it stands for is resolved inside of them."""
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PATH = rf"{_NAME}(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*"
_LOOKUP = re.compile(rf"(?P<literal>\$\$\{{\{{)|\$\{{\{{[ \t]*(?P<path>{_PATH})[ \t]*\}}\}}|(?P<bad>\$\{{\{{.{{0,40}})")
_ESCAPE = "for plain text write $${{"


class Cell(NamedTuple):
    """What a name stands for."""

    value: Any
    place: Place | None = None
    """None: the value is no part of the spec, and nothing in it is looked up."""


class _Failed:
    """Stands for a value that could not be found; the mistake has been reported."""


_FAILED = _Failed()


class Lookups:
    """Resolves the lookups in values of the spec; mistakes go to the report."""

    def __init__(self, roots: Mapping[str, Mapping[str, Cell]], report: Report) -> None:
        self._roots = roots
        self._report = report
        self._resolved: dict[tuple[str, str], Any] = {}
        self._chain: list[tuple[str, str]] = []
        self._shared: dict[int, Any] = {}
        """Results by the identity of a container, so that what aliases share stays shared."""
        self._copied = 0
        self._depth = 0

    def value(self, root: str, name: str) -> Any:
        """Return what `root.name` stands for; the written value where a lookup in it fails."""
        key = (root, name)
        if key in self._resolved:
            return self._resolved[key]
        cell = self._roots[root][name]
        if cell.place is None:
            return cell.value
        self._chain.append(key)
        self._resolved[key] = found = self.resolve(cell.value, cell.place)
        self._chain.pop()
        return found

    def resolve(self, value: Any, place: Place) -> Any:
        """Return a value with its lookups replaced; one that fails stays as it is written."""
        if isinstance(value, str):
            return self._text(value, place if isinstance(place, int) else place.mark) if OPEN in value else value
        if not isinstance(value, dict | list) or isinstance(place, int):
            return value
        if id(value) in self._shared:
            return self._shared[id(value)]
        self._depth += 1
        self._shared[id(value)] = found = self._container(value, place)
        self._depth -= 1
        return found

    def _container(self, value: dict[str, Any] | list[Any], place: Places) -> Any:
        inner = place.inner
        if isinstance(value, list):
            return [self.resolve(item, inner[index]) for index, item in enumerate(value)]
        for key in value:
            if OPEN in key and place.keys:
                self._report.error(place.keys[key], "a lookup in a key", f"only values are looked up; {_ESCAPE}")
                self._report.failed.add(place.keys[key])
        return {key: self.resolve(item, inner[key]) for key, item in value.items()}

    def _text(self, text: str, mark: Mark) -> Any:
        alone = _LOOKUP.fullmatch(text)
        if alone and alone["path"]:
            found = self._find(alone["path"], mark)
            return self._failed(text, mark) if found is _FAILED else found
        parts: list[str] = []
        end = 0
        for match in _LOOKUP.finditer(text):
            part = self._part(match, mark)
            if part is None:
                return self._failed(text, mark)
            parts += text[end : match.start()], part
            end = match.end()
        return "".join([*parts, text[end:]])

    def _part(self, match: re.Match[str], mark: Mark) -> str | None:
        """Return the text that stands for one lookup among other text; None: there is none."""
        if match["literal"]:
            return OPEN
        if match["bad"]:
            shown = match["bad"].split("\n")[0]
            self._report.error(mark, f"'{shown}' is not a lookup", f"write ${{{{ vars.name }}}}; {_ESCAPE}")
            return None
        path = match["path"]
        found = self._find(path, mark)
        if found is _FAILED:
            return None
        if isinstance(found, dict | list):
            self._report.error(mark, f"{path} is {words(found)}, and cannot stand in the middle of text")
            return None
        if found is None:
            self._report.error(mark, f"{path} has no value", "only a lookup that stands alone can be nothing")
            return None
        return as_text(found)

    def _find(self, path: str, mark: Mark) -> Any:
        root, *names = path.split(".")
        if root not in self._roots:
            hint = (
                did_you_mean(root, self._roots)
                or f"lookups begin with {', '.join(f'{name}.' for name in self._roots)}; {_ESCAPE}"
            )
            return self._missed(mark, f"'{path}' cannot be looked up", hint)
        known = self._roots[root]
        if not names:
            return self._missed(
                mark,
                f"'{path}' alone cannot be looked up",
                f"name one of its values: {root}.{next(iter(known), 'name')}",
            )
        name, *rest = names
        if name not in known:
            return self._missed(mark, f"there is no {root}.{name}", did_you_mean(name, known) or _advice(root, known))
        key = (root, name)
        if key in self._chain:
            cycle = " -> ".join(".".join(step) for step in (*self._chain[self._chain.index(key) :], key))
            return self._missed(mark, f"{root}.{name} stands for itself: {cycle}")
        if len(self._chain) >= _MAX_CHAIN or (self._chain and self._depth > _MAX_OPEN):
            return self._missed(mark, f"{path} is looked up through too many others", "use the value itself")
        found = self.value(root, name)
        if self._broken(key):
            return _FAILED
        for depth, step in enumerate(rest):
            if not isinstance(found, dict):
                whole = ".".join((root, name, *rest[:depth]))
                return self._missed(mark, f"{whole} is {words(found)}, without '{step}' in it")
            if step not in found:
                return self._missed(mark, f"there is no {path}", did_you_mean(step, found))
            found = found[step]
        return found if self._affordable(found, path, mark) else _FAILED

    def _broken(self, key: tuple[str, str]) -> bool:
        """Return whether something in a value could not be looked up, which has been reported there."""
        place = self._roots[key[0]][key[1]].place
        return bool(self._report.failed) and place is not None and has_failed(place, self._report.failed)

    def _affordable(self, value: Any, path: str, mark: Mark) -> bool:
        try:
            self._copied += _weight(value, MAX_COPIED - self._copied)
        except OverflowError as error:
            self._copied = MAX_COPIED
            self._missed(
                mark, f"the lookups stand for too much: {path} {error}", "use fewer of them, or smaller values"
            )
            return False
        return True

    def _missed(self, mark: Mark, message: str, hint: str | None = None) -> _Failed:
        self._report.error(mark, message, hint)
        return _FAILED

    def _failed(self, text: str, mark: Mark) -> str:
        self._report.failed.add(mark)
        return text


def has_failed(place: Place, failed: set[Mark]) -> bool:
    """Return whether one of the marks is somewhere in a place."""
    if isinstance(place, int):
        return place in failed
    inner = place.inner if place.keys is None else place.inner.values()
    return any(has_failed(item, failed) for item in inner)


def _advice(root: str, known: Mapping[str, Cell]) -> str:
    return f"{root} has {', '.join(known)}" if root == "seat" else f"write it under '{root}:'"


def _weight(value: Any, most: int, depth: int = 0) -> int:
    """Return how much a value counts. Raises OverflowError when that is more than `most`, or it is nested too deep."""
    if depth > MAX_DEPTH:
        raise OverflowError(f"has more than {MAX_DEPTH} levels of nesting")
    weight = 1 + (len(value) >> 6 if isinstance(value, str) else 0)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        if weight > most:
            break
        weight += _weight(item, most - weight, depth + 1)
    if weight > most:
        raise OverflowError("is too large")
    return weight
