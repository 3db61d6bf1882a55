"""JSON files of other tools as values, with mistakes told in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, Position

_MOST = 4 * 2**20


def read_object(file: Path) -> tuple[dict[str, Any], str]:
    """Return the object in a JSON file, and the text.

    Raises LabError for anything else, or a key that comes twice with another value.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read {file}: {error.strerror}") from error
    if len(content) > _MOST:
        raise LabError(f"{file} is too large")
    try:
        text = content.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise LabError(f"{file} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        at = Position(str(file), error.lineno, error.colno)
        source = text.splitlines()[error.lineno - 1 : error.lineno]
        message = error.msg[:1].lower() + error.msg[1:]
        raise LabError(Diagnostic(f"not JSON: {message}", at, source=source[0] if source else "")) from None
    except RecursionError as error:
        raise LabError(f"{file} is nested too deeply") from error
    except ValueError as error:
        raise LabError(f"{file}: {error}") from None
    if not isinstance(found, dict):
        raise LabError(f"{file} is no JSON object")
    return found, text


def place_of(file: Path, text: str, key: str) -> tuple[Position | None, str | None]:
    """Return the first line with a key in a JSON text, as a position and the line; None where there is none."""
    for number, line in enumerate(text.splitlines(), 1):
        column = line.find(json.dumps(key))
        if column >= 0:
            return Position(str(file), number, column + 1), line
    return None, None


def escaped(value: Any) -> Any:
    """Return a value whose text is none of labspec's lookups."""
    if isinstance(value, str):
        return value.replace("${{", "$${{")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise ValueError(f"the key '{name}' is there twice")
    return found
