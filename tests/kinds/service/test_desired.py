"""What a service asks for, in canonical form, and what it refers to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.core.diff import digest
from labspec.core.resource import Resource
from labspec.kinds.compose.schema import compose_schema
from labspec.kinds.service.fields import FIELDS
from labspec.kinds.service.model import SECTION


def resources(spec: dict[str, Any], root: Path | str = "/nowhere", **options: Any) -> tuple[list[Resource], list[str]]:
    """Return the resources of all services of a spec, and the mistakes in it."""
    scope = FakeScope(spec, root, **options)
    found: list[Resource] = []
    for name, entry in spec["services"].items():
        if SECTION.check(name, entry, scope):
            found += SECTION.resources(name, entry, scope)
    return found, scope.lines()


def service(entry: dict[str, Any], root: Path | str = "/nowhere", **sections: Any) -> Resource:
    """Return the resource of one good service."""
    found, mistakes = resources({"services": {"web": {"image": "debian"} | entry}, **sections}, root)
    assert mistakes == []
    (resource,) = [item for item in found if item.address == "service.web"]
    return resource


def set_by(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a service's keys set beside what every service has."""
    plain = service({}).desired
    return {name: value for name, value in service(entry).desired.items() if plain.get(name, ...) != value}


def test_a_plain_service() -> None:
    resource = service({})
    assert resource.desired == {"name": "tp-web-1", "image": "debian:latest", "networks": {"tp_default": {}}}
    assert resource.needs == ("network.default",)
    assert resource.project == "tp"
    assert resource.options == {
        "key": "web",
        "compose": {"image": "debian:latest"},
        "written": {"image": "debian"},
        "image": "debian:latest",
        "image_address": "",
        "pull_policy": "",
        "replicas": 1,
        "secret_env": [],
        "waits": {},
        "restarts_with": [],
        "joins": [],
        "parts": {},
        "given_at": {},
        "static": False,
        "external": False,
    }


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"container_name": "w1"}, {"name": "w1"}),
    ({"command": "sleep '1 2'"}, {"command": ["sleep", "1 2"]}),
    ({"command": ["a", "b"]}, {"command": ["a", "b"]}),
    ({"command": None}, {}),
    ({"command": []}, {}),
    ({"entrypoint": "a b"}, {"entrypoint": ["a", "b"], "command": None}),
    ({"entrypoint": ["a"], "command": "b"}, {"entrypoint": ["a"], "command": ["b"]}),
    ({"entrypoint": ""}, {"entrypoint": None}),
    ({"environment": {"A": 1, "B": None, "C": True}}, {"environment": {"A": "1", "B": None, "C": "true"}}),
    ({"environment": ["A=b=c", "D="]}, {"environment": {"A": "b=c", "D": ""}}),
    ({"tty": "true", "stdin_open": False, "init": True}, {"tty": True, "stdin_open": False, "init": True}),
    ({"working_dir": "/x", "user": "1:2"}, {"working_dir": "/x", "user": "1:2"}),
    (
        {"stop_signal": "SIGINT", "stop_grace_period": "1m30.7s"},
        {"stop_signal": "SIGINT", "stop_grace_period": "1m30s"},
    ),
    (
        {"healthcheck": {"test": "curl x", "interval": "90s", "retries": "3"}},
        {"healthcheck": {"test": ["CMD-SHELL", "curl x"], "interval": "1m30s", "retries": 3}},
    ),
    ({"healthcheck": {"disable": True}}, {"healthcheck": {"test": ["NONE"]}}),
    ({"labels": ["a=b", "c"]}, {"labels": {"a": "b", "c": ""}}),
    ({"annotations": {"a": 1}}, {"annotations": {"a": "1"}}),
    ({"ports": ["80:80", "1-2:1-2/udp"]}, {"ports": ["1:1/udp", "2:2/udp", "80:80/tcp"]}),
    ({"ports": ["80:80"], "expose": ["80", 81]}, {"ports": ["80:80/tcp"], "expose": ["81/tcp"]}),
    ({"network_mode": "host"}, {"network_mode": "host"}),
    ({"hostname": "h", "domainname": "d"}, {"hostname": "h", "domainname": "d"}),
    ({"mac_address": "02-42-AC-11-00-02"}, {"mac_address": "02:42:ac:11:00:02"}),
    ({"extra_hosts": ["b=1.1.1.1", "a:::1"]}, {"extra_hosts": ["a:::1", "b:1.1.1.1"]}),
    ({"dns": "1.1.1.1", "dns_search": ["b", "a"]}, {"dns": ["1.1.1.1"], "dns_search": ["b", "a"]}),
    ({"volumes": ["/x:/y:ro"]}, {"mounts": [{"type": "bind", "target": "/y", "source": "/x", "read_only": True}]}),
    (
        {"volumes": ["/z", "/a/../b:/a"]},
        {"mounts": [{"type": "bind", "target": "/a", "source": "/b"}, {"type": "volume", "target": "/z"}]},
    ),
    ({"tmpfs": ["/run:size=1m", "/x"]}, {"tmpfs": {"/run": "size=1m", "/x": ""}}),
    ({"devices": ["/dev/null"]}, {"devices": ["/dev/null:/dev/null:rwm"]}),
    (
        {"cap_add": ["cap_net_admin", "ALL"], "cap_drop": ["mknod"]},
        {"cap_add": ["ALL", "NET_ADMIN"], "cap_drop": ["MKNOD"]},
    ),
    (
        {"security_opt": ["no-new-privileges", "seccomp:unconfined"]},
        {"security_opt": ["no-new-privileges=true", "seccomp=unconfined"]},
    ),
    ({"group_add": ["x", 1]}, {"group_add": ["1", "x"]}),
    ({"sysctls": {"net.x": 1}}, {"sysctls": {"net.x": "1"}}),
    (
        {"ulimits": {"nofile": 10, "nproc": {"soft": 1, "hard": "2"}}},
        {"ulimits": {"nofile": {"soft": 10, "hard": 10}, "nproc": {"soft": 1, "hard": 2}}},
    ),
    ({"shm_size": "1.5g"}, {"shm_size": 3 * 2**29}),
    ({"logging": {"options": {"a": 1}}}, {"logging": {"options": {"a": "1"}}}),
    ({"restart": "on-failure:3"}, {"restart": "on-failure:3"}),
    ({"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 2}}}, {"restart": "on-failure:2"}),
    ({"cpus": "0.5", "cpuset": "0", "cpu_shares": 5}, {"cpus": 0.5, "cpuset": "0", "cpu_shares": 5}),
    ({"mem_limit": "50m", "memswap_limit": -1}, {"mem_limit": 50 * 2**20, "memswap_limit": -1}),
    (
        {"deploy": {"resources": {"limits": {"memory": "50m", "pids": 5, "cpus": "1.5"}}}},
        {"mem_limit": 50 * 2**20, "pids_limit": 5, "cpus": 1.5},
    ),
    ({"deploy": {"resources": {"reservations": {"memory": "1m"}}}}, {"mem_reservation": 2**20}),
    ({"pids_limit": -1}, {"pids_limit": 0}),
    (
        {"blkio_config": {"weight": 3, "device_read_bps": [{"path": "/dev/x", "rate": "1mb"}]}},
        {"blkio": {"weight": 3, "device_read_bps": [{"path": "/dev/x", "rate": 2**20}]}},
    ),
    ({"scale": 2}, {"replicas": 2}),
    ({"deploy": {"replicas": "0"}}, {"replicas": 0}),
    ({"gpus": "all", "platform": "linux/amd64"}, {"rest": {"gpus": "all", "platform": "linux/amd64"}}),
    ({"devices": ["v.com/gpu=all"]}, {"devices": [], "rest": {"devices": ["v.com/gpu=all"]}}),
    ({"profiles": [], "pull_policy": "always", "develop": {}, "x-a": 1, "attach": False}, {}),
    ({"volumes_from": ["container:c:ro", "container:d:rw"]}, {"volumes_from": ["container:c:ro", "container:d"]}),
    ({"pid": "host", "ipc": "shareable", "uts": "host"}, {"pid": "host", "ipc": "shareable", "uts": "host"}),
]


@pytest.mark.parametrize(("entry", "expected"), CASES, ids=[" ".join(entry) for entry, _ in CASES])
def test_fields(entry: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set_by(entry) == expected


def test_all_fields_are_declared() -> None:
    known = {field.name for field in FIELDS}
    for entry, _ in CASES:
        assert set(service(entry).desired) <= known


def test_networks() -> None:
    networks = {"a": {}, "b": {"name": "bee"}, "default": {"driver": "bridge"}}
    endpoint = {"aliases": ["z", "web", "y"], "ipv4_address": "10.0.0.9", "driver_opts": {"k": 1}}
    resource = service({"networks": {"b": endpoint, "a": None}}, networks=networks)
    assert resource.desired["networks"] == {
        "tp_a": {},
        "bee": {"aliases": ["y", "z"], "ipv4": "10.0.0.9", "driver_opts": {"k": "1"}},
    }
    assert set(resource.needs) == {"network.a", "network.b"}
    assert resource.options["static"]


def test_the_default_network_comes_with_the_first_that_joins_it() -> None:
    spec = {
        "services": {
            "z": {"image": "x"},
            "b": {"image": "x", "network_mode": "host"},
            "c": {"image": "x"},
        }
    }
    found, mistakes = resources(spec)
    assert mistakes == []
    assert [item.address for item in found] == ["service.z", "service.b", "network.default", "service.c"]
    assert found[2].name == "tp_default"
    found, _ = resources({**spec, "networks": {"default": {"internal": True}}})
    assert "network.default" not in [item.address for item in found]


def test_volumes_of_the_lab() -> None:
    resource = service({"volumes": ["foo:/app", "bar:/b:nocopy"]}, volumes={"foo": None, "bar": {"name": "pub"}})
    assert resource.desired["mounts"] == [
        {"type": "volume", "target": "/app", "source": "tp_foo"},
        {"type": "volume", "target": "/b", "source": "pub", "nocopy": True},
    ]
    assert set(resource.needs) == {"volume.foo", "volume.bar", "network.default"}


def test_images_of_the_lab() -> None:
    images = {"nagini": {"from": "debian"}, "other": {"from": "debian", "tag": "acme/other:2"}}
    resource = service({"image": "nagini"}, images=images)
    assert (resource.desired["image"], resource.options["image_address"]) == ("tp/nagini:latest", "image.nagini")
    assert resource.needs[0] == "image.nagini"
    assert resource.options["compose"]["image"] == "tp/nagini:latest"
    assert service({"image": "acme/other:2"}, images=images).options["image_address"] == "image.other"
    assert service({"image": "docker.io/library/nagini:1"}, images=images).options["image"] == "nagini:1"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"volumes": ["fo:/app"]},
            "services.web.volumes.0: there is no volume 'fo' = did you mean 'foo'?",
        ),
        (
            {"volumes": [{"type": "volume", "source": "q", "target": "/x"}]},
            "services.web.volumes.0.source: there is no volume 'q' = define it under 'volumes:'",
        ),
        ({"networks": ["locl"]}, "services.web.networks.0: there is no network 'locl' = did you mean 'local'?"),
        (
            {"networks": {"locl": None}},
            "services.web.networks.locl (key): there is no network 'locl' = did you mean 'local'?",
        ),
        ({"depends_on": ["dbb"]}, "services.web.depends_on.0: there is no service 'dbb' = did you mean 'db'?"),
        (
            {"depends_on": {"dbb": {"condition": "service_healthy"}}},
            "services.web.depends_on.dbb: there is no service 'dbb' = did you mean 'db'?",
        ),
        ({"network_mode": "service:dbb"}, "services.web.network_mode: there is no service 'dbb' = did you mean 'db'?"),
        ({"pid": "service:dbb"}, "services.web.pid: there is no service 'dbb' = did you mean 'db'?"),
        ({"volumes_from": ["dbb:ro"]}, "services.web.volumes_from.0: there is no service 'dbb' = did you mean 'db'?"),
        ({"links": ["dbb:x"]}, "services.web.links.0: there is no service 'dbb' = did you mean 'db'?"),
        ({"secrets": ["toke"]}, "services.web.secrets.0: there is no secret 'toke' = did you mean 'token'?"),
        (
            {"configs": [{"source": "c", "target": "/x"}]},
            "services.web.configs.0.source: there is no config 'c' = define it under 'configs:'",
        ),
        (
            {"depends_on": ["asleep"]},
            "services.web.depends_on.0: service 'asleep' is not part of the lab "
            "= it has the profiles debug: activate one",
        ),
        ({"env_file": "no.env"}, "services.web.env_file: there is no file 'no.env'"),
        ({"volumes": ["./no:/x"]}, "services.web.volumes.0: there is no file './no'"),
        ({"volumes": ["../..:/x"]}, "services.web.volumes.0: '../..' is outside of the lab's folder"),
        ({"security_opt": ["seccomp=no.json"]}, "services.web.security_opt.0: there is no file 'no.json'"),
    ],
)
def test_a_reference_in_vain(entry: dict[str, Any], expected: str) -> None:
    spec = {
        "services": {
            "web": {"image": "x"} | entry,
            "db": {"image": "x"},
            "asleep": {"image": "x", "profiles": ["debug"]},
        },
        "volumes": {"foo": {}},
        "networks": {"local": {}},
        "secrets": {"token": {"environment": "T"}},
    }
    _, mistakes = resources(spec)
    assert list(dict.fromkeys(mistakes)) == [expected]


