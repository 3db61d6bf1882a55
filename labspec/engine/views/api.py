"""labspec show api: what the Docker Engine API answers to a GET, and the curl line that asks the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from labspec.checks.query import asked, query_mistake
from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import SECRETS_LABEL, Lab
from labspec.engine.views.model import View
from labspec.host.docker import ApiError, image_path, inspect_path, segment
from labspec.kinds.subjects import HOST, base_of, subjects

if TYPE_CHECKING:
    from labspec.core.resource import Resource
    from labspec.host.host import Host

HIDDEN = "***"
"""Stands for a value that the lab keeps secret."""
_PATH = re.compile(r"/[!-~]*")
_ADDRESS = re.compile(r"\{([^{}]*)\}")
_ENDLESS = re.compile(
    r"/events|/containers/[^/]+/(attach/ws|export|archive|logs)|/images/(.+/)?get|/exec/[^/]+/start|/session|/grpc"
)
"""What answers without an end, or with an archive in place of JSON."""
_OBJECTS: dict[str, Callable[[str], str]] = {
    "image": image_path,
    "network": lambda name: f"/networks/{segment(name)}",
    "volume": lambda name: f"/volumes/{segment(name)}",
}
"""Kind -> where the engine tells of one object, by its name."""


def api_view(lab: Lab, host: Host, address: str | None, query: str | None = None) -> View:
    """Return the engine's answer for a path (/containers/json) or an object of the lab (service.web), queried.

    Values that the lab keeps secret are hidden. Raises LabError for what is no path or object, a wrong query, and what
    the engine refuses.
    """
    if address is None:
        raise LabError("which answer of the engine?", hint="give a path (/containers/json) or an address (service.web)")
    mistake = query_mistake(query) if query else None
    if mistake:
        raise LabError(f"--query {query}: {mistake}", hint="see https://jmespath.org; for example --query '[].Names'")
    path = path_of(address, lab, host)
    try:
        answer = without_secrets(host.docker.get(path))
    except ApiError as error:
        raise LabError(f"the engine answers {error.status} to GET {path}: {error.message}") from error
    if query:
        answer = asked(query, answer)
    data = {"path": path, "query": query}
    title = f"GET {path}"
    return View("api", lab.name, address, title, by_hand=(curl(path, host.docker.address),), data=data, answer=answer)


def path_of(address: str, lab: Lab, host: Host) -> str:
    """Return the path that is asked for: as given, addresses in braces replaced, or that of an object of the lab."""
    if not address.startswith("/"):
        return _object(address, lab, host)
    path = _ADDRESS.sub(lambda found: _identity(found[1], lab, host), address)
    if not _PATH.fullmatch(path):
        raise LabError(f"'{path}' is no path of the Engine API", hint="write spaces and the like as %20")
    plain, _, options = path.partition("?")
    plain = re.sub(r"^/v\d+\.\d+", "", plain)
    stream = plain.endswith("/stats") and not re.search(r"(^|&)stream=(0|false)(&|$)", options)
    if stream:
        raise LabError(f"{path} answers without an end", hint=f"ask for one answer: {plain}?stream=false")
    if _ENDLESS.fullmatch(plain):
        raise LabError(f"{path} answers with a stream, not with JSON", hint="use the docker client for that")
    return path.removeprefix(path.partition(plain)[0])


def curl(path: str, engine: str) -> str:
    """Return the line of a shell that asks the same of an engine at a DOCKER_HOST."""
    if engine.startswith("unix://"):
        socket = shlex.quote(engine.removeprefix("unix://"))
        return f"curl --silent --unix-socket {socket} {shlex.quote(f'http://localhost{path}')}"
    scheme, _, place = engine.partition("://")
    if scheme == "ssh":
        return f"ssh {shlex.quote(place)} {shlex.quote(curl(path, 'unix:///var/run/docker.sock'))}"
    return f"curl --silent {shlex.quote(f'http://{place}{path}')}"


def without_secrets(answer: Any) -> Any:
    """Return an answer in which the values are hidden of variables that a container's label names as secret."""
    if isinstance(answer, list):
        return [without_secrets(one) for one in answer]
    if not isinstance(answer, Mapping):
        return answer
    found = {name: without_secrets(value) for name, value in answer.items()}
    labels = found.get("Labels")
    secret = labels.get(SECRETS_LABEL) if isinstance(labels, Mapping) else None
    if secret and isinstance(found.get("Env"), list):
        names = set(str(secret).split(","))
        found["Env"] = [_hidden(str(pair), names) for pair in found["Env"]]
    return found


def _hidden(pair: str, names: set[str]) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if equals and name in names else pair


def _object(address: str, lab: Lab, host: Host) -> str:
    if address == HOST or address.startswith("daemon."):
        return "/info"
    resource = lab.by_address.get(address.partition("/")[0])
    if resource is None:
        known = [HOST, *(one.address for one in lab.resources if one.kind == "service" or one.kind in _OBJECTS)]
        raise LabError(
            f"{address}: the lab has no such object",
            hint=did_you_mean(address, known) or "give a path (/containers/json) or an address (service.web)",
        )
    return _path(address, resource, lab, host)


def _path(address: str, resource: Resource, lab: Lab, host: Host) -> str:
    if resource.kind in _OBJECTS:
        return _OBJECTS[resource.kind](resource.name)
    if resource.kind != "service":
        raise LabError(
            f"{address}: the Docker engine knows nothing of a {resource.kind}",
            hint="it knows services, images, networks and volumes",
        )
    return inspect_path(_container(address, lab, host))


def _identity(address: str, lab: Lab, host: Host) -> str:
    resource = lab.by_address.get(address.partition("/")[0])
    if resource is not None and resource.kind in _OBJECTS:
        return segment(resource.name)
    return segment(_container(address, lab, host))


def _container(address: str, lab: Lab, host: Host) -> str:
    """Return the name of a service's container; by its name a reader can ask again."""
    base_of(address, lab)
    found = subjects(lab, host, [address]).get(address)
    if found is None or found.kind != "service":
        raise LabError(f"{address} has no container", hint="'labspec apply' makes it")
    return found.name
