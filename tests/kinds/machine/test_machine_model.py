"""What a spec may say of a machine, its .nspawn file, and the line that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope

from labspec.core.resource import Resource
from labspec.kinds.machine.live import LIVE
from labspec.kinds.machine.model import SECTION
from labspec.kinds.machine.settings import run_command
from labspec.outputs.machines import machine_artifacts

DEB = {"image": "debian:latest", "network": "private", "tmpfs": ["/scratch"]}


def made(
    entry: dict[str, Any], root: Path | str = "/nowhere", name: str = "deb", **spec: Any
) -> tuple[list[Resource], list[str]]:
    scope = FakeScope({"machines": {name: entry}, **spec}, root)
    found = list(SECTION.resources(name, entry, scope)) if SECTION.check(name, entry, scope) else []
    return found, scope.lines()


def only(entry: dict[str, Any], root: Path | str = "/nowhere", name: str = "deb", **spec: Any) -> Resource:
    (resource,), told = made(entry, root, name, **spec)
    assert told == []
    return resource


def test_the_designs_machine() -> None:
    resource = only(DEB)
    assert (resource.address, resource.name, resource.options["unit"]) == (
        "machine.deb",
        "tp-deb",
        "labspec-machine-tp-deb",
    )
    (artifact,) = machine_artifacts(resource)
    assert artifact.path == "machines/tp-deb.nspawn"
    assert (artifact.content or b"").decode() == (
        "# Written by labspec: 'labspec apply' puts it right.\n[Exec]\nBoot=no\nLinkJournal=no\n\n"
        "[Files]\nTemporaryFileSystem=/scratch\n\n[Network]\nPrivate=yes\nVirtualEthernet=no\n"
    )


def test_it_runs_where_there_is_something_to_run() -> None:
    assert only(DEB).desired["state"] == "prepared"
    assert only({**DEB, "command": ["sleep", "9"]}).desired["state"] == "running"
    assert only({**DEB, "boot": True}).desired["state"] == "running"
    assert only({**DEB, "boot": True, "state": "prepared"}).desired["state"] == "prepared"


def test_the_network_is_private_unless_asked_for() -> None:
    assert only({"image": "debian"}).desired["settings"][-2:] == ["Private=yes", "VirtualEthernet=no"]
    assert only({"image": "debian", "network": "host"}).desired["settings"][-2] == "Private=no"


def test_mounts_of_the_lab_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    mounts = [{"source": "./web", "target": "/web", "read_only": True}, {"source": "/srv", "target": "/srv"}]
    lines = only({**DEB, "mounts": mounts}, tmp_path).desired["settings"]
    assert lines[lines.index("[Files]") + 2 : -4] == [f"BindReadOnly={tmp_path}/web:/web", "Bind=/srv:/srv"]


def test_the_line_that_runs_it() -> None:
    line = run_command("tp-deb", "labspec-machine-tp-deb", ["sh", "-c", "echo $A"], {"A": "x y"})
    assert line[:3] == ["systemd-run", "--unit=labspec-machine-tp-deb", "--collect"]
    nspawn = line[line.index("systemd-nspawn") :]
    assert nspawn == [
        "systemd-nspawn",
        "--quiet",
        "--keep-unit",
        "--machine=tp-deb",
        "--setenv=A=x y",
        "--",
        "sh",
        "-c",
        "echo $$A",
    ]


def test_names_fit_a_machine() -> None:
    assert only(DEB, name="my_deb.1").name == "tp-my-deb-1"
    assert "cannot be the name of a machine" in made(DEB, name="x" * 70)[1][0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tmpfs": ["/a:size=1"]}, "tmpfs"),
        ({"tmpfs": ["/a\nBind=/"]}, "tmpfs"),
        ({"tmpfs": ["/a/../.."]}, "nothing can be mounted"),
        ({"mounts": [{"source": "/a b", "target": "/x"}]}, "source"),
        ({"mounts": [{"source": "/a:b", "target": "/x"}]}, "source"),
        ({"mounts": [{"source": "/a", "target": "/x\\"}]}, "target"),
        ({"mounts": [{"source": "../a", "target": "/x"}]}, "outside of the lab's folder"),
        ({"state": "running"}, "has nothing to run"),
        ({"command": []}, "command"),
        ({"env": {"A B": "1"}}, "A B"),
        ({"network": "bridge"}, "network"),
        ({"image": "--x"}, "image"),
    ],
)
def test_says_what_is_wrong(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    found, told = made({**DEB, **more}, tmp_path)
    assert found == []
    assert len(told) == 1
    assert said in told[0]


def test_tells_dangers() -> None:
    def names(**more: Any) -> list[str]:
        return [danger.name for danger in LIVE.dangers(only({**DEB, **more}))]

    assert names() == []
    assert names(network="host") == ["host-network"]
    assert names(mounts=[{"source": "/", "target": "/host"}]) == ["host-mount"]
    assert names(mounts=[{"source": "/run/docker.sock", "target": "/x"}]) == ["socket"]
