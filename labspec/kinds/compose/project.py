"""A compose project while its services are turned into resources: what is defined beside them, and where."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from labspec.core.diagnostic import did_you_mean
from labspec.host import inputs
from labspec.kinds.compose.interpolate import interpolate
from labspec.kinds.compose.object import host_name
from labspec.kinds.compose.values import texts
from labspec.kinds.image.names import normal_tag
from labspec.kinds.provider import Scope

Path = tuple[str | int, ...]

SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
DEFAULT_NETWORK = "default"


@dataclass(frozen=True)
class Project:
    """The services of a lab, or of one stack, with the networks, volumes, secrets and configs beside them.

    Of a lab they are as they are written: what is beside a service may be of bad form, which is told elsewhere.
    """

    name: str
    """The name of the compose project."""
    prefix: str
    """What addresses begin with: "" for the lab itself, "stack.portainer." for a stack."""
    scope: Scope
    """Where the project is written, and where its relative paths start."""
    path: Path
    """Where in that document the sections are."""
    sections: Mapping[str, Mapping[str, Any]]
    profiles: frozenset[str]
    lab: Scope
    """The spec, whose images every project may use."""
    variables: Mapping[str, str] | None = None
    """What `$NAME` stands for; None where it is the user's own text."""
    secret: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Service -> names of variables whose value in `environment` is never shown."""

    @classmethod
    @lru_cache(maxsize=1)
    def of_lab(cls, scope: Scope) -> Project:
        """Return the project of the lab's own services; every image and service of the spec asks for it."""
        sections = {section: dict(_entries(scope, section)) for section in SECTIONS}
        return cls(scope.lab, "", scope, (), sections, scope.profiles, scope)

    def interpolated(self, value: Any, scope: Scope, path: Path) -> Any:
        """Return a value of another file, at `path` there, with the project's variables replaced."""
        return value if self.variables is None else interpolate(value, self.variables, scope.error, path)

    def address(self, kind: str, key: str) -> str:
        """Return the address of one of its objects."""
        return f"{self.prefix}{kind}.{key}"

    def at(self, service: str, *path: str | int) -> Path:
        """Return where something of a service is written."""
        return (*self.path, "services", service, *path)

    def error(self, path: Path, message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Report a mistake."""
        self.scope.error(path, message, hint, key=key)

    def active(self, service: str) -> bool:
        """Return whether a service takes part: it has no profiles, or an active one."""
        profiles = texts(self.sections["services"][service].get("profiles"))
        return not profiles or not self.profiles.isdisjoint(profiles)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The services that take part, in the order of their names."""
        return tuple(name for name in sorted(self.sections["services"]) if self.active(name))

    @cached_property
    def builders(self) -> Mapping[str, str]:
        """Tag -> service of the images that its services build; of those that build the same one, the first."""
        found: dict[str, str] = {}
        for name in self.services:
            if self.sections["services"][name].get("build") is not None:
                found.setdefault(self.built_tag(name), name)
        return found

    def builds_first(self, service: str) -> bool:
        """Return whether a service that builds is the first to build its image, or builds another one of that name."""
        first = self.builders[self.built_tag(service)]
        services = self.sections["services"]
        return first == service or services[first]["build"] != services[service]["build"]

    @cached_property
    def first_on_default(self) -> str | None:
        """The first service, by name, that joins the default network."""
        services = self.sections["services"]
        return next((name for name in self.services if DEFAULT_NETWORK in service_networks(services[name])), None)

    def built_tag(self, service: str) -> str:
        """Return the tag of the image that a service builds: its `image`, or compose's default for it."""
        return normal_tag(str(self.sections["services"][service].get("image") or f"{self.name}-{service}"))

    def volume(self, key: str) -> str:
        """Return the host's name of a volume."""
        return self._host_name("volumes", key)

    def network(self, key: str) -> str:
        """Return the host's name of a network; the default one need not be written."""
        return self._host_name("networks", key)

    def _host_name(self, section: str, key: str) -> str:
        return host_name(self.name, key, self.sections[section].get(key, {}))

    def known(self, section: str, name: str, path: Path, *, key: bool = False) -> bool:
        """Return whether a section has an entry; where not, that is reported at `path`."""
        if name in self.sections[section] or (section == "networks" and name == DEFAULT_NETWORK):
            return True
        one = section.removesuffix("s")
        near = did_you_mean(name, self.sections[section])
        self.error(path, f"there is no {one} '{name}'", near or f"define it under '{section}:'", key=key)
        return False

    def running(self, name: str, path: Path) -> bool:
        """Return whether a service is there and takes part; where not, that is reported at `path`."""
        if not self.known("services", name, path):
            return False
        if self.active(name):
            return True
        profiles = ", ".join(texts(self.sections["services"][name].get("profiles")))
        self.error(path, f"service '{name}' is not part of the lab", f"it has the profiles {profiles}: activate one")
        return False

    def file(self, path: Path, name: str) -> str | None:
        """Return the absolute path of a file of the lab; None, and a report at `path`, where there is none."""
        return self.scope.file(path, name)

    def source(self, path: Path, source: str, *, made: bool = False) -> str | None:
        """Return the absolute path of what a bind mount gives: in the lab if relative, anywhere else if not.

        What is relative must be there, unless it is `made` with the container.
        """
        if source.startswith("~"):
            inputs.variable("HOME")
            source = posixpath.expanduser(source)
        if posixpath.isabs(source):
            return posixpath.normpath(source)
        named = os.path.normpath(os.path.join(self.scope.root, source))  # noqa: PTH118  text, not files
        if made and named.startswith(f"{self.scope.root}/") and not inputs.is_there(named):
            return named
        folder = inputs.is_folder(named)
        return self.scope.file(path, source, folder=folder)


def service_networks(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return network -> how a service is on it; the default network where it says nothing."""
    if entry.get("network_mode"):
        return {}
    given = entry.get("networks")
    if isinstance(given, Mapping) and given:
        return {name: options or {} for name, options in given.items()}
    return {str(name): {} for name in given} if isinstance(given, list) and given else {DEFAULT_NETWORK: {}}


def _entries(scope: Scope, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in scope.names(section):
        entry = scope.entry(section, name)
        yield name, entry if isinstance(entry, Mapping) else {}
