"""A thing that the spec wants (Resource) and a thing that the host has (Observed), in one vocabulary of fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from labspec.core.diagnostic import Position
from labspec.core.wording import Words

LAB_LABEL = "io.labspec.lab"
ADDRESS_LABEL = "io.labspec.address"
HASH_LABEL = "io.labspec.hash"
FIELDS_LABEL = "io.labspec.fields"
SECRETS_LABEL = "io.labspec.secrets"
"""Names of a container's variables that are never shown, with commas between them."""


class Resource(NamedTuple):
    """A desired object.

    `desired` holds, in canonical form, just the fields that the spec sets; `options` what the kind needs to make the
    object but never compares. Both are JSON values, so that a validated lab can be stored and read back.
    """

    address: str
    kind: str
    name: str
    """The object's name on the host."""
    desired: Mapping[str, Any] = {}
    options: Mapping[str, Any] = {}
    needs: tuple[str, ...] = ()
    """Addresses that must be there before this one."""
    project: str = ""
    """The compose project that the object belongs to."""
    at: Position | None = None


class Observed(NamedTuple):
    """An object found on the host: `state` has every field that the host reports, in canonical form."""

    address: str
    kind: str
    id: str
    name: str
    state: Mapping[str, Any] = {}
    applied: Mapping[str, str] = {}
    """Field -> digest of the value that labspec last applied; empty for an object that labspec did not make."""
    defaults: Mapping[str, Any] = {}
    """Field -> what the host gives it when the spec says nothing (an image's command, say)."""
    owned: bool = True
    facts: Mapping[str, Any] = {}
    """What a kind wants to remember of the object and never compares: running, health, users."""


class _Lab(NamedTuple):
    name: str
    root: str
    """The lab's folder, absolute."""
    file: str
    """The spec, absolute."""
    resources: tuple[Resource, ...] = ()
    title: Words = ""
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    """Every language that the lab's texts are there in."""
    parts: Mapping[str, Any] = {}
    """What the spec says beside its objects, by key (`checks`, `handout`), as labspec.spec.parts has read it."""
    files: Mapping[str, str] = {}
    """Every file that was read to make this lab -> the SHA-256 of its content, in hex."""


def _grouped(resources: Iterable[Resource], key: Callable[[Resource], str]) -> Mapping[str, Sequence[Resource]]:
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        found.setdefault(key(resource), []).append(resource)
    return found


class Lab(_Lab):
    """A validated lab: everything that planning needs, and nothing but JSON values and positions."""

    @cached_property
    def by_address(self) -> Mapping[str, Resource]:
        """The resources by address; made once, since each of many resources may ask."""
        return {resource.address: resource for resource in self.resources}

    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Resource]]:
        """The resources of each kind, in the order of the spec; kinds that the lab does not have are left out."""
        return _grouped(self.resources, lambda resource: resource.kind)

    @cached_property
    def by_project(self) -> Mapping[str, Sequence[Resource]]:
        """The resources of each compose project, in the order of the spec; "" has those that are in none."""
        return _grouped(self.resources, lambda resource: resource.project)