def test_dependencies() -> None:
    spec = {
        "services": {
            "web": {
                "image": "x",
                "depends_on": {
                    "db": {"condition": "service_healthy", "restart": True},
                    "gone": {"condition": "service_started", "required": False},
                },
                "links": ["cache:c"],
                "pid": "service:db",
            },
            "db": {"image": "x", "container_name": "dd"},
            "cache": {"image": "x"},
            "gone": {"image": "x", "profiles": ["debug"]},
        }
    }
    found, mistakes = resources(spec)
    assert mistakes == []
    web = next(item for item in found if item.address == "service.web")
    assert set(web.needs) == {"network.default", "service.db", "service.cache"}
    assert web.options["waits"] == {"service.db": "service_healthy"}
    assert web.options["restarts_with"] == ["service.db"]
    assert web.options["joins"] == ["service.db"]
    assert web.desired["pid"] == "service:db"
    assert web.options["compose"]["depends_on"] == {"db": {"condition": "service_healthy", "restart": True}}
    assert web.desired["rest"] == {"links": ["cache:c"]}
    assert "service.gone" not in [item.address for item in found]
    found, _ = resources(spec, profiles=["debug"])
    web = next(item for item in found if item.address == "service.web")
    assert "service.gone" in web.needs


def test_files_of_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_HERE", "h")
    monkeypatch.delenv("NOWHERE", raising=False)
    Path(tmp_path, "a.env").write_text("A=1\nB=2\n")
    Path(tmp_path, "b.env").write_text("B=3\nC=4\n")
    entry = {
        "env_file": ["a.env", {"path": "b.env"}, {"path": "none.env", "required": False}],
        "environment": ["C=plain", "FROM_HERE", "NOWHERE"],
    }
    resource = service(entry, tmp_path)
    assert resource.desired["environment"] == {
        "A": f"(secret {digest('1')})",
        "B": f"(secret {digest('3')})",
        "C": "plain",
        "FROM_HERE": f"(secret {digest('h')})",
        "NOWHERE": None,
    }
    assert resource.options["secret_env"] == ["A", "B", "FROM_HERE", "NOWHERE"]
    assert resource.options["compose"]["env_file"] == [f"{tmp_path}/a.env", f"{tmp_path}/b.env"]
    Path(tmp_path, "a.env").write_text("A=other\n")
    assert service(entry, tmp_path).desired["environment"]["A"] == f"(secret {digest('other')})"
    assert "other" not in json.dumps(service(entry, tmp_path).options)


