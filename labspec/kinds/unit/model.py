"""What a spec may say of a unit: systemd's own sections and keys, and beside them what labspec does with the unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from labspec.core.diagnostic import did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.provider import Naming, Scope
from labspec.kinds.section import Line, ModelSection
from labspec.kinds.unit.names import ENABLING, OWN_SECTION, is_template, misnamed, owner_remark, type_of
from labspec.kinds.unit.resource import unit_resource
from labspec.kinds.unit.unitfile import (
    KEY_PATTERN,
    Setting,
    UnitSyntaxError,
    from_spec,
    mistake,
    plain,
    settings_of,
    values_of,
    written,
)

NAME_PATTERN = (
    r"^[A-Za-z0-9_][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\-]*)?"
    r"\.(service|socket|timer|mount|automount|swap|path|slice|target)$"
)
DROPIN_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_TARGETS = ("multi-user.target", "graphical.target", "default.target", "timers.target", "sockets.target")
_STARTERS = {"timer": "Unit", "path": "Unit", "socket": "Service"}
"""Types of unit that start another one, and the key that names it."""


def _value(value: str) -> str:
    found = mistake(value)
    if found:
        raise ValueError(f"{found[0]}; {found[1]}")
    return value


Value = Annotated[str, AfterValidator(_value), WithJsonSchema({"type": "string"})] | bool | int | float
Settings = dict[Annotated[str, Field(pattern=KEY_PATTERN)], Value | Annotated[list[Value], Field(min_length=1)]]
Section = Settings | Annotated[list[Settings], Field(min_length=1)]


class Unit(BaseModel):
    """A unit of systemd, by its full file name: sections and keys as systemd spells them.

    A list repeats its key, and an empty text resets what stood before. A section whose keys take turns is a list.
    """

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "Unit": {"Description": "a web server", "After": ["network.target", "docker.service"]},
                    "Service": {"ExecStart": "/usr/bin/python3 -m http.server", "Restart": "always"},
                    "Install": {"WantedBy": "multi-user.target"},
                }
            ]
        },
    )
    __pydantic_extra__: dict[str, Section]

    state: Literal["started", "stopped"] | None = None
    """Whether it runs. Started where it is not given, but for a template, a drop-in, a oneshot service, and what a
    timer, path or socket of the lab starts."""
    enabled: bool | None = None
    """Whether it starts with the host, as [Install] says. Yes where it is not given and [Install] says something."""
    dropin: Annotated[str, Field(pattern=DROPIN_PATTERN, max_length=100)] | None = None
    """The sections only add to a unit that the host has: they go to a drop-in file of this name."""
    file: Line | None = None
    """A unit file of the lab, in the place of sections."""
    depends_on: list[Line] | None = None
    """Addresses of the lab that must be there before it starts, such as service.web."""
    Unit: Section | None = None
    """What every unit has: its description, and what it goes together with; see systemd.unit(5)."""
    Service: Section | None = None
    """What a service runs; see systemd.service(5), systemd.exec(5) and systemd.resource-control(5)."""
    Socket: Section | None = None
    """Where a socket listens; see systemd.socket(5)."""
    Timer: Section | None = None
    """When a timer elapses; see systemd.timer(5)."""
    Mount: Section | None = None
    """What is mounted where; see systemd.mount(5)."""
    Automount: Section | None = None
    """What is mounted once it is used; see systemd.automount(5)."""
    Swap: Section | None = None
    """What is swapped to; see systemd.swap(5)."""
    Path: Section | None = None
    """Which files are watched; see systemd.path(5)."""
    Slice: Section | None = None
    """What the units of a slice may use together; see systemd.resource-control(5)."""
    Install: Section | None = None
    """What `systemctl enable` does; see systemd.unit(5)."""


_OWN = tuple(name for name in Unit.model_fields if name.islower())


class UnitSection(ModelSection):
    """The section `units`."""

    name = "units"
    kind = "unit"
    model = Unit
    naming = Naming(
        NAME_PATTERN, "use the full name of a unit, with its type: web.service, backup.timer, srv-data.mount"
    )

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry, and return whether there was none."""
        if isinstance(entry, dict) and not _known_keys(name, entry, scope):
            return False
        if not super().check(name, entry, scope):
            return False
        return _together(name, entry, scope)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the unit; what its file says wrong is reported."""
        path = ("units", name)
        read = _read(name, entry, scope)
        if read is None:
            return
        settings, text, places = read
        values = values_of(settings)
        installs = any(values.get(f"Install.{key}") for key in ENABLING)
        if entry.get("enabled") and not installs and settings and not entry.get("dropin"):
            hint = "write [Install], with WantedBy: multi-user.target for instance"
            scope.error((*path, "enabled"), f"unit '{name}' is to be enabled, and does not say by what", hint)
        for key, word in misnamed(values):
            hint = did_you_mean(word, _TARGETS) or f"units end in their type, as {_TARGETS[0]} does"
            at = (*path, "file") if entry.get("file") else (*path, "Install", key)
            scope.error(at, f"'{word}' in {key} of unit '{name}' is no name of a unit", hint)
        if entry.get("state") and is_template(name):
            scope.error(
                (*path, "state"), "a template cannot be started, only its instances", f"such as {_instance(name)}"
            )
        enabled = entry.get("enabled")
        if enabled is None and installs and not entry.get("dropin"):
            enabled = True
        yield unit_resource(
            name,
            settings,
            text,
            state=entry.get("state") or (None if _waits(name, entry, values, scope) else "started"),
            enabled=enabled,
            dropin=entry.get("dropin"),
            file=entry.get("file"),
            places=places,
            needs=entry.get("depends_on") or (),
        )

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one entry: closed, but for sections that systemd leaves to others (X-...)."""
        schema: dict[str, Any] = _closed(super().schema())
        other = schema.pop("additionalProperties")
        return {**schema, "patternProperties": {"^X-[A-Za-z0-9-]+$": other}, "additionalProperties": False}


