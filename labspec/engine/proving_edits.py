"""Edits to a spec, and the ways to spoil any entry of it: each key taken away or twisted, and at last the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labspec.core.resource import Resource
from labspec.engine.proving_acts import Act, StopContainer, StopUnit
from labspec.engine.proving_twists import twisted
from labspec.kinds import sections

DROP = object()
"""The value of an edit that takes a key away."""

Values = Mapping[str, Any]
"""The sections of a spec by name, includes taken in and lookups replaced."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """A change to the spec: `path` begins with a section and an entry."""

    path: Path
    value: Any

    def __str__(self) -> str:
        where = ".".join(self.path)
        return f"{where} taken away" if self.value is DROP else f"{where}: {_shown(self.value)}"


@dataclass(frozen=True)
class Mutation:
    """One way to break the lab: a changed spec that is applied, or something done to the host behind its back."""

    address: str
    """What is broken."""
    edits: tuple[Edit, ...] = ()
    act: Act | None = None

    @property
    def removes(self) -> bool:
        """Whether it takes a whole entry out of the spec."""
        return any(edit.value is DROP and len(edit.path) == 2 for edit in self.edits)

    def __str__(self) -> str:
        return str(self.act) if self.act else ", ".join(map(str, self.edits))

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mutation) and str(self) == str(other)


def edited(values: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Make edits to the sections of a spec; what they replace is not changed, but copied."""
    for edit in edits:
        here = values
        for step in edit.path[:-1]:
            here[step] = dict(here[step]) if isinstance(here.get(step), Mapping) else {}
            here = here[step]
        if edit.value is DROP:
            here.pop(edit.path[-1], None)
        else:
            here[edit.path[-1]] = edit.value


def _place(address: str) -> Path | None:
    """Return where the spec says what an address is, as section and entry."""
    if address.startswith("stack."):
        return "stacks", address.split(".")[1]
    for section in sections():
        if address.startswith(f"{section.kind}.") and section.kind not in ("stack", "secret", "config"):
            return section.name, address.removeprefix(f"{section.kind}.")
    return None


def written(address: str, values: Values) -> tuple[Path, Mapping[str, Any]] | None:
    """Return where the spec has an address, as section and entry, and what it says; None where it says nothing."""
    path = _place(address)
    entries = values.get(path[0]) if path else None
    if path is None or not isinstance(entries, Mapping) or path[1] not in entries:
        return None
    entry = entries[path[1]]
    return path, entry if isinstance(entry, Mapping) else {}


def spoilt_entry(resource: Resource, spoils: Sequence[str], values: Values, *, only_spoils: bool) -> Iterator[Mutation]:
    """Yield an entry without each of its keys, or with another value; at last the lab without it."""
    found = written(resource.address, values)
    if found is None:
        return
    path, entry = found
    if resource.address.startswith("stack."):
        if not only_spoils:
            yield Mutation(resource.address, (Edit(path, DROP),))
        return
    # An image is built anew for long minutes: only what its build is told is worth that.
    known = [key for key in entry if resource.kind != "image" or key == "build_args"]
    known = [key for key in known if resource.kind != "service" or key not in ("image", "build")]
    keys = [key for key in spoils if key in known] if only_spoils else known
    for key in keys:
        for value in (*twisted(resource.kind, key, entry[key]), DROP):
            yield Mutation(resource.address, (Edit((*path, key), value),))
    if resource.kind == "unit" and not only_spoils:
        for part in ("Unit", "Service", "Install"):
            for key in entry.get(part) or ():
                yield Mutation(resource.address, (Edit((*path, part, key), DROP),))
    if not only_spoils and resource.kind != "image":
        yield Mutation(resource.address, (Edit(path, DROP),))


def stops(resource: Resource) -> Iterator[Mutation]:
    """Yield how something that runs is stopped."""
    if resource.kind == "service":
        yield Mutation(resource.address, act=StopContainer(resource.address))
    elif resource.kind in ("unit", "rkt", "machine"):
        unit = str(resource.options.get("unit") or resource.name)
        yield Mutation(resource.address, act=StopUnit(unit if "." in unit else f"{unit}.service"))


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
