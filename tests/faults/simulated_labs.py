"""Random labs in a few versions each, and what a host must have once one is applied; told without labspec's help."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from simulated import World

from labspec.core.resource import LAB_LABEL, Lab
from labspec.spec.loader import load

NAME = "sim"
FAMILIES = 150
VERSIONS = 4
IMAGES = ("base:1", "base:2")
FILES = ("/etc/labspec-sim-a", "/etc/labspec-sim-b", "/etc/labspec-sim-c")
WRITTEN = b"text "
"""How every file begins that a lab writes, and none that was there before."""
GROUPS = ("simone", "simtwo", "staff")
UNITS = ("labspec-sim-one.service", "labspec-sim-two.service", "labspec-sim-own.service")
"""The last one is there already, somebody's own."""
OWN_NAMES = {
    "networks": ("simnet", "simother"),
    "volumes": ("simdata", "simlogs"),
    "images": ("simown:1", "simown:2"),
}
KEYS = {"networks": "mnop", "volumes": ("data", "logs", "more"), "images": "ijk"}
PORTS = ("47811:1", "47812:2", "47813:3")
SUBNETS = ("10.1.0.0/24", "10.1.0.0/16", "10.2.0.0/24")
"""The first two overlap: one version never has both."""
USERS = ("ada", "bob", "eve")


@dataclass(frozen=True)
class Version:
    """One version of a lab: as written, and as labspec understands it."""

    spec: Mapping[str, Any]
    lab: Lab


@cache
def version(family: int, number: int) -> Version:
    """Return one version of a family of labs: always the same one. A later one is the earlier with some edits.

    Half of the families have names and addresses of their own, which wander from one object to another.
    """
    random = Random(family * 1000 + number)
    spec = _first(random) if number == 0 else _edited(json.loads(json.dumps(version(family, number - 1).spec)), random)
    if family % 2:
        for _ in range(random.randint(2, 6)):
            random.choice((_name, _address, _rename, _rename, _publish, _publish))(spec, random)
    with TemporaryDirectory() as folder:
        Path(folder, "lab.yaml").write_text(json.dumps(spec))
        return Version(spec, load(Path(folder), variables={}, variable_files=()))


def _first(random: Random) -> dict[str, Any]:
    spec: dict[str, Any] = {"labspec": 1, "lab": {"name": NAME}}
    for section in ("images", "networks", "volumes", "services"):
        spec[section] = {}
    spec["host"] = {"files": {}, "groups": {}}
    spec["units"], spec["daemon"] = {}, {"settings": {}}
    for _ in range(random.randint(3, 8)):
        _add(spec, random)
    return spec


def _edited(spec: dict[str, Any], random: Random) -> dict[str, Any]:
    for _ in range(random.randint(1, 3)):
        random.choice((_add, _add, _remove, _change))(spec, random)
    return spec


def _add(spec: dict[str, Any], random: Random) -> None:
    kind = random.choice(
        ("networks", "volumes", "services", "services", "images", "files", "groups", "units", "daemon")
    )
    if kind == "units":
        spec["units"][random.choice(UNITS)] = _unit(random)
    elif kind == "daemon":
        spec["daemon"]["settings"] = _settings(random)
    elif kind == "files":
        spec["host"]["files"][random.choice(FILES)] = _file(random)
    elif kind == "groups":
        spec["host"]["groups"][random.choice(GROUPS)] = {"members": random.sample(USERS, random.randint(0, 2))}
    elif kind == "networks":
        spec["networks"][random.choice("mno")] = {"internal": random.random() < 0.5}
    elif kind == "volumes":
        options = {"tmpfs": {"size": f"{random.randint(1, 3)}m"}} if random.random() < 0.5 else {}
        spec["volumes"][random.choice(("data", "logs"))] = options
    elif kind == "images":
        step = {"env": {"MADE": str(random.randint(1, 9))}}
        spec["images"][random.choice("ij")] = {"from": random.choice(IMAGES), "steps": [step]}
    else:
        spec["services"][random.choice("abcd")] = _service(spec, random)


def _service(spec: Mapping[str, Any], random: Random) -> dict[str, Any]:
    entry: dict[str, Any] = {"command": ["sleep", str(random.randint(1, 99))], "stop_grace_period": "0s"}
    entry["image"] = random.choice((*IMAGES, *spec["images"]))
    if spec["networks"] and random.random() < 0.7:
        entry["networks"] = random.sample(sorted(spec["networks"]), random.randint(1, len(spec["networks"])))
    else:
        entry["network_mode"] = "none"
    if spec["volumes"] and random.random() < 0.5:
        entry["volumes"] = [f"{random.choice(sorted(spec['volumes']))}:/data"]
    if random.random() < 0.4:
        entry["mem_limit"] = f"{random.randint(8, 64)}m"
    if random.random() < 0.4:
        entry["environment"] = {"TOLD": str(random.randint(1, 9))}
    if random.random() < 0.3:
        entry["scale"] = random.randint(1, 3)
    return entry


