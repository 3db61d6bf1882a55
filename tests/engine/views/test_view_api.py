"""Which paths of the Engine API are asked for, and what is not shown of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Resource
from labspec.engine.views import view
from labspec.engine.views.api import curl, path_of, without_secrets
from labspec.host.docker import Docker
from labspec.host.host import Host

LAB = Lab(
    "tp",
    "/lab",
    "/lab/lab.yaml",
    (
        Resource("image.page", "image", "reg/page:1"),
        Resource("volume.foo", "volume", "tp_foo"),
        Resource("unit.web.service", "unit", "web.service"),
    ),
)
HOST = Host(Docker("unix:///nowhere/docker.sock"))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/containers/json?all=1", "/containers/json?all=1"),
        ("/v1.43/images/json", "/images/json"),
        ("/containers/x/stats?stream=false", "/containers/x/stats?stream=false"),
        ("image.page", "/images/reg/page:1/json"),
        ("volume.foo", "/volumes/tp_foo"),
        ("/volumes/{volume.foo}", "/volumes/tp_foo"),
        ("host", "/info"),
    ],
)
def test_a_path_or_an_object_is_asked_for(given: str, path: str) -> None:
    assert path_of(given, LAB, HOST) == path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("/x HTTP/1.1\r\nHost: evil", "no path of the Engine API"),
        ("/containers/é", "no path of the Engine API"),
        ("/events", "with a stream"),
        ("/v1.43/events?since=1", "with a stream"),
        ("/containers/x/logs?follow=1", "with a stream"),
        ("/images/get", "with a stream"),
        ("/containers/x/stats", "without an end"),
        ("volume.fo", "the lab has no such object"),
        ("unit.web.service", "knows nothing of a unit"),
        ("/containers/{service.x}/json", "the lab has no service.x"),
    ],
)
def test_other_paths_are_refused(given: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        path_of(given, LAB, HOST)


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ("unix:///run/my docker.sock", "curl --silent --unix-socket '/run/my docker.sock' 'http://localhost/x?a=1'"),
        ("tcp://10.0.0.1:2375", "curl --silent 'http://10.0.0.1:2375/x?a=1'"),
    ],
)
def test_the_same_by_hand(engine: str, line: str) -> None:
    assert curl("/x?a=1", engine) == line


def test_secret_variables_are_hidden() -> None:
    config: dict[str, Any] = {"Env": ["A=1", "TOKEN=s3cret", "TOKENS=2"], "Labels": {"io.labspec.secrets": "TOKEN,PW"}}
    shown = without_secrets([{"Config": config}])
    assert shown[0]["Config"]["Env"] == ["A=1", "TOKEN=***", "TOKENS=2"]
    assert config["Env"][1] == "TOKEN=s3cret"


@pytest.mark.parametrize(
    ("kind", "address", "query", "message"),
    [
        ("api", None, None, "which answer"),
        ("api", "/info", "a[", "--query"),
        ("rights", "host", "a", "there is no query of rights"),
        ("name", "host", None, "there is no view 'name'"),
        ("mounts", "image.page", None, "nothing runs at this address"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(kind: str, address: str | None, query: str | None, message: str) -> None:
    with pytest.raises(LabError, match=message):
        view(kind, LAB, HOST, address, query)
