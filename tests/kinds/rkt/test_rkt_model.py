"""What a spec may say of a pod, and what labspec says of what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope
from rktspecs import SEED

from labspec.core.resource import Resource
from labspec.kinds.rkt.dangers import dangers, warnings
from labspec.kinds.rkt.model import SECTION


def made(
    entry: dict[str, Any], root: Path | str = "/nowhere", name: str = "sleeper"
) -> tuple[list[Resource], list[str]]:
    scope = FakeScope({"rkt": {name: entry}}, root)
    found = list(SECTION.resources(name, entry, scope)) if SECTION.check(name, entry, scope) else []
    return found, scope.lines()


def only(entry: dict[str, Any], **more: Any) -> Resource:
    (resource,), told = made(entry, **more)
    assert told == []
    return resource


def test_the_seeds_pod() -> None:
    resource = only(SEED)
    assert (resource.address, resource.name, resource.options["app"]) == (
        "rkt.sleeper",
        "labspec-tp-sleeper",
        "sleeper",
    )
    assert resource.desired == SEED


def test_names_fit_the_unit_and_the_app() -> None:
    resource = only(SEED, name="Big_One.2")
    assert (resource.name, resource.options["app"]) == ("labspec-tp-Big_One-2", "big-one-2")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"args": ["a", "---"]}, "'---' ends the arguments"),
        ({"args": ["a\nb"]}, "control character"),
        ({"image": "--dir=/etc"}, "image"),
        ({"exec": "sleep"}, "exec"),
        ({"stage1": "x y"}, "stage1"),
        ({"insecure_options": ["images"]}, "insecure_options"),
        ({"name": "Bad_Name"}, "name"),
        ({"unit": "../x"}, "unit"),
        ({"memory": "16m"}, "memory"),
        ({"ports": ["8080"]}, "ports"),
        ({"ports": ["80-tcp:8080"], "net": "host"}, "has ports, and the host's network"),
        ({"hosts_entry": ["host", "10.0.0.1=db"]}, "'host' takes the whole"),
        ({"caps_retain": ["CAP_KILL"], "caps_remove": ["CAP_CHOWN"]}, "has both caps_retain and caps_remove"),
        ({"mounts": [{"volume": "data", "target": "/data"}]}, "there is no volume 'data'"),
        ({"volumes": {"data": {}}}, "has no source"),
        ({"volumes": {"data": {"kind": "empty", "source": "/srv"}}}, "is empty and has a source"),
        ({"volumes": {"data": {"source": "/srv,kind=empty"}}}, "is not a path that rkt can take"),
        ({"volumes": {"Data": {"source": "/srv"}}}, "Data"),
        ({"set_env_file": "missing.env"}, "there is no file"),
        ({"exce": "/bin/sh"}, "exce"),
    ],
)
def test_says_what_is_wrong(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    found, told = made({**SEED, **more}, tmp_path)
    assert found == []
    assert len(told) == 1
    assert said in told[0]


def test_paths_of_the_lab_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "x.env").write_text("A=1\n")
    volumes = {"data": {"source": "web", "read_only": True}, "old": {"source": "/srv/x"}}
    resource = only({**SEED, "volumes": volumes, "set_env_file": "x.env"}, root=tmp_path)
    assert resource.desired["volumes"] == {
        "data": {"kind": "host", "source": f"{tmp_path}/web", "read_only": True},
        "old": {"kind": "host", "source": "/srv/x"},
    }
    assert resource.desired["set_env_file"] == f"{tmp_path}/x.env"


def names(entry: dict[str, Any]) -> list[str]:
    return [danger.name for danger in dangers(only(entry))]


def test_tells_dangers() -> None:
    plain = {"image": "docker://alpine"}
    assert names(plain) == []
    assert names(SEED) == ["host-namespaces"]
    assert names({**plain, "net": "host"}) == ["host-network"]
    assert names({**plain, "insecure_options": ["all"]}) == ["unconfined"]
    assert names({**plain, "caps_retain": ["CAP_SYS_ADMIN", "CAP_KILL"]}) == ["capabilities"]
    sock = {"sock": {"source": "/var/run/docker.sock"}, "etc": {"source": "/etc"}}
    assert sorted(names({**plain, "volumes": sock})) == ["host-mount", "socket"]


def test_warns_of_what_fly_does_not_do() -> None:
    asked = {
        **SEED,
        "net": "default",
        "ports": ["80-tcp:8080"],
        "caps_retain": ["CAP_KILL"],
        "readonly_rootfs": True,
        "volumes": {"scratch": {"kind": "empty"}},
    }
    assert warnings(SEED) == ()
    assert warnings({**SEED, "net": "host"}) == ()
    assert warnings(only(asked).desired) == (
        "stage1-fly ignores net: the pod uses the host's network",
        "stage1-fly ignores ports: the app listens on the host's own addresses",
        "stage1-fly ignores caps_retain: the app keeps all capabilities",
        "stage1-fly ignores readonly_rootfs: the app can write to its root file system",
        "stage1-fly cannot make empty volumes, and the pod will not start: scratch",
    )
    assert warnings({**asked, "stage1": "coreos.com/rkt/stage1-coreos:1.29.0"}) == ()
    assert len(warnings({"image": "docker://alpine", "insecure_options": ["image", "http"]})) == 1
