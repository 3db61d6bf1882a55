"""The contract of a kind: its section of the spec, and its live side."""

from collections.abc import Iterable, KeysView, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic, Position
from labspec.core.diff import Field
from labspec.core.resource import Lab, Observed, Resource

if TYPE_CHECKING:
    from labspec.host.docker import Docker
    from labspec.host.host import Host


class Scope(Protocol):
    """What a section sees of the whole spec while it is turned into resources."""

    lab: str
    """The lab's name."""
    root: str
    """The folder that relative paths start from, absolute: the lab's, or that of a further document."""
    profiles: frozenset[str]
    """The active compose profiles: `lab.profiles` of the spec."""
    languages: tuple[str, ...]
    """Every language of the lab's texts, its own first."""

    def __hash__(self) -> int:
        """Return the same for one document: what is found out about it need not be found out again."""
        ...

    def entry(self, section: str, name: str) -> Mapping[str, Any] | None:
        """Return the written entry `section.name`, lookups resolved, or None."""
        ...

    def names(self, section: str) -> KeysView[str]:
        """Return the names of a section's entries."""
        ...

    def error(self, path: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Report a mistake at `path` of the spec, on its value or (`key`) on its key; validation goes on."""
        ...

    def tentative(self) -> AbstractContextManager[list[Diagnostic]]:
        """Take back what is reported while the block runs; it is in the list afterwards."""
        ...

    def position(self, path: Sequence[str | int], *, key: bool = False) -> Position | None:
        """Return where the value at `path` of the spec, or (`key`) its key, is written."""
        ...

    def file(self, path: Sequence[str | int], relative: str, *, folder: bool = False) -> str | None:
        """Return the absolute path of a file (or folder) of the lab named at `path`.

        Reports and returns None when it is missing or not inside the lab's folder (symlinks resolved).
        """
        ...

    def read(self, absolute: str) -> bytes:
        """Return a file's content, and note that the lab depends on it."""
        ...

    def document(self, path: Sequence[str | int], relative: str) -> "tuple[Any, Scope] | None":
        """Return another YAML file of the lab, named at `path`, and a scope whose errors point into that file.

        Nothing in it is looked up or replaced. Reports and returns None where it is missing or no YAML.
        """
        ...


class Naming(NamedTuple):
    """What the names of a section's entries look like."""

    pattern: str
    """A regular expression, with ^ and $ around it."""
    hint: str
    """What to try where a name is not so."""


class Section(Protocol):
    """One section of the spec: a mapping from names to entries.

    A section whose names are not those of Docker objects says so by `naming` (section.py). One that has no names of
    the user's choice lists them as `entries`, and its schema has a definition for each. One that may be a list of names
    has `listed`, from the registry.
    """

    name: str
    """The key at the top of the spec; `above.key` for one inside another."""
    kind: str
    """The first part of its addresses."""

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry to `scope.error`, and return whether there was none."""
        ...

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return what one entry of good form asks for; mistakes of meaning go to `scope.error`."""
        ...

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of one entry, with a description for every key."""
        ...


class Part(Protocol):
    """A key at the top of the spec that asks for no object on the host."""

    name: str
    """The key."""

    def read(self, value: Any, scope: Scope, resources: Sequence[Resource], parts: Mapping[str, Any]) -> Any:
        """Return what the value says as JSON values, the same however it is spelt; mistakes go to `scope.error`.

        `parts` are those read before. None where there are mistakes.
        """
        ...

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the value, with a description for every key."""
        ...


class Reading(NamedTuple):
    """What the kinds need to read the host."""

    lab: Lab
    host: "Host"
    applied: Mapping[str, Mapping[str, str]] = {}
    """Object id -> field -> digest, for what was changed in place."""
    journal: Mapping[str, Mapping[str, Any]] = {}
    """Address -> entry (host/journal.py), for what carries no labels."""
    leaving: bool = False
    """The lab is about to be removed."""

    @property
    def docker(self) -> "Docker":
        """The Docker engine."""
        return self.host.docker


class Live(Protocol):
    """The live side of a kind.

    One that asks systemd about units names them by `units(reading)` too, so that those of all kinds are asked for at
    once; one that cannot be without a program says so by `missing(host)`.
    """

    kind: str
    fields: tuple[Field, ...]
    """What is compared, in the order in which differences are told."""

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Return the objects of this lab that the host has, and those without owner that a resource names."""
        ...

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes `observed` into `desired`, or None where it is so already. Pure.

        Without `desired` the object is removed; without `observed` it is made. Both are never None.
        """
        ...

    def problems(self, changes: Sequence[Change], lab: Lab, host: "Host") -> Iterable[Diagnostic]:
        """Return what stands in the way of these changes: a name or port that somebody else has."""
        ...

    def waits(self, resource: Resource) -> Iterable[Step]:
        """Return steps that end once the object does what it should (healthy), or raise LabError."""
        ...

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return what in a resource gives away more than a lab should."""
        ...
