"""What checks of good form mean: defaults filled in, matchers in canonical form, references held against the lab."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from labspec.checks.dialling import host_of, is_address
from labspec.checks.keys import API_PATH, HOST, LINE, MATCH, MATCHES, PLACE, SIZES, URL, Key
from labspec.checks.kind import Kind
from labspec.checks.kinds import REGISTRY, kind
from labspec.checks.matchers import canonical
from labspec.core.diagnostic import did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.compose.values import nanoseconds
from labspec.kinds.provider import Scope
from labspec.kinds.refused import is_refused
from labspec.kinds.section import check_languages, size_bytes

BRACES = re.compile(r"\{([^{}]*)\}")
RUNNING = ("service", "unit", "bundle", "rkt", "machine")
"""Kinds of objects that have processes."""
DOCKER = ("service",)
LOOK_SECONDS = 5.0
RETRY_SECONDS = 0.5
LONGEST_SECONDS = 3600.0
SIZE_WORDS = ("unlimited",)

Path = tuple[str | int, ...]


class Meaning:
    """Reads checks of one spec."""

    def __init__(self, scope: Scope, resources: Sequence[Resource]) -> None:
        self._scope = scope
        self._resources = resources
        self._known = {resource.address: resource for resource in resources}

    def checks(self, entries: Sequence[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]] | None:
        """Return checks in canonical form; mistakes are reported."""
        places: dict[str, int] = {}
        for index, entry in entries:
            first = places.setdefault(entry["id"], index)
            if first != index:
                self._scope.error(("checks", index, "id"), f"there are two checks '{entry['id']}'", "rename one")
        made = [self._check(index, entry) for index, entry in entries]
        self._needs(entries, places)
        return [one for one in made if one is not None]

    def _check(self, index: int, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        path = ("checks", index)
        named = [name for name in REGISTRY if entry.get(name) is not None]
        if len(named) != 1:
            said = "says nothing to look at" if not named else f"looks at {' and '.join(named)}"
            self._scope.error(path, f"check '{entry['id']}' {said}", f"it takes one of {', '.join(REGISTRY)}")
            return None
        for words in ("title", "hint"):
            check_languages(entry.get(words), (*path, words), self._scope)
        one = kind(named[0])
        what, addresses = self._what(one, entry[one.name], (*path, one.name))
        about = self._addresses(entry.get("about") or (), (*path, "about"))
        retry = entry.get("retry") or {}
        related = list(one.related(what, self._resources)) if what is not None else []
        return {
            "id": entry["id"],
            "title": entry.get("title") or "",
            "hint": entry.get("hint") or "",
            "kind": one.name,
            "points": entry.get("points", 1),
            "audience": [entry["audience"]] if entry.get("audience") else ["student", "teacher"],
            "reveal": entry.get("reveal", True),
            "needs": list(entry.get("needs") or ()),
            "for": self._seconds(retry.get("for"), 0.0, (*path, "retry", "for")),
            "every": self._seconds(retry.get("every"), RETRY_SECONDS, (*path, "retry", "every")),
            "timeout": self._seconds(entry.get("timeout"), LOOK_SECONDS, (*path, "timeout")),
            "about": list(dict.fromkeys((*about, *addresses, *related))),
            "what": what or {},
        }

    def _what(self, one: Kind, entry: Mapping[str, Any], path: Path) -> tuple[dict[str, Any] | None, list[str]]:
        """Return what a check of a kind says, and the addresses that it names."""
        what: dict[str, Any] = {}
        addresses: list[str] = []
        for key in one.keys:
            value = entry.get(key.name)
            if value is None:
                if key.type == PLACE and key.name == "in":
                    what[key.name] = HOST
                continue
            where = (*path, key.name)
            addresses += self._references(one, key, value, where)
            what[key.name] = self._canonical(key, value, where)
        fine = "in" not in what or what["in"] == HOST or what["in"] in self._known
        return (what if fine else None), [address for address in addresses if address in self._known]

    def _canonical(self, key: Key, value: Any, where: Path) -> Any:
        if key.type == MATCH:
            return canonical(value)
        if key.type == MATCHES:
            return {name: canonical(matcher) for name, matcher in value.items()}
        if key.type != SIZES:
            return value
        try:
            return canonical(value, _size)
        except ValueError as error:
            self._scope.error(where, str(error))
            return {}

    def _references(self, one: Kind, key: Key, value: Any, where: Path) -> list[str]:
        """Return the addresses that a key names; one that the lab does not have is reported."""
        if key.type == PLACE:
            if value == HOST:
                return []
            return self._addresses([value], where, DOCKER if one.name == "container" else RUNNING, host=True)
        found: list[str] = []
        if key.type == URL:
            found = [host for host in [host_of(value)] if is_address(host)]
        elif key.type == API_PATH:
            found = BRACES.findall(value)
        elif key.type == LINE and key.name == "host" and is_address(value):
            found = [value]
        elif key.type == LINE and one.name == "unit" and value.startswith("unit."):
            return self._addresses([value], where, ("unit",))
        return self._addresses(found, where, DOCKER if key.type != API_PATH else ())

    def _addresses(
        self, named: Sequence[str], where: Path, kinds: Sequence[str] = (), *, host: bool = False
    ) -> list[str]:
        """Return the addresses that the lab has, each of one of some kinds (none: of any); report the others."""
        fitting = {name for name, found in self._known.items() if not kinds or found.kind in kinds}
        good = []
        for index, name in enumerate(named):
            place = (*where, index) if where[-1] == "about" else where
            if name in fitting:
                good.append(name)
            elif name in self._known:
                wanted = " or ".join(kinds)
                self._scope.error(place, f"'{name}' is no {wanted}: there is nothing such to look at in it")
            elif not is_refused(name, self._known, self._scope):
                listed = ", ".join(sorted(fitting)[:8])
                hint = did_you_mean(name, fitting | ({HOST} if host else set()))
                self._scope.error(place, f"the lab has no '{name}'", hint or (f"it has {listed}" if listed else None))
        return good

    def _needs(self, entries: Sequence[tuple[int, Mapping[str, Any]]], places: Mapping[str, int]) -> None:
        needs = {entry["id"]: [need for need in entry.get("needs") or () if need in places] for _, entry in entries}
        for index, entry in entries:
            for position, need in enumerate(entry.get("needs") or ()):
                if need not in places:
                    hint = did_you_mean(need, places)
                    self._scope.error(("checks", index, "needs", position), f"there is no check '{need}'", hint)
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            ring = error.args[1]
            place = ("checks", places[ring[0]], "needs")
            self._scope.error(place, f"these checks need each other: {' -> '.join(ring)}", "take one of the needs out")

    def _seconds(self, text: str | None, default: float, where: Path) -> float:
        if text is None:
            return default
        seconds = nanoseconds(text) / 1e9
        if not 0 < seconds <= LONGEST_SECONDS:
            self._scope.error(where, f"{text} is no time to wait", "write more than nothing, and at most 1h")
        return seconds


def _size(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(  # noqa: TRY004  told as every other mistake
            f"{value!r} is not a size: write a number of bytes, or a number with k, m or g such as 100m"
        )
    return value if value in SIZE_WORDS else size_bytes(value)
