"""A thing that the spec wants (Resource) and a thing that the host has (Observed), in one vocabulary of fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labspec.core.diagnostic import Position
from labspec.core.wording import Words

LAB_LABEL = "io.labspec.lab"
ADDRESS_LABEL = "io.labspec.address"
HASH_LABEL = "io.labspec.hash"
FIELDS_LABEL = "io.labspec.fields"


@dataclass(frozen=True, slots=True)
class Resource:
    """A desired object.

    `desired` holds, in canonical form, just the fields that the spec sets; `options` what the kind needs to make the
    object but never compares. Both are JSON values, so that a validated lab can be stored and read back.
    """

    address: str
    kind: str
    name: str
    """The object's name on the host."""
    desired: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Addresses that must be there before this one."""
    project: str = ""
    """The compose project that the object belongs to."""
    at: Position | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """An object found on the host: `state` has every field that the host reports, in canonical form."""

    address: str
    kind: str
    id: str
    name: str
    state: Mapping[str, Any] = field(default_factory=dict)
    applied: Mapping[str, str] = field(default_factory=dict)
    """Field -> digest of the value that labspec last applied; empty for an object that labspec did not make."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Field -> what the host gives it when the spec says nothing (an image's command, say)."""
    owned: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a kind wants to remember of the object and never compares: running, health, users."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A validated lab: everything that planning needs, and nothing but JSON values and positions."""

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
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What the spec says beside its objects, by key (`checks`, `handout`), as labspec.spec.parts has read it."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Every file that was read to make this lab -> the SHA-256 of its content, in hex."""

    _by_address: dict[str, Resource] = field(default_factory=dict, init=False, repr=False, compare=False)

    def by_address(self) -> Mapping[str, Resource]:
        """Return the resources by address; made once, since each of many resources may ask."""
        if not self._by_address:
            self._by_address.update((resource.address, resource) for resource in self.resources)
        return self._by_address
