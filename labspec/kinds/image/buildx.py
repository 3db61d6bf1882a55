"""Building an image: the step, and what it asks of `docker buildx build`."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.host.calls import CallError
from labspec.kinds.image.names import TAGS_LABEL
from labspec.kinds.image.steps import refuse_foreign
from labspec.kinds.objects import ownership

if TYPE_CHECKING:
    from labspec.host.host import Host

_BUILDS = threading.BoundedSemaphore(4)
"""Builds at once: each keeps several processes busy."""
_KEPT_LINES = 2000
"""Of the log of a build; its end tells why it failed."""
_PASSED = ("ssh", "secrets", "cache_from", "cache_to", "no_cache", "pull", "contexts", "allow")


@dataclass(frozen=True)
class BuildImage(Step):
    """Build an image. `request` is what to build, as JSON text: a resource's desired fields and options."""

    tag: str
    lab: str
    request: str
    over: str = ""
    """The id of an image that labspec did not make and whose names it may take: one that was adopted."""

    @classmethod
    def of(cls, lab: str, resource: Resource, over: str = "") -> Self:
        """Return the step that builds the image of a resource."""
        wanted = resource.desired
        options = resource.options
        tags = wanted.get("tags", [])
        own = {TAGS_LABEL: " ".join(tags)} if tags else {}
        request = {
            "dockerfile": wanted["dockerfile"],
            "ignore": options.get("ignore"),
            "context": options["context"],
            "build_args": wanted.get("build_args", {}),
            "target": wanted.get("target"),
            "platform": wanted.get("platform"),
            "tags": tags,
            "labels": {**wanted.get("labels", {}), **own, **ownership(lab, resource)},
            "build": {name: value for name, value in wanted.get("build", {}).items() if name != "contexts"},
            **{name: options[name] for name in _PASSED if options.get(name)},
        }
        return cls(resource.name, lab, json.dumps(request, sort_keys=True), over)

    def __str__(self) -> str:
        request = json.loads(self.request)
        traits = [f"{name}={value}" for name, value in sorted(request["build_args"].items())]
        traits += [f"{key} {request[key]}" for key in ("target", "platform") if request[key]]
        traits += [f"secret {given['id']} from {_origin(given)}" for given in request.get("secrets", ())]
        traits += [f"ssh {name}" + (f" from {key}" if key else "") for name, key in request.get("ssh", {}).items()]
        traits += [f"its cache to {place}" for place in request.get("cache_to", ())]
        names = ", ".join([self.tag, *request["tags"]])
        return f"build image {names}" + (f" with {', '.join(traits)}" if traits else "")

    def run(self, host: Host) -> None:
        """Build it, without touching what has its tag until it is done."""
        request = json.loads(self.request)
        for tag in (self.tag, *request["tags"]):
            refuse_foreign(host.docker, tag, self.lab, self.over)
        hidden = _values(request)
        with TemporaryDirectory(prefix="labspec-") as folder:
            # A folder of its own, so that the build sends the engine no more of the context than it copies.
            dockerfile = Path(folder, "Dockerfile")
            dockerfile.write_text(request["dockerfile"])
            Path(folder, "Dockerfile.dockerignore").write_text(request["ignore"] or "# everything is part of it\n")
            with _BUILDS:
                self._build(host, arguments(self.tag, request, dockerfile), hidden)

    def _build(self, host: Host, words: Sequence[str], hidden: Sequence[str]) -> None:
        from labspec.kinds.image.failure import build_failure

        log: deque[str] = deque(maxlen=_KEPT_LINES)
        try:
            log.extend(host.whales.build(words))
        except CallError as error:
            shown = [without(line, hidden) for line in log]
            # Its own message has the whole command and the end of the log.
            raise build_failure(self.tag, shown, error.code) from (None if hidden else error)


def arguments(tag: str, request: Mapping[str, Any], dockerfile: Path) -> list[str]:
    """Return the arguments of `docker buildx build` for the request of a step, and a Dockerfile."""
    further = request["build"]
    options = [
        *(("add-host", host) for host in further.get("extra_hosts", ())),
        *(("allow", name) for name in request.get("allow", ())),
        *(("build-arg", f"{name}={value}") for name, value in request["build_args"].items()),
        *(("build-context", f"{name}={place}") for name, place in request.get("contexts", {}).items()),
        *(("cache-from", place) for place in request.get("cache_from", ())),
        *(("cache-to", place) for place in request.get("cache_to", ())),
        *(("label", f"{name}={value}") for name, value in request["labels"].items()),
        *(("network", further[name]) for name in ("network",) if name in further),
        *(("platform", request[name]) for name in ("platform",) if request[name]),
        *(("secret", _secret(given)) for given in request.get("secrets", ())),
        *(("shm-size", str(further[name])) for name in ("shm_size",) if name in further),
        *(("ssh", f"{name}={key}" if key else name) for name, key in request.get("ssh", {}).items()),
        *(("tag", name) for name in (tag, *request["tags"])),
        *(("target", request[name]) for name in ("target",) if request[name]),
        *(("ulimit", f"{name}={limit['soft']}:{limit['hard']}") for name, limit in further.get("ulimits", {}).items()),
    ]
    flags = [f"--{name.replace('_', '-')}" for name in ("no_cache", "pull") if request.get(name)]
    fixed = ["--builder=default", "--load", "--progress=plain", "--provenance=false", f"--file={dockerfile}"]
    return [*fixed, *flags, *(f"--{name}={value}" for name, value in options), "--", request["context"]]


def without(line: str, hidden: Sequence[str]) -> str:
    """Return a line of a build's log without the values of its secrets."""
    for value in hidden:
        line = line.replace(value, "***")
    return line


def _secret(given: Mapping[str, str]) -> str:
    pairs = [f"id={given['id']}", f"src={given['file']}" if "file" in given else f"env={given['environment']}"]
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(pairs)
    return out.getvalue()


def _origin(given: Mapping[str, str]) -> str:
    return f"{given['file']}" if "file" in given else f"${given['environment']}"


def _values(request: Mapping[str, Any]) -> list[str]:
    """Return what the secrets of a build say, whole and line by line, the longest first. Raises LabError for one less.

    It must be known to be kept out of messages: a command in the build may print it.
    """
    found: set[str] = set()
    for given in request.get("secrets", ()):
        try:
            text = Path(given["file"]).read_bytes().decode(errors="replace") if "file" in given else _variable(given)
        except OSError as error:
            raise LabError(f"secret {given['source']}: cannot read {given['file']}: {error.strerror}") from error
        found |= {text.strip(), *(line.strip() for line in text.splitlines())}
    return sorted(found - {""}, key=lambda text: (-len(text), text))


def _variable(given: Mapping[str, str]) -> str:
    value = os.environ.get(given["environment"])
    if value is None:
        raise LabError(f"secret {given['source']}: the environment has no variable {given['environment']}")
    return value