def _file(random: Random) -> dict[str, Any]:
    return {"content": f"text {random.randint(1, 99)}\n", "mode": random.choice(("0644", "0600"))}


def _unit(random: Random) -> dict[str, Any]:
    return {
        "Unit": {"Description": f"number {random.randint(1, 9)}"},
        "Service": {"ExecStart": f"/bin/sleep {random.randint(1, 9)}"},
        "Install": {"WantedBy": "multi-user.target"},
        **({"state": random.choice(("started", "started", "stopped"))} if random.random() < 0.8 else {}),
        **({"enabled": random.random() < 0.7} if random.random() < 0.8 else {}),
    }


def _settings(random: Random) -> dict[str, Any]:
    settings: dict[str, Any] = {"debug": random.random() < 0.5, "labels": [f"made={random.randint(1, 9)}"]}
    settings |= {"mtu": random.randint(1300, 1303), "log-level": "warn"}
    return {key: settings[key] for key in random.sample(sorted(settings), random.randint(1, 3))}


def _remove(spec: dict[str, Any], random: Random) -> None:
    section = random.choice(("services", "files", "groups", "networks", "volumes", "images", "units", "daemon"))
    entries = spec["host"].get(section, spec.get(section))
    if not entries:
        return
    if section == "daemon":
        entries = entries["settings"]
    name = random.choice(sorted(entries) or [""])
    if not name:
        return
    del entries[name]
    for entry in list(spec["services"].values()):
        if section == "networks" and name in entry.get("networks", ()):
            entry["networks"].remove(name)
            if not entry["networks"]:
                del entry["networks"]
                entry["network_mode"] = "none"
        if section == "volumes" and entry.get("volumes") == [f"{name}:/data"]:
            del entry["volumes"]
        if section == "images" and entry["image"] == name:
            entry["image"] = IMAGES[0]


def _change(spec: dict[str, Any], random: Random) -> None:
    if spec["services"]:
        name = random.choice(sorted(spec["services"]))
        spec["services"][name] = _service(spec, random)


def _name(spec: dict[str, Any], random: Random) -> None:
    """Have the spec name an object, or no longer."""
    section, key = _some_object(spec, random)
    if key:
        word = "tag" if section == "images" else "name"
        entry, names = spec[section][key], OWN_NAMES[section]
        free = sorted({*names} - {other.get(word) for other in spec[section].values()})
        entry.pop(word, None)
        if free and random.random() < 0.7:
            entry[word] = random.choice(free)


def _address(spec: dict[str, Any], random: Random) -> None:
    """Give a network addresses that no other one has, or none of its own."""
    if spec["networks"]:
        entry = spec["networks"][random.choice(sorted(spec["networks"]))]
        entry.pop("subnets", None)
        used = [ip_network(subnet) for other in spec["networks"].values() for subnet in other.get("subnets", ())]
        free = [subnet for subnet in SUBNETS if not any(ip_network(subnet).overlaps(other) for other in used)]
        if free and random.random() < 0.7:
            entry["subnets"] = [random.choice(free)]


def _publish(spec: dict[str, Any], random: Random) -> None:
    """Have a service publish ports that no other one does, or hand them on to another one."""
    if not spec["services"]:
        return
    entry = spec["services"][random.choice(sorted(spec["services"]))]
    given = entry.pop("ports", None)
    if given and random.random() < 0.5:
        entry = spec["services"][random.choice(sorted(spec["services"]))]
        entry["ports"] = sorted({*given, *entry.get("ports", ())})
    else:
        used = [port for other in spec["services"].values() for port in other.get("ports", ())]
        free = [port for port in PORTS if port not in used]
        entry["ports"] = random.sample(free, random.randint(0, len(free)))
    entry.pop("scale", None)
    if not entry["ports"]:
        del entry["ports"]


def _rename(spec: dict[str, Any], random: Random) -> None:
    """Give an object another key, or take away one that is there: what was in that place is in this now."""
    section, key = _some_object(spec, random)
    if not key:
        return
    new = random.choice(KEYS[section])
    if new in spec[section]:
        spec[section][key], spec[section][new] = spec[section][new], spec[section][key]
        return
    spec[section][new] = spec[section].pop(key)
    for entry in spec["services"].values():
        if section == "networks" and key in entry.get("networks", ()):
            entry["networks"] = [new if name == key else name for name in entry["networks"]]
        if section == "volumes" and entry.get("volumes") == [f"{key}:/data"]:
            entry["volumes"] = [f"{new}:/data"]
        if section == "images" and entry["image"] == key:
            entry["image"] = new


def _some_object(spec: Mapping[str, Any], random: Random) -> tuple[str, str]:
    section = random.choice(("networks", "networks", "volumes", "images"))
    return section, random.choice(sorted(spec[section]) or [""])


def host_names(spec: Mapping[str, Any], section: str) -> dict[str, str]:
    """Return key -> name on the host of the lab's networks or volumes."""
    return {key: entry.get("name") or f"{NAME}_{key}" for key, entry in spec[section].items()}


