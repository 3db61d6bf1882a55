"""Bundles made, run by hand and by labspec, changed behind its back, and removed, with the real runc."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.host import Host
from labspec.host.runc import states
from labspec.kinds.bundle.config import default_config
from labspec.kinds.bundle.oci import schema_mistakes
from labspec.spec.loader import load

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("runc") is None or os.geteuid() != 0, reason="needs runc, as root"),
]

LoadBundles = Callable[..., Lab]


@pytest.fixture
def bundles(tmp_path: Path, lab_name: str, busybox: str, host: Host) -> Iterator[LoadBundles]:
    """Return a function that loads a lab with bundles of busybox; afterwards no container of theirs is left."""
    folder = tmp_path / "lab"
    folder.mkdir()

    def loaded(**section: Any) -> Lab:
        entries = {name: {"image": busybox, **entry} for name, entry in section.items()}
        content = {"labspec": 1, "lab": {"name": lab_name}, "bundles": entries}
        (folder / "lab.yaml").write_text(json.dumps(content, indent=1))
        return load(folder, variables={}, variable_files=[])

    yield loaded
    for identity in states(host.system):
        if identity.startswith(f"labspec-{lab_name}-"):
            subprocess.run(["runc", "delete", "--force", identity], check=True)


def apply(lab: Lab, host: Host, destroy: bool = False) -> None:
    assert workflow.apply(lab, host, destroy=destroy).failed == ()


def planned(lab: Lab, host: Host) -> list[tuple[str, Action, list[str]]]:
    changes = workflow.make_plan(lab, host).changes
    return [(change.address, change.action, [diff.path for diff in change.diffs]) for change in changes]


def test_the_default_is_what_runc_writes(tmp_path: Path) -> None:
    subprocess.run(["runc", "spec"], cwd=tmp_path, check=True)
    written, own = json.loads((tmp_path / "config.json").read_bytes()), default_config()
    for config in (written, own):
        del config["ociVersion"], config["process"]["terminal"]
        config["process"]["capabilities"].pop("inheritable", None)  # older ones wrote it
        config["linux"]["namespaces"] = [item for item in config["linux"]["namespaces"] if item["type"] != "cgroup"]
    assert own == written


def test_the_default_fits_the_specifications_schema(tmp_path: Path) -> None:
    package = "golang-github-opencontainers-specs-dev"
    if subprocess.run(
        ["apt-get", "download", "-q", package], cwd=tmp_path, check=False, capture_output=True
    ).returncode:
        pytest.skip(f"no {package} to be had")
    (file,) = tmp_path.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", str(file), str(tmp_path / "out")], check=True)
    (folder,) = (path.parent for path in tmp_path.rglob("config-schema.json"))
    assert schema_mistakes(default_config(), folder) == []
    broken = default_config()
    broken["process"]["cwd"] = 7
    assert schema_mistakes(broken, folder) == ['process.cwd: 7 is not of type "string"']


def test_runc_run_prints_what_the_args_say(bundles: LoadBundles, host: Host, lab_name: str) -> None:
    script = "echo $GREETING from $(hostname) as $(id -u):$(id -g) in $(pwd); touch /x 2>&1; ls /sys/class/net"
    entry = {"args": ["sh", "-c", script], "env": {"GREETING": "a $b 'c'"}, "user": "1000:50", "cwd": "/etc"}
    lab = bundles(say={**entry, "hostname": "box"})
    apply(lab, host)
    assert planned(lab, host) == []
    folder = host.state.root / lab_name / "bundles" / "say"
    command = ["runc", "run", "--bundle", str(folder), f"labspec-{lab_name}-by-hand"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert said.stdout.splitlines() == [
        "a $b 'c' from box as 1000:50 in /etc",
        "touch: /x: Read-only file system",
        "lo",
    ]
    apply(lab, host, destroy=True)
    assert not (host.state.root / lab_name).exists()


def test_it_runs_until_it_is_told_not_to(bundles: LoadBundles, host: Host, lab_name: str) -> None:
    identity = f"labspec-{lab_name}-box"
    lab = bundles(box={"args": ["sleep", "99"], "state": "running"})
    apply(lab, host)
    assert states(host.system)[identity] == "running"
    assert planned(lab, host) == []
    subprocess.run(["runc", "delete", "--force", identity], check=True)
    assert planned(lab, host) == [("bundle.box", Action.START, ["state"])]
    assert [row.state for row in workflow.status(lab, host)] == ["stopped"]
    apply(lab, host)
    assert states(host.system)[identity] == "running"
    prepared = bundles(box={"args": ["sleep", "99"]})
    assert planned(prepared, host) == [("bundle.box", Action.UPDATE, ["state"])]
    apply(prepared, host)
    assert identity not in states(host.system)
    assert planned(prepared, host) == []
    apply(prepared, host, destroy=True)


def test_what_was_edited_by_hand_is_named_and_put_right(bundles: LoadBundles, host: Host, lab_name: str) -> None:
    lab = bundles(box={"args": ["sleep", "99"]})
    apply(lab, host)
    file = host.state.root / lab_name / "bundles" / "box" / "config.json"
    before = file.read_bytes()
    edited = json.loads(before)
    edited["hostname"], edited["process"]["noNewPrivileges"] = "other", False
    edited["process"]["extra"] = 1
    file.write_text(json.dumps(edited))
    paths = ["config.hostname", "config.process.extra", "config.process.noNewPrivileges"]
    assert planned(lab, host) == [("bundle.box", Action.UPDATE, paths)]
    apply(lab, host)
    assert file.read_bytes() == before
    file.write_text("{")
    ((_, action, _),) = planned(lab, host)
    assert action is Action.UPDATE
    apply(lab, host)
    assert file.read_bytes() == before
    apply(lab, host, destroy=True)


def test_another_image_makes_it_anew(
    bundles: LoadBundles, host: Host, lab_name: str, busybox: str, tmp_path: Path
) -> None:
    tag = f"{lab_name}:one"
    subprocess.run(["docker", "tag", busybox, tag], check=True)
    try:
        lab = bundles(box={"args": ["sleep", "99"], "image": tag})
        apply(lab, host)
        (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nLABEL a=b\n")
        subprocess.run(["docker", "build", "-q", "-t", tag, str(tmp_path)], check=True, capture_output=True)
        (change,) = workflow.make_plan(lab, host).changes
        assert (change.action, change.reason) == (Action.REPLACE, f"{tag} is another image now")
        apply(lab, host)
        assert planned(lab, host) == []
        apply(lab, host, destroy=True)
    finally:
        subprocess.run(["docker", "rmi", "-f", tag], check=True, capture_output=True)


def test_a_folder_of_somebody_else_is_in_the_way(bundles: LoadBundles, host: Host, tmp_path: Path) -> None:
    place = tmp_path / "box"
    place.mkdir()
    (place / "config.json").write_text("mine")
    lab = bundles(box={"args": ["sleep", "99"], "path": str(place)})
    (problem,) = workflow.make_plan(lab, host).problems
    assert "is there and is not this lab's" in problem.message
    (place / "config.json").unlink()
    place.rmdir()
    apply(lab, host)
    assert (place / "rootfs/bin/busybox").is_file()
    moved = bundles(box={"args": ["sleep", "99"], "path": str(tmp_path / "crate")})
    assert planned(moved, host) == [("bundle.box", Action.REPLACE, ["path"])]
    apply(moved, host)
    assert not place.exists()
    apply(moved, host, destroy=True)
    assert not (tmp_path / "crate").exists()


def test_without_a_journal_it_is_found_in_its_folder(bundles: LoadBundles, host: Host, lab_name: str) -> None:
    lab = bundles(box={"args": ["sleep", "99"]})
    apply(lab, host)
    (host.state.root / lab_name / "journal.json").unlink()
    assert planned(lab, host) == []
    apply(lab, host, destroy=True)
    assert not (host.state.root / lab_name).exists()
