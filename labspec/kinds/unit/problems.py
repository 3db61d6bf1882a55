"""What stands in the way of units: no systemd, no root, a unit of somebody else's, and what systemd would not read.

systemd itself checks them (`systemd-analyze verify`), before anything of it is on the host: all units of the lab lie
in one temporary folder, since they may name each other.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.core.change import Action, Change
from labspec.core.diagnostic import Diagnostic, LabError, Position, did_you_mean
from labspec.core.resource import Lab, Resource
from labspec.kinds.objects import resources_of
from labspec.kinds.unit.names import is_template, owner_of
from labspec.kinds.unit.reading import booted, content_of, exists, properties
from labspec.kinds.unit.unitfile import Setting, settings_of

if TYPE_CHECKING:
    from labspec.host.host import Host
    from labspec.host.system import System

_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_OF_LINE = re.compile(r"^(?P<path>/[^:]+):(?P<line>\d+): (?P<said>.*)$")
_OF_UNIT = re.compile(r"^(?:Unit )?(?P<unit>[^\s:]+)(?::| has) (?P<said>.*)$")
_UNKNOWN = re.compile(r"Unknown (?:key(?: name)?|lvalue) '(?P<key>[^']*)' in section '?\[?(?P<section>[^'\]]*)\]?'?")
_AFTERTHOUGHT = ("a bad unit file setting", "bad unit file setting")
_MISSING = ("is not executable", "not found")
_BRINGS = ("package", "file", "user", "group")
"""Kinds that may bring what a unit misses while it is only planned."""


def unit_problems(changes: Sequence[Change], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    """Yield what stands in the way of changes of units."""
    first = lab.by_address.get(changes[0].address)
    at = first.at if first else None
    if not booted():
        yield Diagnostic(
            f"{changes[0].address}: systemd does not run this host, and a unit needs it",
            at=at,
            hint="try the lab in a sandbox: 'labspec sandbox up', then 'labspec --sandbox lab plan'",
        )
        return
    if os.geteuid() != 0:
        message = f"{changes[0].address}: only root can change the units of this host"
        yield Diagnostic(message, at=at, hint="run labspec as root: sudo labspec ...")
    resources = lab.by_address
    made = [resources[change.address] for change in changes if change.action is not Action.DELETE]
    yield from _foreign(made, lab, host.system)
    yield from verified([resource for resource in made if resource.options["path"]], lab, host.system)


def verified(changed: Sequence[Resource], lab: Lab, system: System) -> Iterator[Diagnostic]:
    """Yield what systemd finds wrong with units, at the setting's place in the spec."""
    if not changed:
        return
    with tempfile.TemporaryDirectory(prefix="labspec-units-") as folder:
        top = Path(folder)
        for resource in resources_of(lab, "unit"):
            if resource.options["path"]:
                _lay_out(resource, top, system)
        units = [str(top / resource.name) for resource in changed if (top / resource.name).exists()]
        try:
            said = _verify(units, system) if units else ""
        except LabError as error:
            if "is not installed" not in str(error):
                raise
            return
        found = [problem for resource in changed for problem in _of_resource(resource, said, top, lab, system)]
    yield from dict.fromkeys(found)


def known_keys(system: System) -> dict[str, set[str]]:
    """Return section -> keys that this host's systemd knows; empty where it does not say."""
    binary = next((path for path in _SYSTEMD if Path(path).exists()), None)
    if binary is None:
        return {}
    found: dict[str, set[str]] = {}
    keys: set[str] = set()
    for line in system.run([binary, "--dump-configuration-items"]).stdout.splitlines():
        if line.startswith("["):
            keys = found.setdefault(line.strip("[]"), set())
        elif "=" in line:
            keys.add(line.partition("=")[0])
    return found


def _verify(units: Sequence[str], system: System) -> str:
    """Return what systemd-analyze says of unit files."""
    command = ["systemd-analyze", "verify", "--man=no"]
    # rc is 0 for most mistakes, and what it says goes to standard error.
    done = system.run([*command, "--recursive-errors=no", "--", *units], accepted=range(256))
    if "unrecognized option" in done.stderr:  # before systemd 250
        done = system.run([*command, "--", *units], accepted=range(256))
    return done.stderr


