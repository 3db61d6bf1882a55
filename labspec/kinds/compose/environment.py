"""Files of NAME=VALUE lines as compose reads them, and the environment that a service gets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from labspec.core.diff import digest
from labspec.host import inputs
from labspec.kinds.compose.interpolate import InterpolationError, substitute
from labspec.kinds.compose.project import Path, Project
from labspec.kinds.compose.values import boolean, optional_mapping

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z0-9_][A-Za-z0-9_.\[\]-]*)\s*(?:[=:]\s*(.*))?")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class Environment(NamedTuple):
    """What a service gets: name -> value, None for one that the image is to lose; `secret` are never shown."""

    values: dict[str, str | None]
    secret: frozenset[str]

    def canonical(self) -> dict[str, str | None]:
        """Return the values, the secret ones as their digest."""
        return {
            name: f"(secret {digest(value)})" if name in self.secret and value is not None else value
            for name, value in self.values.items()
        }


def service_environment(key: str, entry: Mapping[str, Any], project: Project) -> Environment:
    """Return the environment of a service: its files in order, then `environment` above them.

    A name without value takes this process's, as compose has it, and where that has none the container has none.
    """
    values: dict[str, str | None] = {}
    for absolute, path, raw in env_files(key, entry, project):
        try:
            text = project.scope.read(absolute).decode("utf-8")
            values |= parse_env_file(text, inputs.variable, raw=raw)
        except (ValueError, InterpolationError) as error:
            project.error(path, f"the file of variables cannot be read: {error}")
    secret = set(values)
    for name, value in optional_mapping(entry.get("environment")).items():
        if value is None:
            values[name] = inputs.variable(name)
            secret.add(name)
        else:
            values[name] = value
            secret.discard(name)
    secret |= project.secret.get(key, frozenset())
    return Environment(values, frozenset(secret))


def env_files(key: str, entry: Mapping[str, Any], project: Project) -> list[tuple[str, Path, bool]]:
    """Return (absolute path, place in the spec, whether it is raw) of each file of `env_file` that is there."""
    given = entry.get("env_file")
    found = []
    for index, item in enumerate([given] if isinstance(given, str) else given or ()):
        path = project.at(key, "env_file") if isinstance(given, str) else project.at(key, "env_file", index)
        name = item if isinstance(item, str) else item["path"]
        optional = isinstance(item, Mapping) and not boolean(item.get("required", True))
        if optional and not inputs.is_there(os.path.join(project.scope.root, name)):  # noqa: PTH118  text, not files
            continue
        absolute = project.file(path, name)
        if absolute is not None:
            found.append((absolute, path, isinstance(item, Mapping) and item.get("format") == "raw"))
    return found


def parse_env_file(
    text: str, lookup: Callable[[str], str | None] = lambda _: None, *, raw: bool = False
) -> dict[str, str | None]:
    """Return name -> value of a file of variables; None for a name that `lookup` does not know either.

    Values may be in quotes, over several lines too; `$NAME` outside of single quotes stands for a variable from above
    or from `lookup`. Raises ValueError with the line of a mistake.
    """
    found: dict[str, str | None] = {}
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise ValueError(f"line {number} is not NAME=VALUE")
        name, value = match[1], match[2]
        if value is None:
            found[name] = lookup(name)
            continue
        if raw:
            found[name] = value
            continue
        quote = value[:1]
        if quote in ("'", '"'):
            start = number
            while (end := _closing(value, quote)) < 0:
                if number == len(lines):
                    raise ValueError(f"line {start}: a quote {quote} is not closed")
                value += "\n" + lines[number]
                number += 1
            rest = value[end + 1 :].strip()
            if rest and not rest.startswith("#"):
                raise ValueError(f"line {number}: something follows the closing quote")
            inner = value[1:end]
            found[name] = inner.replace("\\'", "'") if quote == "'" else _expanded(_unescaped(inner), found, lookup)
            continue
        bare = re.split(r"\s#", value, maxsplit=1)[0].strip()
        found[name] = _expanded(bare, found, lookup)
    return found


def _closing(value: str, quote: str) -> int:
    index = 1
    while index < len(value):
        if value[index] == "\\":
            index += 2
            continue
        if value[index] == quote:
            return index
        index += 1
    return -1


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]) if match[1] != "$" else "$$", value)


def _expanded(value: str, above: Mapping[str, str | None], lookup: Callable[[str], str | None]) -> str:
    if "$" not in value:
        return value

    def variable(name: str) -> str | None:
        return above[name] if above.get(name) is not None else lookup(name)

    return substitute(value, variable, strict=False)
