"""What a spec may say of the Docker daemon: the keys of daemon.json under `settings`, and its `service`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from labspec.core.diagnostic import did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.daemon.keys import (
    FLAG,
    FLAGS,
    KEYS,
    MAPPING,
    MAPPINGS,
    NUMBER,
    PAIRS,
    REMAP,
    TEXT,
    TEXTS,
    UNCHECKED,
)
from labspec.kinds.provider import Scope
from labspec.kinds.section import Line, check_model, model_schema

PROFILE = "seccomp-profile"
PROFILE_WORDS = ("unconfined", "builtin")
ACTIONS = (
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_TRAP",
)
_HOST = re.compile(r"(unix://(/\S+)?|fd://\S*|tcp://[\w.\[\]:*-]*(/\S*)?)")
_ACCOUNT = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31}(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31})?")
_USERS = ("services", "stacks", "images", "volumes", "networks")
_CONFIG = ConfigDict(extra="forbid")
_TYPES: Mapping[str, Any] = {
    TEXT: Line,
    FLAG: bool,
    NUMBER: int,
    TEXTS: list[Line],
    PAIRS: dict[Line, Line],
    FLAGS: dict[Line, bool],
    MAPPING: dict[Line, Any],
    MAPPINGS: list[dict[Line, Any]],
}

_FIELDS: dict[str, Any] = {
    **{key: (_TYPES[known.type], Field(None, description=known.about)) for key, known in KEYS.items()},
    UNCHECKED: (dict[Line, Any], Field(None, description="Keys that labspec does not know, taken as they are.")),
}

Settings: type[BaseModel] = create_model(
    "Settings",
    __config__=ConfigDict(extra="forbid"),
    __doc__="Keys of the Docker daemon's daemon.json; keys of the file that are not named here stay as they are.",
    **_FIELDS,
)


class Service(BaseModel):
    """The Docker daemon's service."""

    model_config = _CONFIG

    state: Literal["started", "stopped"] | None = None
    """Whether the daemon runs."""
    enabled: bool | None = None
    """Whether it starts with the host."""


_ENTRIES: Mapping[str, type[BaseModel]] = {"settings": Settings, "service": Service}


class DaemonSection:
    """The section `daemon`, with its two entries."""

    name = "daemon"
    kind = "daemon"
    entries = tuple(_ENTRIES)

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in `settings` or `service`, and any other entry."""
        model = _ENTRIES.get(name)
        if model is None:
            hint = did_you_mean(name, _ENTRIES) or f"known keys: {', '.join(_ENTRIES)}"
            scope.error(("daemon", name), f"unknown key '{name}' in daemon", hint, key=True)
            return False
        return check_model(model, entry, ("daemon", name), f"daemon.{name}", scope)

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the daemon's settings, with the files that they name, or its service."""
        if not entry:
            return
        if name == "service":
            used = [section for section in _USERS if scope.names(section)]
            if entry.get("state") == "stopped" and used:
                message = f"Docker is to be stopped, and the lab has {used[0]}"
                scope.error(("daemon", name, "state"), message, "write started, or leave it out")
            yield Resource("daemon.service", self.kind, "docker.service", desired=dict(entry))
            return
        settings = {key: value for key, value in entry.items() if key != UNCHECKED}
        for key, value in (entry.get(UNCHECKED) or {}).items():
            if key in KEYS:
                hint = "write it beside the others"
                scope.error(("daemon", name, UNCHECKED, key), f"labspec knows the key '{key}'", hint, key=True)
            settings[key] = value
        files: dict[str, str] = {}
        if _meaning(settings, scope):
            if PROFILE in settings:
                files = _profile(settings, scope)
            desired = {"settings": settings, **({"files": files} if files else {})}
            yield Resource("daemon.settings", self.kind, "daemon.json", desired=desired)

    def schema(self) -> dict[str, Any]:
        """Return a JSON Schema with a definition for each of the two entries."""
        forms = {name: model_schema(model) for name, model in _ENTRIES.items()}
        return {"description": "The Docker daemon: keys of its daemon.json, and its service.", "$defs": forms}


def _meaning(settings: Mapping[str, Any], scope: Scope) -> bool:
    """Report what Docker would refuse in values of the right type."""
    path = ("daemon", "settings")
    fine = True
    for index, host in enumerate(settings.get("hosts") or ()):
        if not _HOST.fullmatch(host):
            fine = False
            hint = "write unix:///path, tcp://ADDRESS:PORT or fd://"
            scope.error((*path, "hosts", index), f"'{host}' is no place to listen at", hint)
    remap = settings.get(REMAP)
    if remap and not _ACCOUNT.fullmatch(remap):
        fine = False
        scope.error((*path, REMAP), f"'{remap}' names no user", "write USER, USER:GROUP or default")
    return fine


def _profile(settings: dict[str, Any], scope: Scope) -> dict[str, str]:
    """Put the place of the profile's copy into `settings`; return that place and what is to be there."""
    path = ("daemon", "settings", PROFILE)
    value = str(settings[PROFILE])
    if value in PROFILE_WORDS or value == "" or value.startswith("/"):
        return {}
    file = scope.file(path, value)
    if file is None:
        return {}
    content = scope.read(file)
    said = _wrong_profile(content)
    if said:
        scope.error(path, f"'{value}' is no seccomp profile: {said}", "see docs.docker.com/engine/security/seccomp")
        return {}
    name = re.sub(r"[^a-zA-Z0-9_.-]", "_", PurePosixPath(file).name.removesuffix(".json"))
    settings[PROFILE] = f"/etc/docker/labspec-{scope.lab}-{name}.json"
    return {settings[PROFILE]: content.decode()}


def _wrong_profile(content: bytes) -> str | None:
    try:
        profile = json.loads(content)
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
    except RecursionError:
        return "it is nested too deeply"
    if not isinstance(profile, dict):
        return "it is no JSON object"
    action = profile.get("defaultAction")
    if action is None:
        return "it has no defaultAction"
    if action not in ACTIONS:
        near = did_you_mean(str(action), ACTIONS)
        return f"its defaultAction is {action!r}" + (f", {near}" if near else "")
    return None


SECTION = DaemonSection()
