"""Checks services and whole compose files by the Compose specification, and tells each mistake at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labspec.kinds.compose.form import form_mistakes
from labspec.kinds.compose.meaning import control_character, meaning_mistakes
from labspec.kinds.mistake import Mistake
from labspec.kinds.naming import NAME_PATTERN
from labspec.kinds.provider import Scope

Path = Sequence[str | int]

_NAMED = ("services", "networks", "volumes", "secrets", "configs")


def check_service(entry: Any, path: Path, what: str, scope: Scope) -> bool:
    """Report every mistake of form in the service at `path`, named `what`; return whether there was none."""
    return check_definition("service", entry, path, what, scope)


def check_definition(definition: str, entry: Any, path: Path, what: str, scope: Scope) -> bool:
    """Report as `check_service`, for a part of a compose file: "service", "secret", "config"."""
    mistakes = list(form_mistakes(entry, what, definition))
    if not mistakes and definition == "service":
        mistakes = list(meaning_mistakes(entry, what))
    return _report(mistakes, path, scope)


def check_document(
    document: Any, scope: Scope, path: Path = (), what: str = "the compose file", *, whole: bool = True
) -> bool:
    """Report every mistake of form in a whole compose file at `path`; return whether there was none.

    Not `whole`: some variables in it could not be replaced, so values are not read.
    """
    mistakes = list(form_mistakes(document, what))
    if isinstance(document, Mapping):
        mistakes += _refused(document, what)
        mistakes += _names(document)
        if not mistakes and whole:
            for name, entry in (document.get("services") or {}).items():
                mistakes += (
                    _below(("services", name), found) for found in meaning_mistakes(entry, f"service '{name}'")
                )
    return _report(mistakes, path, scope)


def _refused(document: Mapping[str, Any], what: str) -> Iterable[Mistake]:
    hints = {
        "include": "give each included file a stack of its own, or copy what it says into this one",
        "models": "labspec runs containers only",
        "jobs": "labspec runs services only",
    }
    for key, hint in hints.items():
        if key in document:
            yield Mistake((key,), f"'{key}' in {what} is not supported", hint, key=True)
    if not document.get("services"):
        yield Mistake((), f"{what} has no services", "a stack is made of them: write services: {web: {image: ...}}")


def _names(document: Mapping[str, Any]) -> Iterable[Mistake]:
    for section in _NAMED:
        entries = document.get(section)
        for name in entries if isinstance(entries, Mapping) else ():
            if not re.fullmatch(NAME_PATTERN, name) and not control_character(name):
                hint = "use letters, digits, '_', '.' and '-', and begin with a letter or digit"
                yield Mistake((section, name), f"{name!r} is not a name", hint, key=True)


def _below(path: tuple[str | int, ...], mistake: Mistake) -> Mistake:
    return Mistake((*path, *mistake.path), mistake.message, mistake.hint, mistake.key)


def _report(mistakes: Iterable[Mistake], path: Path, scope: Scope) -> bool:
    """Report mistakes, one for each place, and return whether there was none."""
    told: set[tuple[tuple[str | int, ...], bool]] = set()
    for mistake in mistakes:
        place = (mistake.path, mistake.key)
        if place not in told:
            told.add(place)
            scope.error((*path, *mistake.path), mistake.message, mistake.hint, key=mistake.key)
    return not told