def differences(spec: Mapping[str, Any], world: World) -> list[str]:
    """Return in what the host is not as a lab that is applied wants it."""
    wanted: dict[str, tuple[Any, ...]] = {}
    network_names, volume_names = host_names(spec, "networks"), host_names(spec, "volumes")
    for key, entry in spec["services"].items():
        for number in range(1, entry.get("scale", 1) + 1):
            made = spec["images"].get(entry["image"])
            tag = (made.get("tag") or f"{NAME}/{entry['image']}:latest") if made else entry["image"]
            networks = sorted(network_names[network] for network in entry.get("networks", ())) or ["none"]
            wanted[f"{NAME}-{key}-{number}"] = (
                entry["command"],
                _image_of(tag, world),
                networks,
                entry.get("environment", {}).get("TOLD"),
                int(str(entry.get("mem_limit", "0m"))[:-1]) * 2**20,
                [volume_names[volume.split(":")[0]] for volume in entry.get("volumes", ())],
                sorted(port.split(":")[0] for port in entry.get("ports", ())),
                "running",
            )
    found = {item["Name"].removeprefix("/"): _told(item) for item in world.containers.values() if owned(item["Config"])}
    said = _compared("container", wanted, found)
    volumes = {item["Name"]: item["Options"].get("o") for item in world.volumes.values() if owned(item)}
    sizes = {key: (entry.get("tmpfs") or {}).get("size") for key, entry in spec["volumes"].items()}
    said += _compared("volume", {volume_names[key]: size and f"size={size}" for key, size in sizes.items()}, volumes)
    nets = {network_names[key]: (net["internal"], net.get("subnets")) for key, net in spec["networks"].items()}
    found = {item["Name"]: _network_told(item, nets) for item in world.networks.values() if owned(item)}
    said += _compared("network", nets, found)
    for path, entry in spec["host"]["files"].items():
        file = world.files.get(path)
        if file is None or (file.content.decode(), file.mode) != (entry["content"], entry["mode"]):
            said.append(f"{path} is {file}, not {entry}")
    for name, entry in spec["host"]["groups"].items():
        if not set(entry["members"]) <= set(world.groups.get(name, (0, ()))[1]):
            said.append(f"group {name} is {world.groups.get(name)}, not {entry}")
    return [*said, *_services_differ(spec, world)]


def _services_differ(spec: Mapping[str, Any], world: World) -> Iterator[str]:
    told, found = world.services.told(), world.services
    for name, entry in spec["units"].items():
        text = told["units"].get(f"units/{name}", "")
        wanted = {f"Description={entry['Unit']['Description']}", f"ExecStart={entry['Service']['ExecStart']}"}
        if not wanted <= set(text.splitlines()):
            yield f"{name} is {text!r}, not {entry}"
        if found.shown(name)["NeedDaemonReload"] == "yes":
            yield f"systemd has not read {name}"
        if "state" in entry and (name in told["running"]) != (entry["state"] == "started"):
            yield f"{name} does not run, or does: {entry}"
        if f"ExecStart={entry['Service']['ExecStart']}" not in told["running"].get(name, text).splitlines():
            yield f"{name} runs as {told['running'][name]!r}"
        if "enabled" in entry and (f"units/multi-user.target.wants/{name}" in told["units"]) != entry["enabled"]:
            yield f"{name} is enabled, or is not: {entry}"
    settings = spec["daemon"]["settings"]
    if settings and not found.active:
        yield "dockerd does not run"
    for key, value in settings.items():
        if json.loads(told["docker"])[key] != value or found.settings.get(key) != value:
            yield f"Docker's {key} is {told['docker']}, in force is {found.settings.get(key)}, not {value}"


def _compared(kind: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    names = sorted({*wanted, *found})
    return [
        f"{kind} {name} is {found.get(name)}, not {wanted.get(name)}"
        for name in names
        if found.get(name) != wanted.get(name)
    ]


def _image_of(tag: str, world: World) -> str:
    return next((found["Id"] for found in world.images.values() if tag in found["RepoTags"]), f"none for {tag}")


def _told(item: Mapping[str, Any]) -> tuple[Any, ...]:
    environment = dict(pair.split("=", 1) for pair in item["Config"]["Env"])
    return (
        item["Config"]["Cmd"],
        item["Image"],
        sorted(item["NetworkSettings"]["Networks"]),
        environment.get("TOLD"),
        item["HostConfig"]["Memory"],
        [bind.split(":")[0] for bind in item["HostConfig"]["Binds"]],
        sorted(bound[0]["HostPort"] for bound in item["HostConfig"].get("PortBindings", {}).values()),
        item["State"]["Status"],
    )


def _network_told(item: Mapping[str, Any], wanted: Mapping[str, tuple[bool, Any]]) -> tuple[bool, Any]:
    _, asked = wanted.get(item["Name"], (False, None))
    return item["Internal"], [pool["Subnet"] for pool in item["IPAM"]["Config"]] if asked else None


def owned(item: Mapping[str, Any]) -> bool:
    """Return whether an object has the lab's label."""
    return (item.get("Labels") or {}).get(LAB_LABEL) == NAME
