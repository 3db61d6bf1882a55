"""Package managers: the command lines for apt and dnf, and how their answers are read. Nothing is run here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Protocol

from labspec.core.diagnostic import LabError

Command = tuple[str, ...]


class Manager(Protocol):
    """What labspec asks of a package manager. Names and versions have been checked when the spec was loaded."""

    name: str
    query: Command
    """Lists every installed package."""
    refresh: Command
    """Fetches the lists of packages that can be installed."""

    def installed(self, answer: str) -> dict[str, str]:
        """Return name -> version from the answer to `query`."""
        ...

    def exists(self, names: Sequence[str]) -> Command:
        """Return the command that describes the packages that can be installed; others are left out."""
        ...

    def described(self, answer: str) -> set[str]:
        """Return the names in the answer to `exists`."""
        ...

    def install(self, versions: Mapping[str, str | None]) -> Command:
        """Return the command that installs packages, some in a given version."""
        ...

    def remove(self, names: Sequence[str]) -> Command:
        """Return the command that removes packages with their settings."""
        ...

    def unneeded(self) -> Command:
        """Return the command that lists what came with other packages and is needed no more; it changes nothing."""
        ...

    def listed_unneeded(self, answer: str) -> set[str]:
        """Return the names in the answer to `unneeded`."""
        ...


class Apt:
    """Debian's apt-get and dpkg."""

    name = "apt-get"
    query: Command = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}\t${binary:Package}\t${Version}\n")
    refresh: Command = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "update")
    _CHANGE: Command = (
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
        "-o",
        "DPkg::Lock::Timeout=120",
        "-o",
        "Dpkg::Options::=--force-confold",
    )

    def installed(self, answer: str) -> dict[str, str]:
        """Return name -> version; a package of the machine's architecture is also known without it."""
        found: dict[str, str] = {}
        for line in answer.splitlines():
            status, _, rest = line.partition("\t")
            name, _, version = rest.partition("\t")
            if status[1:2] == "i" and name:
                found[name] = version
                found.setdefault(name.partition(":")[0], version)
        return found

    def exists(self, names: Sequence[str]) -> Command:
        """Return the call of apt-cache: it takes no pattern for a name that way."""
        return ("apt-cache", "-q", "show", "--no-all-versions", "--", *names)

    def described(self, answer: str) -> set[str]:
        """Return the names of the packages that apt-cache describes."""
        return set(re.findall(r"(?m)^Package: (\S+)$", answer))

    def install(self, versions: Mapping[str, str | None]) -> Command:
        """Return the call of apt-get: one for all, so that their triggers run once."""
        wanted = (f"{name}={version}" if version else name for name, version in sorted(versions.items()))
        more = ("--allow-downgrades",) if any(versions.values()) else ()
        return (*self._CHANGE, "--no-install-recommends", *more, "install", "--", *wanted)

    def remove(self, names: Sequence[str]) -> Command:
        """Return the call of apt-get that also removes settings, which were not there before."""
        return (*self._CHANGE, "purge", "--", *names)

    def unneeded(self) -> Command:
        """Return the call of apt-get that only says what it would remove."""
        return ("apt-get", "-q", "--simulate", "autoremove")

    def listed_unneeded(self, answer: str) -> set[str]:
        """Return the names of the packages that apt-get would remove."""
        return set(re.findall(r"(?m)^(?:Remv|Purg) (\S+)", answer))


class Dnf:
    """Fedora's and Red Hat's dnf and rpm."""

    name = "dnf"
    query: Command = ("rpm", "--query", "--all", "--queryformat=%{NAME}\t%{EVR}\n")
    refresh: Command = ("dnf", "-q", "makecache")

    def installed(self, answer: str) -> dict[str, str]:
        """Return name -> version-release."""
        return {name: version for name, _, version in (line.partition("\t") for line in answer.splitlines()) if name}

    def exists(self, names: Sequence[str]) -> Command:
        """Return the query for the names that there are."""
        return ("dnf", "-q", "repoquery", "--queryformat=%{name}\n", "--", *names)

    def described(self, answer: str) -> set[str]:
        """Return the names, one a line."""
        return {line.strip() for line in answer.splitlines() if line.strip()}

    def install(self, versions: Mapping[str, str | None]) -> Command:
        """Return the call of dnf, without what is only recommended."""
        wanted = (f"{name}-{version}" if version else name for name, version in sorted(versions.items()))
        return ("dnf", "-q", "-y", "--setopt=install_weak_deps=False", "install", "--", *wanted)

    def remove(self, names: Sequence[str]) -> Command:
        """Return the call of dnf that leaves what came with the packages, which is removed by name."""
        return ("dnf", "-q", "-y", "--noautoremove", "remove", "--", *names)

    def unneeded(self) -> Command:
        """Return the query for what nobody needs."""
        return ("dnf", "-q", "repoquery", "--unneeded", "--queryformat=%{name}\n")

    def listed_unneeded(self, answer: str) -> set[str]:
        """Return the names, one a line."""
        return self.described(answer)


def manager() -> Manager:
    """Return this host's package manager. Raises LabError where there is none that labspec knows."""
    if shutil.which("apt-get") and shutil.which("dpkg-query"):
        return Apt()
    if shutil.which("dnf"):
        return Dnf()
    raise LabError("this host has neither apt nor dnf", hint="take 'packages' out of the spec")