def test_files_of_the_lab(tmp_path: Path) -> None:
    Path(tmp_path, "html").mkdir()
    Path(tmp_path, "labels").write_text("a=file\nb=c\n")
    Path(tmp_path, "seccomp.json").write_text('{ "defaultAction": "x" }')
    Path(tmp_path, "tok").write_text("t")
    resource = service(
        {
            "volumes": ["./html:/www:ro", {"type": "bind", "source": "html", "target": "/h"}],
            "label_file": "labels",
            "labels": {"a": "own"},
            "security_opt": ["seccomp:seccomp.json"],
            "secrets": ["tok"],
            "configs": [{"source": "conf", "target": "/etc/c", "mode": "0440"}],
        },
        tmp_path,
        secrets={"tok": {"file": "./tok"}},
        configs={"conf": {"content": "hello"}},
    )
    assert resource.desired["mounts"] == [
        {"type": "bind", "target": "/h", "source": f"{tmp_path}/html"},
        {"type": "bind", "target": "/run/secrets/tok", "source": f"{tmp_path}/tok", "read_only": True},
        {"type": "bind", "target": "/www", "source": f"{tmp_path}/html", "read_only": True},
    ]
    assert resource.desired["labels"] == {"a": "own", "b": "c"}
    assert resource.desired["security_opt"] == [f"seccomp=(profile {digest({'defaultAction': 'x'})})"]
    assert resource.desired["rest"]["configs"] == [
        {"source": "conf", "target": "/etc/c", "mode": "0440", "content": digest("hello")}
    ]
    compose = resource.options["compose"]
    assert compose["volumes"][0] == f"{tmp_path}/html:/www:ro"
    assert compose["volumes"][1]["source"] == f"{tmp_path}/html"
    assert compose["security_opt"] == [f"seccomp:{tmp_path}/seccomp.json"]
    assert resource.options["parts"] == {
        "secrets": {"tok": {"file": f"{tmp_path}/tok"}},
        "configs": {"conf": {"content": "hello"}},
    }
    before = resource.desired["rest"]["secrets"]
    Path(tmp_path, "tok").write_text("other")
    again = service({"secrets": ["tok"]}, tmp_path, secrets={"tok": {"file": "./tok"}})
    assert again.desired["rest"]["secrets"] != before


