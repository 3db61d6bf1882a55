"""A pod of rkt as the line that a person types, and as a Quadlet file, with which podman runs the same today."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.rkt.command import is_fly, sheet_command
from labspec.outputs.images import Artifact


def rkt_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield rkt/NAME.sh and, for an image that podman can have, rkt/NAME.container."""
    name = resource.address.partition(".")[2]
    line = shlex.join(sheet_command(resource.desired))
    yield Artifact(f"rkt/{name}.sh", f"#!/bin/sh\n{line}\n".encode(), executable=True)
    if resource.desired["image"].startswith("docker://"):
        yield Artifact(f"rkt/{name}.container", quadlet(name, resource.desired).encode())


def quadlet(name: str, desired: Mapping[str, Any]) -> str:
    """Return a pod as a .container file, podman-systemd.unit(5)."""
    lines = ["[Unit]", f"Description={_value(f'{name}, as a pod of rkt was')}", "", "[Container]"]
    lines += [f"{key}={value}" for key, value in _keys(desired)]
    return "\n".join([*lines, "", "[Install]", "WantedBy=multi-user.target", ""])


def image(reference: str) -> str:
    """Return the name that podman gives an image of docker://: with registry and tag, as rkt takes them."""
    name = reference.removeprefix("docker://")
    first = name.partition("/")[0]
    if "/" not in name:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _keys(desired: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Image", _value(image(desired["image"]))
    if desired.get("name"):
        yield "ContainerName", desired["name"]
    # The key Entrypoint= came with podman 5; the option works with all.
    if desired.get("exec"):
        yield "PodmanArgs", _words(f"--entrypoint={desired['exec']}")
    if desired.get("args"):
        yield "Exec", _words(*desired["args"])
    yield from _surroundings(desired)
    for variable, value in {**(desired.get("set_env") or {}), **(desired.get("environment") or {})}.items():
        yield "Environment", _words(f"{variable}={value}")
    if desired.get("set_env_file"):
        yield "EnvironmentFile", _value(desired["set_env_file"])
    for mount in desired.get("mounts") or ():
        volume = desired["volumes"][mount["volume"]]
        option = ":ro" if volume.get("read_only") else ""
        source = volume.get("source", "")
        yield "Volume", _value(f"{source}:{mount['target']}{option}" if source else mount["target"])
    for key, name in (("User", "user"), ("Group", "group"), ("WorkingDir", "working_dir")):
        if desired.get(name) is not None:
            yield key, _value(str(desired[name]))
    yield from _limits(desired)


def _surroundings(desired: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the network and the namespaces. stage1-fly has those of the host, whatever the spec asks for."""
    if is_fly(desired):
        yield "Network", "host"
        yield "PodmanArgs", "--pid=host --ipc=host --uts=host"
        return
    net = desired.get("net")
    if net in ("host", "none"):
        yield "Network", net
    if desired.get("hostname"):
        yield "HostName", _value(desired["hostname"])
    for key, name in (("DNS", "dns"), ("DNSSearch", "dns_search"), ("DNSOption", "dns_opt")):
        yield from ((key, _value(value)) for value in desired.get(name) or () if value not in ("host", "none"))
    for port in desired.get("ports") or ():
        inside, _, outside = port.partition(":")
        number, _, protocol = inside.partition("-")
        if number.isdecimal():
            yield "PublishPort", f"{outside}:{number}/{protocol or 'tcp'}"


def _limits(desired: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if desired.get("caps_retain"):
        yield "DropCapability", "all"
        yield "AddCapability", " ".join(desired["caps_retain"])
    if desired.get("caps_remove"):
        yield "DropCapability", " ".join(desired["caps_remove"])
    if desired.get("readonly_rootfs"):
        yield "ReadOnly", "true"
    if desired.get("cpu"):
        cpu = desired["cpu"]
        yield "PodmanArgs", f"--cpus={int(cpu[:-1]) / 1000:g}" if cpu.endswith("m") else f"--cpus={cpu}"
    if desired.get("memory"):
        yield "PodmanArgs", f"--memory={desired['memory'].rstrip('i').lower()}"
    if desired.get("cpu_shares"):
        yield "PodmanArgs", f"--cpu-shares={desired['cpu_shares']}"


def _words(*words: str) -> str:
    """Return words as systemd splits them again: quoted where need be, nothing in them replaced."""
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    text = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    text = text.replace("\t", "\\t").replace("\n", "\\n")
    if text and not any(char in text for char in " \"'\\;"):
        return text
    return '"' + text.replace('"', '\\"') + '"'


def _value(text: str) -> str:
    """Return a text that is taken whole, less what systemd would replace in it."""
    return text.replace("%", "%%")
