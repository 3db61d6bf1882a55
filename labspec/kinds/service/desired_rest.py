"""What of a service no answer of the engine shows, or no field covers: compared by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labspec.core.diff import digest
from labspec.host import inputs
from labspec.kinds.compose import values
from labspec.kinds.compose.mounts import is_cdi_device
from labspec.kinds.compose.project import Project, service_networks
from labspec.kinds.service.desired_mounts import grants, part_file

Entry = Mapping[str, Any]

_KEYS = (
    "cpu_count",
    "cpu_percent",
    "credential_spec",
    "external_links",
    "gpus",
    "links",
    "platform",
    "post_start",
    "pre_start",
    "pre_stop",
    "umask",
)
"""Keys that say something about the container as a whole, and are taken as they are written."""
_READ = frozenset((*_KEYS, "devices", "deploy", "volumes", "networks", "secrets", "configs"))
"""The keys that are looked at."""


def rest(key: str, entry: Entry, project: Project) -> dict[str, Any]:  # noqa: ARG001  one signature for all parts
    """Return the remainder of a service of good form, as JSON values; empty for most."""
    if _READ.isdisjoint(entry):
        return {}
    found: dict[str, Any] = {name: entry[name] for name in _KEYS if entry.get(name)}
    found["devices"] = sorted(str(item) for item in entry.get("devices") or () if is_cdi_device(item))
    reserved = ((entry.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    found["reserved_devices"] = reserved.get("devices")
    found["volumes"] = [options for item in entry.get("volumes") or () if (options := _mount_options(item))]
    found["networks"] = {
        name: options for name, given in service_networks(entry).items() if (options := _network_options(given))
    }
    for section in ("secrets", "configs"):
        found[section] = [
            {"source": source, **options, "content": _content(section, source, project)}
            for _, source, options in grants(entry, section)
        ]
    return {name: value for name, value in sorted(found.items()) if value}


def _mount_options(item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {}
    recursive = (item.get("bind") or {}).get("recursive")
    labels = values.mapping((item.get("volume") or {}).get("labels"))
    found = {"recursive": recursive, "labels": labels, "consistency": item.get("consistency")}
    return (
        {"target": item["target"], **{name: value for name, value in found.items() if value}}
        if any(found.values())
        else {}
    )


def _network_options(options: Entry) -> dict[str, Any]:
    """Return what decides the order of networks, and names in them."""
    names = ("priority", "gw_priority", "interface_name", "use_service_name_alias")
    return {name: options[name] for name in names if options.get(name) is not None}


def _content(section: str, name: str, project: Project) -> str:
    """Return a digest of what a secret or config says; it is in no answer of the engine."""
    definition = project.sections[section].get(name) or {}
    if definition.get("environment"):
        return digest(inputs.variable(str(definition["environment"])))
    if definition.get("content") is not None:
        return digest(definition["content"])
    file = part_file(section, name, project)
    if file is None or not file.startswith(project.lab.root + "/"):
        return ""
    if inputs.builds_may_lack() and not inputs.is_there(file):
        return ""
    return digest(project.scope.read(file).hex())