def _foreign(resources: Sequence[Resource], lab: Lab, system: System) -> Iterator[Diagnostic]:
    """Yield a problem for what belongs to another lab, and for what should be there and is not."""
    shown = properties(system, sorted({resource.name for resource in resources}))
    brings = any(resource.kind == "package" for resource in lab.resources)
    for resource in resources:
        path = resource.options["path"]
        owner = owner_of(content_of(system, path) or "") if path else None
        if owner and owner != lab.name:
            yield Diagnostic(
                f"{resource.address}: {path} belongs to lab '{owner}'",
                at=resource.at,
                hint="destroy that lab first, or give the unit another name",
            )
        lacks = resource.options["dropin"] or not path
        if lacks and not brings and not is_template(resource.name) and not exists(shown.get(resource.name, {})):
            what = "a drop-in only adds to one" if path else "its state is all that the spec says"
            message = f"{resource.address}: this host has no unit {resource.name}, and {what}"
            yield Diagnostic(
                message, at=resource.at, hint="write its sections without 'dropin', or install what has it"
            )


def _lay_out(resource: Resource, top: Path, system: System) -> None:
    """Write a unit below a folder as it will be: a drop-in beside the unit that it adds to."""
    text = resource.options["text"]
    if not resource.options["dropin"]:
        (top / resource.name).write_text(text, encoding="utf-8")
        return
    fragment = properties(system, [resource.name]).get(resource.name, {}).get("FragmentPath", "")
    if fragment:
        (top / resource.name).write_text(content_of(system, os.path.realpath(fragment)) or "", encoding="utf-8")
        inside = top / f"{resource.name}.d"
        inside.mkdir(exist_ok=True)
        (inside / Path(resource.options["path"]).name).write_text(text, encoding="utf-8")


def _of_resource(resource: Resource, said: str, top: Path, lab: Lab, system: System) -> Iterator[Diagnostic]:
    """Yield those complaints that are about one unit."""
    path = resource.options["path"]
    own = top / (f"{resource.name}.d/{Path(path).name}" if resource.options["dropin"] else resource.name)
    by_line = {setting.line: setting for setting in settings_of(resource.options["text"])}
    told: list[Diagnostic] = []
    for line in said.splitlines():
        of_line, of_unit = _OF_LINE.match(line), _OF_UNIT.match(line)
        if of_line and of_line["path"] == str(own):
            setting = by_line.get(int(of_line["line"]))
            told.append(_of_setting(resource, setting, of_line["said"], system))
        elif of_unit and _is_instance(of_unit["unit"], resource.name):
            text = of_unit["said"]
            later = any(item in text for item in _MISSING) and any(found.kind in _BRINGS for found in lab.resources)
            if text not in _AFTERTHOUGHT and not later:
                key = next((name for name in _named(text) if name in resource.options["places"]), None)
                told.append(Diagnostic(f"{resource.address}: {text}", at=_place(resource, key), hint=_hint(text)))
    yield from told


def _of_setting(resource: Resource, setting: Setting | None, said: str, system: System) -> Diagnostic:
    unknown = _UNKNOWN.match(said)
    key = f"{setting.section}.{setting.key}" if setting else None
    if unknown and setting:
        keys = known_keys(system).get(setting.section, set())
        hint = did_you_mean(setting.key, keys) or f"'man systemd.directives' lists what [{setting.section}] may have"
        message = f"{resource.address}: systemd knows no key '{setting.key}' in [{setting.section}]"
        return Diagnostic(message, at=_place(resource, key), hint=hint)
    text = said.removesuffix(".").replace(", ignoring", "")
    what = f"{setting.key}: {text}" if setting else text
    return Diagnostic(f"{resource.address}: {what}", at=_place(resource, key))


def _place(resource: Resource, key: str | None) -> Position | None:
    """Return where a setting is written: in the spec, or in the lab's unit file."""
    place: Mapping[str, Sequence[int]] = resource.options["places"]
    if key is None or key not in place or resource.at is None:
        return resource.at
    line, column = place[key]
    file = resource.options["file"]
    return Position(str(Path(resource.at.file).parent / file) if file else resource.at.file, line, column)


def _is_instance(unit: str, name: str) -> bool:
    """Return whether a name is a unit's, or that of an instance of it, as systemd makes one to check a template."""
    stem, _, kind = name.rpartition(".")
    return unit == name or (stem.endswith("@") and unit.startswith(stem) and unit.endswith(f".{kind}"))


def _named(text: str) -> Iterator[str]:
    """Yield the settings that a complaint may be about."""
    if "is not executable" in text:
        yield from ("Service.ExecStart", "Service.ExecStartPre", "Service.ExecStop", "Socket.ExecStartPre")
    for key in re.findall(r"([A-Z][A-Za-z]+)=", text):
        yield from (f"{section}.{key}" for section in ("Service", "Socket", "Timer", "Mount", "Path", "Unit", "Swap"))


def _hint(text: str) -> str | None:
    return "a program is named by its whole path, and must be on this host" if "is not executable" in text else None
