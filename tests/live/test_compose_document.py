"""What labspec reads in a compose file is what docker compose reads, and what it writes docker compose accepts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.kinds.compose import document, values
from labspec.kinds.compose.extends import merge
from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.ports import parse_ports
from labspec.kinds.service import canonical
from labspec.spec.loader import load

pytestmark = pytest.mark.live


def config(folder: Path, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return a compose file as `docker compose config` understands it."""
    file = Path(folder, "docker-compose.json")
    file.write_text(json.dumps(written))
    command = ["docker", "compose", "--file", str(file), "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


PORTS: list[Any] = [
    "80",
    81,
    "8080:80",
    "8081:80/udp",
    "127.0.0.1:8080:80",
    "127.0.0.1::80",
    "[::1]:5:6",
    "9000-9001",
    "8000-8001:80-81",
    "8000-8010:80",
    ":90",
    {"target": 80, "published": "8083", "host_ip": "127.0.0.2"},
]
VOLUMES: list[Any] = [
    "/anon",
    "foo:/app",
    "foo:/a/b/../c/:ro",
    "foo:/app2:nocopy",
    "./x:/y:ro,z",
    ".:/here",
    "/x:/z:rslave",
    {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "10m", "mode": 493}},
    {"type": "bind", "source": "/x", "target": "/w", "bind": {"propagation": "shared"}},
]
COMMANDS = ["sleep 9000", "", "a 'b c'd \"e'f\" g\\\\ h", 'sh -c "echo \\"x y\\" ; ls" ""', "a\tb\nc", "'a\\b' x\\ y"]
DURATIONS = ["1m30s", "90s", "1.5s", "1h1m0.5s", "500ms"]
SIZES = ["5", "1k", "100MB", "1.5g", "1 mb", "2GiB", "7b"]
HOSTS = ["a=1.2.3.4", "b:::1", "c=[::1]", "d:host-gateway"]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the services as compose reads them, one for each spelling."""
    services: dict[str, Any] = {
        "ports": {"ports": PORTS},
        "volumes": {"volumes": VOLUMES},
        "hosts": {"extra_hosts": HOSTS},
        "labels": {"labels": ["a", "b=c", "d="], "environment": {"a": 1.0, "b": True, "c": 1.5}},
        **{f"command{index}": {"command": line} for index, line in enumerate(COMMANDS)},
        **{f"duration{index}": {"stop_grace_period": text} for index, text in enumerate(DURATIONS)},
        **{f"size{index}": {"mem_limit": text} for index, text in enumerate(SIZES)},
    }
    services = {name: {"image": "x", **entry} for name, entry in services.items()}
    folder = tmp_path_factory.mktemp("compose")
    written = {"name": "labspec-test", "services": services, "volumes": {"foo": {}}}
    found: dict[str, Any] = config(folder, written)["services"]
    return found


def test_ports(read: dict[str, Any]) -> None:
    theirs = [
        canonical.port(port.get("host_ip", ""), port.get("published", ""), str(port["target"]), port["protocol"])
        for port in read["ports"]["ports"]
    ]
    assert [str(port) for item in PORTS for port in parse_ports(item)] == theirs


def test_volumes(read: dict[str, Any]) -> None:
    theirs = [Mount.parse(item) for item in read["volumes"]["volumes"]]
    ours = [Mount.parse(item) for item in VOLUMES]
    for mine, other in zip(ours, theirs, strict=True):
        same = (mine.type, mine.target, mine.read_only, mine.nocopy, mine.selinux, mine.propagation, mine.tmpfs_size)
        assert same == (
            other.type,
            other.target,
            other.read_only,
            other.nocopy,
            other.selinux,
            other.propagation,
            other.tmpfs_size,
        )


@pytest.mark.parametrize("index", range(len(COMMANDS)))
def test_commands(read: dict[str, Any], index: int) -> None:
    assert values.words(COMMANDS[index]) == read[f"command{index}"]["command"]


@pytest.mark.parametrize("index", range(len(DURATIONS)))
def test_durations(read: dict[str, Any], index: int) -> None:
    theirs = read[f"duration{index}"]["stop_grace_period"]
    assert values.nanoseconds(DURATIONS[index]) == values.nanoseconds(theirs)


@pytest.mark.parametrize("index", range(len(SIZES)))
def test_sizes(read: dict[str, Any], index: int) -> None:
    assert values.size(SIZES[index]) == int(read[f"size{index}"]["mem_limit"])


def test_mappings(read: dict[str, Any]) -> None:
    assert values.extra_hosts(HOSTS) == sorted(item.replace("=", ":", 1) for item in read["hosts"]["extra_hosts"])
    assert values.mapping(["a", "b=c", "d="]) == read["labels"]["labels"]
    assert values.mapping({"a": 1.0, "b": True, "c": 1.5}) == read["labels"]["environment"]


BASE = {
    "image": "x",
    "command": "one",
    "environment": ["A=1", "B=2"],
    "labels": {"a": "1", "b": "2"},
    "ports": ["80:80", "81:81"],
    "volumes": ["foo:/a", "/h:/b"],
    "dns": "1.1.1.1",
    "tmpfs": "/t",
    "healthcheck": {"test": ["CMD", "a"], "interval": "1s"},
    "logging": {"driver": "json-file", "options": {"a": "1"}},
    "networks": ["n"],
    "cap_add": ["A", "B"],
    "ulimits": {"nofile": 1, "nproc": {"soft": 1, "hard": 2}},
    "extra_hosts": ["a=1.1.1.1"],
    "sysctls": ["x=1"],
    "deploy": {"resources": {"limits": {"cpus": "1"}}},
    "security_opt": ["a"],
}
OWN = {
    "command": ["two"],
    "environment": {"A": "3", "C": "4"},
    "labels": ["a=3"],
    "ports": ["81:81", "82:82"],
    "volumes": ["/other:/b", "foo:/c"],
    "dns": ["1.1.1.1", "2.2.2.2"],
    "tmpfs": ["/u"],
    "healthcheck": {"test": "b", "retries": 3},
    "logging": {"options": {"b": "2"}},
    "networks": {"n": {"aliases": ["z"]}, "m": None},
    "cap_add": ["C"],
    "ulimits": {"nofile": 3},
    "sysctls": {"y": 2},
    "deploy": {"resources": {"limits": {"memory": "1m"}}},
    "security_opt": ["b"],
    "tty": True,
}


def test_extends_merges_as_compose_does(tmp_path: Path) -> None:
    services = {"base": BASE, "own": {**OWN, "extends": "base"}, "merged": merge(BASE, OWN)}
    written = {
        "name": "labspec-test",
        "services": services,
        "volumes": {"foo": {}},
        "networks": {"n": {}, "m": {}},
    }
    found = config(tmp_path, written)["services"]
    theirs, ours = found["own"], found["merged"]
    for key in sorted({*theirs, *ours}):
        assert _sorted(ours.get(key)) == _sorted(theirs.get(key)), key


def _sorted(value: Any) -> Any:
    return sorted(value, key=json.dumps) if isinstance(value, list) else value


SPEC = """
labspec: 1
lab: {name: labspec-test}
volumes:
  foo: {tmpfs: {size: 1m}}
  other: {external: true, name: labspec-test-other}
