"""The section `lab`: what the lab is called, for people and for the host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from labspec.core.diagnostic import did_you_mean
from labspec.core.wording import Words
from labspec.spec.report import Place, Places, Report, find
from labspec.spec.scalars import words

NAME_PATTERN: Final = "^[a-z0-9][a-z0-9_-]*$"
PROFILE_PATTERN: Final = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
LONGEST_NAME: Final = 40
LANGUAGES: Final = ("en", "fr")

KEYS: Final[Mapping[str, dict[str, Any]]] = {
    "name": {
        "type": "string",
        "pattern": NAME_PATTERN,
        "maxLength": LONGEST_NAME,
        "description": "The lab's name: the compose project, and the beginning of every name on the host.",
        "examples": ["tp1"],
    },
    "title": {
        "anyOf": [
            {"type": "string"},
            {"type": "object", "propertyNames": {"enum": list(LANGUAGES)}, "additionalProperties": {"type": "string"}},
        ],
        "description": "The title, for people; {en: ..., fr: ...} in several languages.",
        "examples": ["Containers and isolation"],
    },
    "language": {
        "enum": list(LANGUAGES),
        "default": LANGUAGES[0],
        "description": "The language of the lab's text: en or fr.",
    },
    "languages": {
        "type": "array",
        "items": {"enum": list(LANGUAGES)},
        "description": "Every language that the sheet is printed in; texts are then {en: ..., fr: ...}, or the same in "
        "all of them.",
        "examples": [["fr", "en"]],
    },
    "duration": {"type": "string", "description": "How long the lab takes.", "examples": ["3h"]},
    "authors": {"type": "array", "items": {"type": "string"}, "description": "Who wrote the lab."},
    "description": {"type": "string", "description": "What the lab is about; it may have several lines."},
    "profiles": {
        "type": "array",
        "items": {"type": "string", "pattern": PROFILE_PATTERN},
        "description": "The active compose profiles: services of other profiles are left out.",
        "examples": [["debug"]],
    },
}
"""The JSON Schema of each key."""


class Head(NamedTuple):
    """What the section says."""

    name: str
    title: Words = ""
    language: str = LANGUAGES[0]
    languages: tuple[str, ...] = (LANGUAGES[0],)
    profiles: frozenset[str] = frozenset()


def is_misspelt(word: str, keys: Iterable[str], known: Iterable[str]) -> bool:
    """Return whether one of the keys is unknown and near to `word`, which is then told by that mistake alone."""
    names = set(known)
    return any(did_you_mean(key, names) == f"did you mean '{word}'?" for key in keys if key not in names)


def read_head(value: Any, places: Place, known: Iterable[str], report: Report) -> Head:
    """Return the section `lab` of a spec, whose places those are; `known` are the keys that a spec may have.

    Mistakes are reported, and a default stands in for what is wrong.
    """
    if value is None:
        if not (isinstance(places, Places) and is_misspelt("lab", places.keys or (), known)):
            mark = find(places, ("lab",), key=True)
            report.error(mark, "the spec does not name its lab", "write lab: {name: my-lab}")
        return Head("lab")
    if not isinstance(value, dict):
        message = f"expected a mapping, found {words(value)}"
        report.error(find(places, ("lab",)), message, "write lab: {name: my-lab}")
        return Head("lab")
    for key in value:
        if key not in KEYS:
            hint = did_you_mean(key, KEYS) or f"known keys: {', '.join(KEYS)}"
            report.error(find(places, ("lab", key), key=True), f"unknown key '{key}' in 'lab'", hint)
    if value.get("name") is None and not is_misspelt("name", value, KEYS):
        report.error(find(places, ("lab",), key=True), "'lab' lacks the key 'name'", "write lab: {name: my-lab}")
    good = {key: item for key, item in value.items() if key in KEYS and _is_good(key, item, places, report)}
    language = good.get("language") or LANGUAGES[0]
    languages = tuple(dict.fromkeys((language, *(good.get("languages") or ()))))
    title = good.get("title") or ""
    lacking = [name for name in languages if isinstance(title, dict) and name not in title]
    if lacking:
        report.error(find(places, ("lab", "title")), f"the title is not there in {', '.join(lacking)}", "add it")
    return Head(good.get("name") or "lab", title, language, languages, frozenset(good.get("profiles") or ()))


def _is_good(key: str, value: Any, places: Place, report: Report) -> bool:
    """Return whether a value is what its key takes; what is wrong is reported."""
    if value is None:
        return False
    path: tuple[str | int, ...] = ("lab", key)
    if key == "title" and isinstance(value, dict):
        return all([_is_translation(name, text, (*path, name), places, report) for name, text in value.items()])  # noqa: C419
    if KEYS[key].get("type") != "array":
        return _is_text(key, value, path, places, report)
    if not isinstance(value, list):
        report.error(find(places, path), f"expected a list, found {words(value)}", f"write {key}: [one, two]")
        return False
    return all([_is_text(key, item, (*path, index), places, report) for index, item in enumerate(value)])  # noqa: C419


def _is_translation(language: str, value: Any, path: tuple[str | int, ...], places: Place, report: Report) -> bool:
    if language not in LANGUAGES:
        hint = did_you_mean(language, LANGUAGES) or f"languages: {', '.join(LANGUAGES)}"
        report.error(find(places, path, key=True), f"{language!r} is no language of a sheet", hint)
        return False
    return _is_text("title", value, path, places, report)


def _is_text(key: str, value: Any, path: tuple[str | int, ...], places: Place, report: Report) -> bool:
    mark = find(places, path)
    if not isinstance(value, str):
        hint = "put it in quotes" if isinstance(value, int | float) else None
        report.error(mark, f"expected text, found {words(value)}", hint)
        return False
    found = _complaint(key, value)
    if found:
        report.error(mark, *found)
    return not found


def _complaint(key: str, value: str) -> tuple[str, str | None] | None:
    control = next(
        (char for char in value if not char.isprintable() and not (char.isspace() and char in "\n\t ")), None
    )
    if control is not None and (control < " " or "\x7f" <= control <= "\x9f" or control in "\u2028\u2029"):
        return f"control character {control!r} in the text", "remove it"
    if key == "name" and not re.fullmatch(NAME_PATTERN[1:-1], value):
        return (
            f"{value!r} is no name of a lab",
            "use lower-case letters, digits, '-' and '_'; begin with a letter or digit",
        )
    if key == "name" and len(value) > LONGEST_NAME:
        return f"the name is too long: {len(value)} characters, of at most {LONGEST_NAME}", None
    if key in ("language", "languages") and value not in LANGUAGES:
        return f"expected {' or '.join(LANGUAGES)}, found {value!r}", did_you_mean(value, LANGUAGES)
    if key == "profiles" and not re.fullmatch(PROFILE_PATTERN[1:-1], value):
        return f"{value!r} is no name of a profile", None
    return None