def _closed(schema: Any) -> Any:
    """Return a schema in which a mapping with a pattern for its keys has no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {**closed, "additionalProperties": False} if "patternProperties" in schema else closed


def _known_keys(name: str, entry: Mapping[str, Any], scope: Scope) -> bool:
    """Report keys that are neither labspec's own nor a section of this type of unit."""
    own = OWN_SECTION.get(type_of(name))
    sections = [section for section in ("Unit", own, "Install") if section]
    good = True
    for key in entry:
        if key in _OWN or key in sections or (key.startswith("X-") and key[2:].replace("-", "").isalnum()):
            continue
        good = False
        near = next((section for section in sections if section.lower() == key.lower()), None)
        hint = f"did you mean '{near}'?" if near else did_you_mean(key, (*_OWN, *sections))
        hint = hint or f"sections: {', '.join(sections)}; labspec's own keys: {', '.join(_OWN)}"
        what = f"a {type_of(name)} has no section '{key}'" if key in OWN_SECTION.values() else f"unknown key '{key}'"
        scope.error(("units", name, key), f"{what} in unit '{name}'", hint, key=True)
    return good


def _together(name: str, entry: Mapping[str, Any], scope: Scope) -> bool:
    """Report what contradicts itself in an entry."""
    path = ("units", name)
    sections = [key for key, value in entry.items() if key not in _OWN and value is not None]
    if entry.get("file") is not None and sections:
        hint = "keep one of them: a unit is a file, or written here"
        scope.error((*path, sections[0]), f"unit '{name}' has both file and [{sections[0]}]", hint, key=True)
        return False
    if entry.get("dropin") and not sections and entry.get("file") is None:
        scope.error((*path, "dropin"), f"unit '{name}' is a drop-in, and has nothing in it", "write sections", key=True)
        return False
    if not sections and entry.get("file") is None and entry.get("state") is None and entry.get("enabled") is None:
        hint = "write its sections, a file, or what state a unit of this host is to have"
        scope.error(path, f"unit '{name}' says nothing", hint, key=True)
        return False
    return True


Read = tuple[tuple[Setting, ...], str, dict[str, list[int]]]


def _read(name: str, entry: Mapping[str, Any], scope: Scope) -> Read | None:
    """Return a unit's settings, the text of its file, and "Section.Key" -> line and column in what it was read from."""
    remark = owner_remark(scope.lab, f"unit.{name}")
    if entry.get("file") is not None:
        return _from_file(name, entry["file"], remark, scope)
    sections = {key: value for key, value in entry.items() if key not in _OWN and value is not None}
    settings = from_spec(sections)
    places: dict[str, list[int]] = {}
    for section, content in sections.items():
        for inner, part in _parts(content):
            for key in part:
                at = scope.position(("units", name, section, *inner, key), key=True)
                if at:
                    places.setdefault(f"{section}.{key}", [at.line, at.column])
    return settings, written(settings, remark), places


def _from_file(name: str, file: str, remark: str, scope: Scope) -> Read | None:
    path = ("units", name, "file")
    absolute = scope.file(path, file)
    if absolute is None:
        return None
    try:
        content = scope.read(absolute).decode()
        settings = settings_of(content)
    except UnicodeDecodeError:
        scope.error(path, f"'{file}' is no text in UTF-8")
        return None
    except UnitSyntaxError as error:
        scope.error(path, f"{file}:{error.line}: {error}", error.hint)
        return None
    if not settings:
        scope.error(path, f"'{file}' has no settings in it")
        return None
    for setting in settings:
        found = mistake(setting.value)
        if found:
            scope.error(path, f"{file}:{setting.line}: {found[0]}", found[1])
            return None
    places = {f"{setting.section}.{setting.key}": [setting.line, 1] for setting in reversed(settings)}
    return settings, f"# {remark}\n{content.removeprefix(chr(0xFEFF))}", places


def _parts(content: Any) -> Iterable[tuple[tuple[int, ...], Mapping[str, Any]]]:
    if isinstance(content, list):
        return [((number,), part) for number, part in enumerate(content)]
    return [((), content)]


def _waits(name: str, entry: Mapping[str, Any], values: Mapping[str, Sequence[str]], scope: Scope) -> bool:
    """Return whether a unit is not one that labspec starts unless it is told to."""
    if entry.get("dropin") or is_template(name) or not values:
        return True
    oneshot = values.get("Service.Type", [""])[-1] == "oneshot"
    remains = values.get("Service.RemainAfterExit", ["no"])[-1].lower() in ("yes", "true", "on", "1", "y", "t")
    return (oneshot and not remains) or name in _started_by_others(scope)


@lru_cache(maxsize=1)
def _started_by_others(scope: Scope) -> set[str]:
    """Return the units that a timer, path, socket or automount of the lab starts."""
    found = set()
    for name in scope.names("units"):
        stem, _, kind = name.rpartition(".")
        entry = scope.entry("units", name) or {}
        if kind == "automount":
            found.add(f"{stem}.mount")
        if kind in _STARTERS:
            named = _first(entry.get(OWN_SECTION[kind]), _STARTERS[kind])
            found.add(named or f"{stem}.service")
    return found


def _first(section: Any, key: str) -> str | None:
    for _, part in _parts(section or {}):
        if isinstance(part, dict) and isinstance(part.get(key), str):
            return plain(part[key])
    return None


def _instance(name: str) -> str:
    return name.replace("@.", "@one.")


SECTION = UnitSection()
