"""The engine of the simulated host: the part of its API that labspec uses, and docker's own client as labspec calls it.

Compose behaves as the real one does, its weakness included: killed while it makes a container anew, it leaves the new
one under a name with the old one's id before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from simulated import World

from labspec.host.calls import CallError
from labspec.host.docker import ApiError

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"


class SimulatedDocker:
    """Stands for labspec.host.docker.Docker."""

    address = "unix:///simulated"
    socket_path = "/simulated"
    context = ""
    timeout = 60.0

    def __init__(self, world: World) -> None:
        self.world = world

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Do nothing: no connection is kept."""
        yield

    def foresee(self, requests: Iterable[Any]) -> None:
        """Do nothing: answers are there when they are asked for."""

    def meanwhile(self, *_: Any) -> None:
        """Do nothing: there is no time to use."""

    def close(self) -> None:
        """Do nothing."""

    def find_all(self, paths: Sequence[str], each: Callable[[Any], object] = bool) -> list[Any | None]:  # noqa: ARG002
        return [self.find(path) for path in paths]

    def find(self, path: str, query: Mapping[str, Any] | None = None) -> Any | None:
        try:
            return self.get(path, query)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        self.world.ask()
        wanted = json.loads((query or {}).get("filters", "{}"))
        kind, _, rest = unquote(path).removeprefix("/").partition("/")
        name = rest.removesuffix("/json")
        if kind == "containers":
            if not name or rest == "json":
                return self._listed(wanted, every=bool((query or {}).get("all")))
            return json.loads(json.dumps(self._container(name)))
        if kind == "images":
            if rest == "json":
                return [_image_row(found) for found in self.world.images.values() if _fits(_labels(found), wanted)]
            return self._image(name)
        if kind == "networks":
            return self._network(name) if name else _filtered(self.world.networks, wanted)
        if kind == "volumes":
            return self._volume(name) if name else {"Volumes": _filtered(self.world.volumes, wanted)}
        return {"info": {"SwapLimit": True}, "version": {"Version": "26.1.5"}}[kind]

    def delete(self, path: str, query: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002
        self.world.ask()
        kind, _, name = unquote(path).removeprefix("/").partition("/")
        return self.world.write(f"DELETE {kind}", lambda: self._delete(kind, name))

    def post(self, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        self.world.ask()
        kind, _, rest = unquote(path).removeprefix("/").partition("/")
        name, _, verb = rest.rpartition("/")
        if verb == "create" and self.world.before_create is not None:
            self.world.before_create(kind, body["Name"])
        return self.world.write(f"POST {kind} {verb}", lambda: self._post(kind, name, verb, body, query or {}))

    def _delete(self, kind: str, name: str) -> None:
        world = self.world
        if kind == "containers":
            del world.containers[self._container(name)["Id"]]
        elif kind == "networks":
            found = self._network(name)
            users = [item for item in world.containers.values() if found["Name"] in _networks(item) and _runs(item)]
            if users:
                raise ApiError(403, f"network {name} has active endpoints")
            del world.networks[found["Id"]]
        elif kind == "volumes":
            self._volume(name)
            if any(name in _volumes(item) for item in world.containers.values()):
                raise ApiError(409, f"volume {name} is in use")
            del world.volumes[name]
        else:
            self._delete_image(name)

    def _delete_image(self, name: str) -> None:
        found = self._image(name)
        if name in found["RepoTags"] and len(found["RepoTags"]) > 1:
            found["RepoTags"].remove(name)
            return
        if any(item["Image"] == found["Id"] for item in self.world.containers.values()):
            raise ApiError(409, "the image is used by a container")
        del self.world.images[found["Id"]]

    def _post(self, kind: str, name: str, verb: str, body: Any, query: Mapping[str, Any]) -> Any:
        world = self.world
        if kind == "containers":
            self._act(self._container(name), verb, body, query)
            return None
        if kind == "volumes":
            made = {"Name": body["Name"], "Driver": body["Driver"], "Options": body["DriverOpts"]}
            return world.volumes.setdefault(body["Name"], {**made, "Labels": body["Labels"]})
        if verb == "create":
            if any(found["Name"] == body["Name"] for found in world.networks.values()):
                raise ApiError(409, f"network with name {body['Name']} already exists")
            identity = world.identity()
            pools = body["IPAM"]["Config"] or [{"Subnet": f"172.{world.ids % 200}.0.0/16", "Gateway": "172.0.0.1"}]
            for found in world.networks.values() if body["IPAM"]["Config"] else ():
                if any(_overlap(pool, other) for pool in pools for other in found["IPAM"]["Config"]):
                    raise ApiError(403, "Pool overlaps with other one on this address space")
            ipam = {"Driver": "default", "Options": {}, "Config": pools}
            keys = ("Name", "Driver", "Internal", "Attachable", "EnableIPv6", "Options", "Labels")
            told = {key: body[key] for key in keys}
            world.networks[identity] = {"Id": identity, "IPAM": ipam, "Scope": "local", **told}
            return {"Id": identity}
        network, container = self._network(name)["Name"], self._container(body["Container"])
        if verb == "connect":
            container["NetworkSettings"]["Networks"][network] = dict(body["EndpointConfig"])
        elif container["NetworkSettings"]["Networks"].pop(network, None) is None:
            raise ApiError(403, "the container is not connected")
        return None

    def _act(self, container: dict[str, Any], verb: str, body: Any, query: Mapping[str, Any]) -> None:
        if verb in ("start", "restart"):
            self._may_start(container)
            _set_state(container, "running")
        elif verb == "stop" and _runs(container):
            _set_state(container, "exited", 137)
        elif verb == "update":
            container["HostConfig"].update(body)
        elif verb == "rename":
            if any(found["Name"] == f"/{query['name']}" for found in self.world.containers.values()):
                raise ApiError(409, f"the name {query['name']} is already in use by container")
            container["Name"] = f"/{query['name']}"

    def _may_start(self, container: Mapping[str, Any]) -> None:
        names = {found["Name"] for found in self.world.networks.values()}
        if not names.issuperset(_networks(container)):
            raise ApiError(404, "a network of the container is gone")
        for other in self.world.containers.values():
            if other is not container and not _published(container).isdisjoint(_held(other)):
                raise ApiError(500, f"Bind for 0.0.0.0:{_published(container)} failed: port is already allocated")

    def _container(self, name: str) -> dict[str, Any]:
        for identity, found in self.world.containers.items():
            if name == identity or found["Name"] == f"/{name}":
                return found
        raise ApiError(404, f"No such container: {name}")

    def _image(self, name: str) -> dict[str, Any]:
        for identity, found in self.world.images.items():
            if name == identity or name in found["RepoTags"]:
                return found
        raise ApiError(404, f"No such image: {name}")

    def _network(self, name: str) -> dict[str, Any]:
        for identity, found in self.world.networks.items():
            if name in (identity, found["Name"]):
                return found
        raise ApiError(404, f"network {name} not found")

    def _volume(self, name: str) -> dict[str, Any]:
        try:
            return self.world.volumes[name]
        except KeyError:
            raise ApiError(404, f"no such volume: {name}") from None

    def _listed(self, wanted: Mapping[str, Any], *, every: bool) -> list[dict[str, Any]]:
        found = [item for item in self.world.containers.values() if every or _runs(item)]
        images = set(wanted.get("ancestor", ()))
        return [
            {
                "Id": item["Id"],
                "Names": [item["Name"]],
                "Labels": item["Config"]["Labels"],
                "State": item["State"]["Status"],
                "ImageID": item["Image"],
                "Ports": [{"PublicPort": port, "Type": "tcp", "IP": "127.0.0.1"} for port in _held(item)],
            }
            for item in found
            if _fits(item["Config"]["Labels"], wanted) and (not images or item["Image"] in images)
        ]


class SimulatedWhales:
    """Stands for Docker's own programs."""

    def __init__(self, docker: SimulatedDocker) -> None:
        self._docker = docker
        self._world = docker.world

    def get_ready(self) -> None:
        """There is nothing to import."""

    give_up = get_ready

    def pull(self, reference: str) -> None:
        self._world.write("pull", lambda: image(self._world, reference), child=True)

    def build(self, arguments: Sequence[str]) -> Iterator[str]:
        options = [word.partition("=")[::2] for word in arguments]
        labels = dict(value.partition("=")[::2] for name, value in options if name == "--label")
        tag = dict(options)["--tag"]

        def act() -> None:
            for found in self._world.images.values():
                if tag in found["RepoTags"]:
                    found["RepoTags"].remove(tag)
            image(self._world, tag, labels)

        self._world.write("build", act, child=True)
        return iter(())

    def up(self, file: str, project: str, services: Sequence[str], *, anew: bool) -> Iterator[str]:
        document = json.loads(Path(file).read_text().replace("$$", "$"))
        for key in services:
            entry = document["services"][key]
            wanted = int(entry.get("scale", 1))
            for extra in [item for item in self._world.containers.values() if _is_extra(item, project, key, wanted)]:
                self._do("scale down", lambda extra=extra: self._world.containers.pop(extra["Id"], None))
            for number in range(1, wanted + 1):
                made = self._one(project, key, number, document, anew=anew)
                yield f" Container {made['Name'][1:]}  Started\n"

    def _one(self, project: str, key: str, number: int, document: Any, *, anew: bool) -> dict[str, Any]:
        world = self._world
        old = next((item for item in world.containers.values() if _is(item, project, key, number)), None)
        name = str(document["services"][key].get("container_name") or f"{project}-{key}-{number}")
        if old is None:
            made = self._do("create", lambda: self._made(project, key, number, document, name))
        elif anew:
            temporary = f"{old['Id'][:12]}_{name}"
            made = self._do("create", lambda: self._made(project, key, number, document, temporary))
            self._do("stop", lambda: _set_state(old, "exited", 137))
            self._do("remove", lambda: world.containers.pop(old["Id"], None))
            self._do("rename", lambda: made.update(Name=f"/{name}"))
        else:
            made = old
        if not _runs(made):
            self._do("start", lambda: self._docker._act(made, "start", None, {}))  # noqa: SLF001  the engine is one
        return made

    def _do(self, what: str, act: Any) -> Any:
        try:
            return self._world.write(f"compose {what}", act, child=True)
        except ApiError as error:
            raise CallError(1, error.message) from error

    def _made(self, project: str, key: str, number: int, document: Any, name: str) -> dict[str, Any]:
        world = self._world
        entry = document["services"][key]
        if any(found["Name"] == f"/{name}" for found in world.containers.values()):
            raise ApiError(409, f"the name {name} is already in use by container")
        networks = {document["networks"][network]["name"]: network for network in entry.get("networks", ())}
        for network in networks:
            self._docker._network(network)  # noqa: SLF001
        volumes = [item.partition(":") for item in entry.get("volumes", ())]
        for source, _, _ in volumes:
            self._docker._volume(document["volumes"][source]["name"])  # noqa: SLF001
        found = self._docker._image(entry["image"])  # noqa: SLF001
        identity = world.identity()
        labels = {PROJECT: project, SERVICE: key, NUMBER: str(number), "com.docker.compose.oneoff": "False"}
        restart = entry.get("restart", "no")
        world.containers[identity] = made = container(
            identity,
            name,
            found,
            command=entry.get("command"),
            environment=[f"{name}={value}" for name, value in (entry.get("environment") or {}).items()],
            labels={**_labels(found), **entry["labels"], **labels},
            networks={network: {"Aliases": [name, key]} for network in networks},
            binds=[f"{document['volumes'][source]['name']}:{target}:rw" for source, _, target in volumes],
            limits={
                "Memory": _bytes(entry.get("mem_limit", 0)),
                "RestartPolicy": {"Name": restart},
                "PortBindings": dict(map(_binding, entry.get("ports", ()))),
            },
        )
        made["Config"]["StopTimeout"] = 0
        made["HostConfig"]["MemorySwap"] = 2 * made["HostConfig"]["Memory"]
        return made


def _overlap(one: Mapping[str, str], two: Mapping[str, str]) -> bool:
    return ip_network(one["Subnet"]).overlaps(ip_network(two["Subnet"]))


def image(world: World, tag: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Put an image on the host, or return that which has the tag already."""
    for found in world.images.values():
        if tag in found["RepoTags"]:
            return found
    identity = f"sha256:{world.identity()}"
    config = {"Cmd": ["sh"], "Env": ["PATH=/bin"], "Labels": dict(labels or {})}
    world.images[identity] = {"Id": identity, "RepoTags": [tag], "Config": config}
    return world.images[identity]


def container(
    identity: str,
    name: str,
    of: Mapping[str, Any],
    *,
    command: Sequence[str] | None = None,
    environment: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    networks: Mapping[str, Any] | None = None,
    binds: Sequence[str] = (),
    limits: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what GET /containers/ID/json says of a container that was just made."""
    first = next(iter(networks or ()), "none")
    made: dict[str, Any] = {
        "Id": identity,
        "Name": f"/{name}",
        "Created": identity[-10:],
        "Image": of["Id"],
        "Config": {
            "Image": of["RepoTags"][0],
            "Cmd": list(command or of["Config"]["Cmd"]),
            "Env": [*environment, *of["Config"]["Env"]],
            "Labels": dict(labels or {}),
            "Hostname": identity[:12],
        },
        "HostConfig": {"NetworkMode": first, "Binds": list(binds), "ShmSize": 2**26, **(limits or {})},
        "NetworkSettings": {"Networks": dict(networks or {"none": {}})},
    }
    _set_state(made, "created")
    return made


def _set_state(item: dict[str, Any], status: str, code: int = 0) -> None:
    item["State"] = {"Status": status, "Running": status == "running", "ExitCode": code, "Error": ""}


def _runs(item: Mapping[str, Any]) -> bool:
    return bool(item["State"]["Running"])


def _is(item: Mapping[str, Any], project: str | None, key: str, number: int) -> bool:
    labels = item["Config"]["Labels"]
    return (labels.get(PROJECT), labels.get(SERVICE), labels.get(NUMBER)) == (project, key, str(number))


def _is_extra(item: Mapping[str, Any], project: str | None, key: str, wanted: int) -> bool:
    number = int(item["Config"]["Labels"].get(NUMBER, 0))
    return number > wanted and _is(item, project, key, number)


def _networks(item: Mapping[str, Any]) -> set[str]:
    return set(item["NetworkSettings"]["Networks"]) - {"none"}


def _binding(port: str) -> tuple[str, list[dict[str, str]]]:
    published, _, target = port.partition(":")
    return f"{target}/tcp", [{"HostIp": "", "HostPort": published}]


def _published(item: Mapping[str, Any]) -> set[int]:
    bindings = item["HostConfig"].get("PortBindings") or {}
    return {int(binding["HostPort"]) for bound in bindings.values() for binding in bound}


def _held(item: Mapping[str, Any]) -> set[int]:
    return _published(item) if _runs(item) else set()


def _volumes(item: Mapping[str, Any]) -> set[str]:
    return {bind.partition(":")[0] for bind in item["HostConfig"]["Binds"]}


def _labels(found: Mapping[str, Any]) -> dict[str, str]:
    return dict(found["Config"]["Labels"])


def _image_row(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"Id": found["Id"], "RepoTags": list(found["RepoTags"]), "Labels": _labels(found), "ParentId": ""}


def _filtered(objects: Mapping[str, dict[str, Any]], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(found) for found in objects.values() if _fits(found["Labels"], wanted)]


def _fits(labels: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    return all(
        labels.get(name) == value for name, _, value in (label.partition("=") for label in wanted.get("label", ()))
    )


def _bytes(size: Any) -> int:
    text = str(size)
    return int(text[:-1]) * 2**20 if text.endswith("m") else int(text)
