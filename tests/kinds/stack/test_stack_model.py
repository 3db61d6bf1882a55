"""Stacks: a compose file of the lab, or one written in the spec, as resources with addresses of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.stack.model import SECTION
from labspec.spec.loader import load

PORTAINER = {
    "version": "3",
    "services": {
        "portainer": {
            "image": "portainer/portainer",
            "command": "-H unix:///var/run/docker.sock",
            "volumes": ["/var/run/docker.sock:/var/run/docker.sock", "portainer_data:/data"],
            "networks": ["local"],
        }
    },
    "volumes": {"portainer_data": None, "unused": None},
    "networks": {"local": {"driver": "bridge"}},
}


def stack(
    entry: dict[str, Any], root: Path | str = "/nowhere", spec: dict[str, Any] | None = None, **options: Any
) -> tuple[dict[str, Resource], list[str]]:
    """Return the resources of the stack `s` by address, and the mistakes in it."""
    scope = FakeScope({"stacks": {"s": entry}, **(spec or {})}, root, **options)
    found = list(SECTION.resources("s", entry, scope)) if SECTION.check("s", entry, scope) else []
    return {resource.address: resource for resource in found}, scope.lines()


def of_file(folder: Path, document: Any, **entry: Any) -> tuple[dict[str, Resource], list[str]]:
    """Return as `stack`, for a compose file."""
    Path(folder, "compose.yml").write_text(json.dumps(document))
    return stack({"file": "compose.yml", **entry}, folder)


def image_of(value: str, **more: Any) -> dict[str, Any]:
    """Return a compose file of one service with this image."""
    return {"services": {"a": {"image": value, **more}}}


def test_a_file(tmp_path: Path) -> None:
    found, mistakes = of_file(tmp_path, PORTAINER)
    assert mistakes == []
    assert list(found) == ["stack.s.network.local", "stack.s.volume.portainer_data", "stack.s.service.portainer"]
    service = found["stack.s.service.portainer"]
    assert service.name == "tp-s-portainer-1"
    assert service.project == "tp-s"
    assert service.needs == ("stack.s.volume.portainer_data", "stack.s.network.local")
    assert service.desired["networks"] == {"tp-s_local": {}}
    assert service.desired["mounts"][0] == {"type": "volume", "target": "/data", "source": "tp-s_portainer_data"}


def test_a_stack_written_in_the_spec() -> None:
    entry = {
        "project": "mine",
        "services": {"a": {"image": "x", "command": "echo $HOME", "volumes": ["v:/v"]}},
        "volumes": {"v": {"tmpfs": {"size": "1m"}}},
    }
    found, mistakes = stack(entry)
    assert mistakes == []
    assert list(found) == ["stack.s.volume.v", "stack.s.network.default", "stack.s.service.a"]
    assert found["stack.s.service.a"].desired["command"] == ["echo", "$HOME"]
    assert found["stack.s.volume.v"].desired["options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    assert found["stack.s.network.default"].name == "mine_default"


def test_the_misspelt_file_of_the_seed(tmp_path: Path) -> None:
    service = {
        "network" if key == "networks" else key: item for key, item in PORTAINER["services"]["portainer"].items()
    }  # type: ignore[index]
    found, mistakes = of_file(tmp_path, PORTAINER | {"services": {"portainer": service}})
    assert found == {}
    assert mistakes == [
        "services.portainer.network (key): unknown key 'network' in 'services.portainer' of the compose file "
        "= did you mean 'networks'?"
    ]


SEED = """\
version: '3'

services:
  portainer:
    image: portainer/portainer
    command: -H unix:///var/run/docker.sock
    network:
        - local

networks:
  local:
    driver: bridge