def test_a_service_that_builds(tmp_path: Path) -> None:
    Path(tmp_path, "Dockerfile").write_text("FROM debian\n")
    spec = {"services": {"web": {"build": "."}, "two": {"image": "tp-web"}}}
    found, mistakes = resources(spec, tmp_path)
    assert mistakes == []
    assert [item.address for item in found] == ["image.web", "service.web", "network.default", "service.two"]
    image, web, _, two = found
    assert image.name == web.options["image"] == two.options["image"] == "tp-web:latest"
    assert web.options["image_address"] == two.options["image_address"] == "image.web"
    assert "build" not in web.options["compose"]
    _, mistakes = resources({**spec, "images": {"web": {"from": "debian"}}}, tmp_path)
    assert "service 'web' builds an image, and 'images' has one named web" in mistakes[0]


@pytest.mark.parametrize(
    ("entry", "static"),
    [
        ({}, False),
        ({"ports": ["80"]}, False),
        ({"ports": ["8000-8010:80"]}, False),
        ({"ports": ["80:80"]}, True),
        ({"container_name": "xx"}, True),
        ({"mac_address": "02:42:ac:11:00:02"}, True),
    ],
)
def test_what_there_is_once_only(entry: dict[str, Any], static: bool) -> None:
    assert service(entry).options["static"] is static


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["80:80", "a=b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(
    {
        key
        for name in ("service", "container_spec", "workload_spec")
        for key in compose_schema()["$defs"][name]["properties"]
    }
)
TEXTS = st.sampled_from(["80", "8080:80", "1g", "1s", "/a", "./a:/b", "v:/b", "a=b", "no", "true", "service:web", "x"])


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3),
    st.dictionaries(st.sampled_from(KEYS), TEXTS | st.lists(TEXTS, max_size=2, unique=True), max_size=5),
)
def test_no_entry_makes_it_fail(wild: Any, tame: Any) -> None:
    for entry in (wild, tame):
        found, _ = resources({"services": {"web": {"image": "debian"} | entry}})
        for resource in found:
            json.dumps([resource.desired, resource.options])


USER = {
    "image": "x",
    "extends": "other",
    "networks": ["n"],
    "volumes": ["v:/v"],
    "secrets": ["s"],
    "configs": ["c"],
    "depends_on": {"other": {"condition": "service_started"}},
}


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3) | JSON, JSON)
def test_nothing_beside_a_service_makes_it_fail(other: Any, part: Any) -> None:
    parts = {section: {key: part} for section, key in (("networks", "n"), ("volumes", "v"), ("images", "x"))}
    more = {section: {key: part} for section, key in (("secrets", "s"), ("configs", "c"))}
    keys = {"secrets": ("file", "environment"), "configs": ("file", "content")}
    for named in (more, {name: {name[0]: {key: part}} for name, found in keys.items() for key in found}):
        found, _ = resources({"services": {"web": USER, "other": other}, **parts, **named})
        for resource in found:
            json.dumps([resource.desired, resource.options])