networks: {local: {subnets: [10.231.0.0/24]}}
secrets: {token: {file: token}}
configs: {motd: {content: "pay $5 ${X}"}}
services:
  web:
    image: debian
    command: echo $HOME ${X:-y}
    ports: ["8080:80"]
    volumes: ["foo:/foo", "./html:/html:ro", "other:/other"]
    networks: {local: {aliases: [www]}}
    environment: {COST: "$5", FROM_HERE: null}
    env_file: [more.env]
    secrets: [token]
    configs: [{source: motd, target: /etc/motd}]
    labels: {a.b: "{{.Name}} $x"}
    security_opt: ["seccomp:profile.json"]
  db: {image: debian, deploy: {replicas: 2}, depends_on: [web]}
stacks:
  inner: {services: {a: {image: debian, volumes: [v:/v]}}, volumes: {v: {labels: [x=y$z]}}}
"""


@pytest.fixture
def lab_folder(tmp_path: Path) -> Path:
    """Return a folder with a lab that has something of everything."""
    Path(tmp_path, "html").mkdir()
    Path(tmp_path, "token").write_text("t")
    Path(tmp_path, "more.env").write_text("MORE=secret-value\n")
    Path(tmp_path, "profile.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    Path(tmp_path, "lab.yaml").write_text(SPEC)
    return tmp_path


def test_the_executed_file(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "replaced")
    lab = load(lab_folder, variables={}, variable_files=())
    assert document.projects(lab) == ["labspec-test", "labspec-test-inner"]
    written = document.execution_document(lab, "labspec-test")
    assert "secret-value" not in json.dumps(written)
    found = config(lab_folder, written)
    web = found["services"]["web"]
    assert web["command"] == ["echo", "$$HOME", "$${X:-y}"], "compose doubles a $ when it prints"
    assert web["environment"] == {"COST": "$$5", "FROM_HERE": None, "MORE": "secret-value"}
    assert web["labels"]["a.b"] == "{{.Name}} $$x"
    assert web["labels"]["io.labspec.address"] == "service.web"
    assert web["labels"]["io.labspec.secrets"] == "FROM_HERE,MORE"
    assert found["configs"]["motd"]["content"] == "pay $$5 $${X}"
    assert found["networks"]["local"] == {"name": "labspec-test_local", "external": True, "ipam": {}}
    assert found["networks"]["default"]["name"] == "labspec-test_default"
    assert found["volumes"]["foo"] == {"name": "labspec-test_foo", "external": True}
    assert found["services"]["db"]["deploy"]["replicas"] == 2
    assert config(lab_folder, document.execution_document(lab, "labspec-test-inner"))["volumes"]["v"]["external"]


def test_the_file_for_people(lab_folder: Path) -> None:
    lab = load(lab_folder, variables={}, variable_files=())
    written = document.rendered_document(lab, "labspec-test", {}, folder=str(lab_folder / "out"))
    assert "io.labspec" not in json.dumps(written)
    assert str(lab_folder) not in json.dumps(written)
    Path(lab_folder, "out").mkdir()
    found = config(lab_folder / "out", written)
    assert found["volumes"]["foo"]["driver_opts"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    assert found["volumes"]["other"] == {"name": "labspec-test-other", "external": True}
    assert found["networks"]["local"]["ipam"] == {"config": [{"subnet": "10.231.0.0/24"}]}
    html = next(mount for mount in found["services"]["web"]["volumes"] if mount["target"] == "/html")
    assert html["source"] == str(lab_folder / "html")
    assert json.dumps(written) == json.dumps(
        document.rendered_document(lab, "labspec-test", {}, folder=str(lab_folder / "out"))
    )