"""


def test_the_misspelt_file_of_the_seed_is_refused_at_its_line(tmp_path: Path) -> None:
    Path(tmp_path, "portainer.yml").write_text(SEED)
    Path(tmp_path, "lab.yaml").write_text("labspec: 1\nlab: {name: tp}\nstacks: {p: {file: portainer.yml}}\n")
    with pytest.raises(LabError) as caught:
        load(tmp_path, variables={}, variable_files=())
    (told,) = caught.value.diagnostics
    assert told.at is not None
    assert (Path(told.at.file).name, told.at.line, told.at.column) == ("portainer.yml", 7, 5)
    assert told.hint == "did you mean 'networks'?"


def test_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_HERE", "three")
    document = image_of("${IMAGE}:${TAG:-1}", labels={"a": "$A", "b": "${FROM_HERE:-none}", "c": "$$x"})
    Path(tmp_path, ".env").write_text("IMAGE=one\nA=two\n")

    def image(**entry: Any) -> tuple[Any, Any]:
        found, mistakes = of_file(tmp_path, document, **entry)
        assert mistakes == []
        return found["stack.s.service.a"].desired["image"], found["stack.s.service.a"].desired["labels"]

    assert image() == ("one:1", {"a": "two", "b": "none", "c": "$x"})
    assert image(env={"IMAGE": "own", "TAG": 2}) == ("own:2", {"a": "two", "b": "none", "c": "$x"})
    assert image(env_from=["FROM_HERE"])[1]["b"] == "three"
    Path(tmp_path, "other.env").write_text("IMAGE=four\nA=five\n")
    assert image(env_file="other.env") == ("four:1", {"a": "five", "b": "none", "c": "$x"})


def test_a_variable_without_value(tmp_path: Path) -> None:
    _, mistakes = of_file(tmp_path, image_of("$IMAGE"), env={"IMAG": "x"})
    assert mistakes == ["services.a.image: the variable IMAGE has no value = did you mean 'IMAG'?"]


def test_what_comes_from_files_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0k3n")
    Path(tmp_path, ".env").write_text("PASSWORD=hunter2\n")
    environment = {"A": "x$PASSWORD", "B": "$TOKEN", "C": "$SHOWN", "D": "plain"}
    found, _ = of_file(tmp_path, image_of("x", environment=environment), env={"SHOWN": "s"}, env_from=["TOKEN"])
    service = found["stack.s.service.a"]
    assert service.options["secret_env"] == ["A", "B"]
    assert service.desired["environment"]["C"] == "s"
    assert "hunter2" not in json.dumps(service.desired)
    assert "t0k3n" not in json.dumps(service.desired)


def test_images_of_the_lab_and_of_the_stack(tmp_path: Path) -> None:
    Path(tmp_path, "Dockerfile").write_text("FROM debian\n")
    services = {"a": {"image": "nagini"}, "b": {"build": "."}}
    found, mistakes = stack({"services": services}, tmp_path, {"images": {"nagini": {"from": "debian"}}})
    assert mistakes == []
    assert found["stack.s.service.a"].needs == ("image.nagini", "stack.s.network.default")
    assert found["stack.s.service.b"].options["image_address"] == "stack.s.image.b"
    assert found["stack.s.image.b"].name == "tp-s-b:latest"


def test_paths_are_those_of_the_file(tmp_path: Path) -> None:
    folder = Path(tmp_path, "sub")
    folder.mkdir()
    Path(folder, "html").mkdir()
    Path(folder, "compose.yml").write_text(json.dumps(image_of("x", volumes=["./html:/h", "../:/up"])))
    found, mistakes = stack({"file": "sub/compose.yml"}, tmp_path)
    assert mistakes == []
    sources = [mount["source"] for mount in found["stack.s.service.a"].desired["mounts"]]
    assert sources == [str(folder / "html"), str(tmp_path)]


def test_profiles(tmp_path: Path) -> None:
    document = {"services": {"a": {"image": "x"}, "b": {"image": "x", "profiles": ["more"]}}}
    found, _ = of_file(tmp_path, document)
    assert "stack.s.service.b" not in found
    found, _ = of_file(tmp_path, document, profiles=["more"])
    assert "stack.s.service.b" in found


def test_objects_as_compose_writes_them(tmp_path: Path) -> None:
    document = {
        "services": {"a": {"image": "x", "networks": ["n"], "volumes": ["v:/v"]}},
        "networks": {"n": {"external": {"name": "other"}, "x-mine": 1}},
        "volumes": {"v": {"external": "true", "name": "vee"}},
    }
    found, mistakes = of_file(tmp_path, document)
    assert mistakes == []
    assert (found["stack.s.network.n"].name, found["stack.s.volume.v"].name) == ("other", "vee")
    assert found["stack.s.network.n"].options["external"] is True


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, "stacks.s (key): stack 's' has neither a file nor services = write file: compose.yaml"),
        (
            {"file": "a.yml", "services": {}},
            "stacks.s.services (key): stack 's' has both file and services "
            "= keep one of them: a stack is a file, or written here",
        ),
        (
            {"services": {"a": {"image": "x"}}, "env": {"A": 1}},
            "stacks.s.env (key): stack 's' has env, and no file to use it in "
            "= use lookups such as ${{ vars.name }} in a stack written in the spec",
        ),
        ({"fil": "x"}, "stacks.s.fil (key): unknown key 'fil' in stack 's' = did you mean 'file'?"),
        (
            {"services": {"a": {"image": "x", "port": ["80"]}}},
            "stacks.s.services.a.port (key): unknown key 'port' in 'services.a' of the stack = did you mean 'ports'?",
        ),
        (
            {"services": {"a": {"image": "x"}}, "volumes": {"v": {"drivr": "x"}}},
            "stacks.s.volumes.v.drivr (key): unknown key 'drivr' in volume 'v' = did you mean 'driver'?",
        ),
        (
            {"services": {"a": {"image": "x", "volumes": ["v:/x"]}}},
            "stacks.s.services.a.volumes.0: there is no volume 'v' = define it under 'volumes:'",
        ),
        ({"file": "none.yml"}, "stacks.s.file: there is no file 'none.yml'"),
    ],
)
def test_mistakes(entry: dict[str, Any], expected: str) -> None:
    assert stack(entry)[1] == [expected]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"include": ["x.yml"], "services": {"a": {"image": "x"}}},
            "include (key): 'include' in the compose file is not supported "
            "= give each included file a stack of its own, or copy what it says into this one",
        ),
        ([], ": expected a mapping, found a list"),
        (
            {"services": {"a": {"image": "x"}}, "networks": {"n": {"ipam": {"config": [{"subnet": "x"}]}}}},
            "networks.n.ipam.config.0.subnet: not a subnet: 'x' does not appear to be an IPv4 or IPv6 network",
        ),
        (
            {"services": {"a": {"image": "x"}}, "volumes": {"v": {"external": True, "driver": "x"}}},
            "volumes.v.driver (key): volume 'v' is external and has driver "
            "= labspec never changes an external one: remove this key, or 'external'",
        ),
    ],
)
def test_mistakes_in_files(tmp_path: Path, document: Any, expected: str) -> None:
    assert of_file(tmp_path, document)[1] == [expected]


def test_a_project_must_have_a_name_that_compose_takes() -> None:
    scope = FakeScope(lab="tp")
    assert not SECTION.check("My.Stack", {"services": {"a": {"image": "x"}}}, scope)
    assert "cannot be the name of a compose project" in scope.lines()[0]


def test_extends(tmp_path: Path) -> None:
    Path(tmp_path, "base").mkdir()
    Path(tmp_path, "base", "web.env").write_text("Z=1\n")
    base = {"services": {"web": {"image": "x", "env_file": "web.env", "environment": ["A=1", "B=$V"], "ports": ["80"]}}}
    Path(tmp_path, "base", "compose.yml").write_text(json.dumps(base))
    document = {
        "services": {
            "a": {
                "extends": {"service": "web", "file": "base/compose.yml"},
                "environment": {"A": 2},
                "ports": ["81"],
            },
            "b": {"extends": "a", "image": "y", "command": "run"},
        }
    }
    found, mistakes = of_file(tmp_path, document, env={"V": "vee"})
    assert mistakes == []
    a, b = found["stack.s.service.a"].desired, found["stack.s.service.b"].desired
    assert a["ports"] == [":80/tcp", ":81/tcp"]
    assert (a["environment"]["A"], a["environment"]["B"]) == ("2", "vee")
    assert "Z" in a["environment"]
    assert (b["image"], b["command"], b["ports"]) == ("y:latest", ["run"], a["ports"])


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (
            {"a": {"image": "x", "extends": "b"}, "bb": {"image": "x"}},
            "services.a.extends: there is no service 'b' = did you mean 'bb'?",
        ),
        (
            {"a": {"image": "x", "extends": {"service": "a"}}},
            "services.a.extends.service: service 'a' extends itself: a -> a",
        ),
        (
            {"a": {"extends": "b"}, "b": {"command": "x"}},
            "services.b (key): service 'b' has neither an image nor a build = write image: debian:latest",
        ),
    ],
)
def test_extends_in_vain(tmp_path: Path, services: Any, expected: str) -> None:
    services = {
        name: {key: item for key, item in entry.items() if item is not None} for name, entry in services.items()
    }
    assert of_file(tmp_path, {"services": services})[1][0] == expected


def test_a_stack_may_start_with_the_host() -> None:
    found, mistakes = stack({"services": {"a": {"image": "x"}}, "systemd": True})
    assert mistakes == []
    unit = found["stack.s.unit"]
    assert (unit.address, unit.kind, unit.name) == ("stack.s.unit", "unit", "labspec-tp-s.service")
    assert "stack.s.service.a" in unit.needs
    assert unit.desired["state"] == "started"
    assert unit.desired["enabled"] is True
    assert unit.desired["sections"]["Service.ExecStart"] == ["/usr/bin/docker compose --project-name tp-s start"]
    assert unit.desired["sections"]["Install.WantedBy"] == ["multi-user.target"]
