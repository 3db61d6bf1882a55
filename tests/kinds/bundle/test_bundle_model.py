"""What a spec may say of a bundle, and the config.json that comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope

from labspec.core.resource import Resource
from labspec.kinds.bundle.config import config_text, default_config, flat
from labspec.kinds.bundle.live import LIVE
from labspec.kinds.bundle.model import SECTION
from labspec.outputs.bundles import bundle_artifacts

BOX = {"image": "debian:latest", "args": ["sleep", "99"], "hostname": "box"}


def made(entry: dict[str, Any], root: Path | str = "/nowhere", **spec: Any) -> tuple[list[Resource], list[str]]:
    scope = FakeScope({"bundles": {"box": entry}, **spec}, root)
    found = list(SECTION.resources("box", entry, scope)) if SECTION.check("box", entry, scope) else []
    return found, scope.lines()


def only(entry: dict[str, Any], root: Path | str = "/nowhere", **spec: Any) -> Resource:
    (resource,), told = made(entry, root, **spec)
    assert told == []
    return resource


def changed(entry: dict[str, Any], root: Path | str = "/nowhere") -> dict[str, Any]:
    """Return what differs from the default config.json, by dotted path."""
    default = flat(default_config())
    return {
        path: value for path, value in flat(only(entry, root).options["config"]).items() if default.get(path) != value
    }


def test_a_bundle_is_the_default_with_the_specs_wishes() -> None:
    assert changed(BOX) == {"process.args": ["sleep", "99"], "hostname": "box"}
    wishes = {"cwd": "/tmp", "user": "1000:50", "readonly": False, "terminal": True, "env": {"A": 1, "TERM": "dumb"}}
    assert changed({**BOX, **wishes}) == {
        "process.args": ["sleep", "99"],
        "hostname": "box",
        "process.cwd": "/tmp",
        "process.user.uid": 1000,
        "process.user.gid": 50,
        "root.readonly": False,
        "process.terminal": True,
        "process.env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", "A=1"],
    }


def test_the_network_of_the_host_is_no_namespace() -> None:
    kinds = [item["type"] for item in changed({**BOX, "network": "host"})["linux.namespaces"]]
    assert kinds == ["pid", "ipc", "uts", "mount"]


def test_mounts(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    mounts = [
        {"source": "web", "target": "/web/", "read_only": True},
        {"source": "/srv", "target": "/srv"},
        {"target": "/scratch", "size": "16m"},
    ]
    assert changed({**BOX, "mounts": mounts}, tmp_path)["mounts"][-3:] == [
        {"destination": "/web", "type": "bind", "source": f"{tmp_path}/web", "options": ["rbind", "ro"]},
        {"destination": "/srv", "type": "bind", "source": "/srv", "options": ["rbind"]},
        {
            "destination": "/scratch",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "nodev", "size=16777216"],
        },
    ]


def test_the_default_stays_as_it_is() -> None:
    before = json.dumps(default_config())
    only({**BOX, "network": "host", "mounts": [{"target": "/x"}]})
    assert json.dumps(default_config()) == before


def test_the_labs_own_image_is_made_first() -> None:
    resource = only({**BOX, "image": "nagini"}, images={"nagini": {"from": "debian"}})
    assert (resource.desired["image"], resource.needs) == ("tp/nagini:latest", ("image.nagini",))
    assert only({**BOX, "image": "debian"}).desired["image"] == "debian:latest"


def test_rendered_it_is_the_same_text() -> None:
    resource = only(BOX)
    (artifact,) = bundle_artifacts(resource)
    assert artifact.path == "bundles/box/config.json"
    assert artifact.content == config_text(resource.options["config"]).encode()
    assert json.loads(artifact.content or b"") == resource.options["config"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"args": []}, "args"),
        ({"args": ["a\0b"]}, "control character"),
        ({"image": "-x"}, "image"),
        ({"hostname": "a b"}, "hostname"),
        ({"user": "root"}, "user"),
        ({"user": "4294967295"}, "larger than any user"),
        ({"env": {"A-B": "1"}}, "A-B"),
        ({"cwd": "tmp"}, "cwd"),
        ({"path": "/srv/../etc/x"}, "cannot be the folder"),
        ({"path": "/srv"}, "cannot be the folder"),
        ({"terminal": True, "state": "running"}, "has no terminal"),
        ({"mounts": [{"target": "/"}]}, "nothing can be mounted"),
        ({"mounts": [{"target": "/a/../.."}]}, "nothing can be mounted"),
        ({"mounts": [{"target": "/a", "type": "bind"}]}, "needs a source"),
        ({"mounts": [{"target": "/a", "type": "tmpfs", "source": "/b"}]}, "has no source"),
        ({"mounts": [{"target": "/a", "source": "/b", "size": "1m"}]}, "only a tmpfs has a size"),
        ({"mounts": [{"target": "/a", "source": "../b"}]}, "outside of the lab's folder"),
        ({"argz": ["a"]}, "argz"),
    ],
)
def test_says_what_is_wrong(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    found, told = made({**BOX, **more}, tmp_path)
    assert found == []
    assert len(told) == 1
    assert said in told[0]


def test_tells_dangers() -> None:
    def names(**more: Any) -> list[str]:
        return [danger.name for danger in LIVE.dangers(only({**BOX, **more}))]

    assert names() == []
    assert names(network="host") == ["host-network"]
    assert names(mounts=[{"source": "/etc", "target": "/x"}]) == ["host-mount"]
    assert names(mounts=[{"source": "/var/run/docker.sock", "target": "/x"}]) == ["socket"]
    assert names(mounts=[{"target": "/x"}]) == []
    assert names(path="/etc/box") == ["root-files"]
    assert names(path="/srv/box") == []
