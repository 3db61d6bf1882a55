"""labspec show beside what the engine, the kernel and systemd say themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cleaning import remove_lab
from hostbox import HostBox

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.engine.views import View, view
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.subjects import subjects
from labspec.report.views import view_text
from labspec.spec.loader import load

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

NAME = "labspec-test-show"
SLEEP: dict[str, Any] = {"command": ["sleep", "900"], "init": False}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, engine: Docker) -> Host:
    return Host(engine, StateFolder(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, busybox: str, host: Host) -> Iterator[Lab]:
    """Return a lab that runs: one service with limits, one that shares its namespaces, one that may do nothing."""
    folder = tmp_path_factory.mktemp("lab")
    services: dict[str, dict[str, Any]] = {
        "web": {"volumes": ["foo:/app"], "mem_limit": "64m", "cpus": 0.5, "pids_limit": 50},
        "side": {"network_mode": "service:web", "pid": "service:web"},
        "shut": {
            "deploy": {"replicas": 2},
            "user": "1234:1235",
            "cap_drop": ["ALL"],
            "read_only": True,
            "security_opt": ["no-new-privileges:true"],
            "environment": {"SHOWN": "1", "VIEWS_TEST_SECRET": None},
        },
    }
    content = {
        "labspec": 1,
        "lab": {"name": NAME},
        "volumes": {"foo": {"tmpfs": {"size": "10m", "uid": 1000}}},
        "services": {name: {"image": busybox, **SLEEP, **entry} for name, entry in services.items()},
    }
    (folder / "lab.yaml").write_text(json.dumps(content))
    os.environ["VIEWS_TEST_SECRET"] = "not to be seen"
    remove_lab(NAME)
    found = load(folder, variables={}, variable_files=[])
    assert workflow.apply(found, host).failed == ()
    yield found
    del os.environ["VIEWS_TEST_SECRET"]
    remove_lab(NAME)


def inspected(host: Host, lab: Lab, address: str) -> dict[str, Any]:
    found: dict[str, Any] = host.docker.get(f"/containers/{subjects(lab, host, [address])[address].id}/json")
    return found


def shown(kind: str, lab: Lab, host: Host, address: str | None) -> dict[str, Any]:
    """Return what a view says of its one subject."""
    found = view(kind, lab, host, address)
    assert all(line.isprintable() for line in view_text(found))
    (subject,) = json.loads(json.dumps(found.as_json()))["subjects"]
    return dict(subject)


def test_addresses_lead_to_containers(lab: Lab, host: Host) -> None:
    found = subjects(lab, host)
    assert sorted(found) == ["service.shut", "service.shut/2", "service.side", "service.web"]
    web = inspected(host, lab, "service.web")
    subject = found["service.web"]
    assert (subject.id, subject.pid, subject.name) == (web["Id"], web["State"]["Pid"], f"{NAME}-web-1")
    assert found["service.shut"].name == f"{NAME}-shut-1"
    assert subjects(lab, host, ["service.shut/1", "service.shut/3"]) == {"service.shut/1": found["service.shut"]}


def test_namespaces_are_those_of_the_kernel(lab: Lab, host: Host) -> None:
    found = shown("namespaces", lab, host, "service.side")
    pid = inspected(host, lab, "service.side")["State"]["Pid"]
    links = {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/ns").iterdir()}
    for one in found["namespaces"]:
        assert links[one["type"]] == f"{one['type']}:[{one['inode']}]"
    shared = {one["type"]: one["shared_with"] for one in found["namespaces"]}
    assert (shared["net"], shared["pid"], shared["mnt"]) == (["service.web"], ["service.web"], [])
    assert shared["user"] == ["host"]


def test_namespaces_of_the_whole_lab_are_one_table(lab: Lab, host: Host) -> None:
    (table,) = view("namespaces", lab, host, None).tables
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert list(rows) == ["host", "service.web", "service.side", "service.shut", "service.shut/2"]
    assert rows["service.web"]["NET"] == rows["service.side"]["NET"] != rows["service.shut"]["NET"]


def test_limits_are_those_of_the_engine(lab: Lab, host: Host) -> None:
    found, config = shown("cgroups", lab, host, "service.web"), inspected(host, lab, "service.web")["HostConfig"]
    assert found["memory_limit"] == config["Memory"] == 64 * 2**20
    assert found["cpus"] * 1e9 == config["NanoCpus"]
    assert found["pids_limit"] == config["PidsLimit"] == 50
    assert found["tasks"] == 1
    assert 0 < found["memory_used"] < found["memory_limit"]
    assert shown("cgroups", lab, host, "service.shut")["memory_limit"] is None


def test_a_volume_is_known_by_its_address(lab: Lab, host: Host) -> None:
    mounts = {one["target"]: one for one in shown("mounts", lab, host, "service.web")["mounts"]}
    (engine,) = inspected(host, lab, "service.web")["Mounts"]
    assert (mounts["/app"]["of"], mounts["/app"]["host"]) == ("volume.foo", engine["Source"])
    assert (mounts["/app"]["size"], mounts["/app"]["fstype"]) == (10 * 2**20, "tmpfs")
    assert mounts["/etc/hosts"]["of"] == "written by the engine"
    assert not mounts["/"]["read_only"]


def test_rights_are_what_was_asked_for(lab: Lab, host: Host) -> None:
    found = shown("rights", lab, host, "service.shut")
    assert (found["uid"], found["gid"], found["uid_inside"]) == (1234, 1235, 1234)
    assert found["capabilities"]["bounding"] == []
    assert (found["no_new_privs"], found["read_only_root"], found["privileged"]) == (True, True, False)
    web = shown("rights", lab, host, "service.web")
    assert {"CHOWN", "NET_BIND_SERVICE"} <= set(web["capabilities"]["effective"])
    assert "SYS_ADMIN" not in web["capabilities"]["bounding"]
    assert (web["no_new_privs"], web["read_only_root"], web["engine_socket"]) == (False, False, None)


def test_the_engine_is_asked_without_its_secrets(lab: Lab, host: Host) -> None:
    found: View = view("api", lab, host, "service.shut", "Config.Env")
    assert "SHOWN=1" in found.answer
    assert "VIEWS_TEST_SECRET=***" in found.answer
    assert "not to be seen" not in json.dumps(view("api", lab, host, "service.shut").as_json())
    assert view("api", lab, host, "/containers/{service.web}/json", "Name").answer == f"/{NAME}-web-1"
    with pytest.raises(LabError, match="answers 404"):
        view("api", lab, host, "/containers/none/json")


def test_what_does_not_run_is_told(lab: Lab, host: Host) -> None:
    with pytest.raises(LabError, match="is not on this host"):
        view("rights", lab, host, "service.web/2")


def test_a_unit_and_a_bundle_in_a_sandbox(lab_host: HostBox, tmp_path: Path, busybox: str) -> None:
    content = {
        "labspec": 1,
        "lab": {"name": "show"},
        "units": {
            "show-nap.service": {
                "Service": {
                    "ExecStart": "/bin/sleep 900",
                    "PrivateTmp": True,
                    "NoNewPrivileges": True,
                    "DynamicUser": False,
                    "MemoryMax": "32M",
                    "CapabilityBoundingSet": "CAP_CHOWN CAP_KILL",
                },
                "state": "started",
            }
        },
        "bundles": {"box": {"image": busybox, "args": ["sleep", "900"], "hostname": "box", "state": "running"}},
    }
    (tmp_path / "lab.yaml").write_text(json.dumps(content))
    done = lab_host.labspec(tmp_path, "apply", "-y")
    assert done.returncode == 0, done.stderr
    try:
        done = lab_host.labspec(tmp_path, "show", "namespaces", "--json")
        unit, box = json.loads(done.stdout)["subjects"]
        assert (unit["address"], box["address"]) == ("unit.show-nap.service", "bundle.box")
        own = {one["type"]: one["isolated"] for one in unit["namespaces"]}
        assert (own["mnt"], own["net"], own["pid"]) == (True, False, False)
        assert str(unit["pid"]) == lab_host.out("systemctl", "show", "-P", "MainPID", "show-nap.service")
        rights = one_of(lab_host, tmp_path, "rights", "unit.show-nap.service")
        assert set(rights["capabilities"]["bounding"]) == {"CHOWN", "KILL"}
        assert rights["no_new_privs"]
        groups = one_of(lab_host, tmp_path, "cgroups", "unit.show-nap.service")
        assert any(group["path"].endswith("/show-nap.service") for group in groups["groups"])

        assert {one["type"] for one in box["namespaces"] if one["isolated"]} >= {"mnt", "net", "pid", "ipc", "uts"}
        state = json.loads(lab_host.out("runc", "state", "labspec-show-box"))
        assert box["pid"] == state["pid"]
        root = next(one for one in one_of(lab_host, tmp_path, "mounts", "bundle.box")["mounts"] if one["target"] == "/")
        assert root["host"] == "/var/lib/labspec/show/bundles/box/rootfs"
    finally:
        lab_host.labspec(tmp_path, "destroy", "-y")


def one_of(box: HostBox, folder: Path, kind: str, address: str) -> dict[str, Any]:
    """Return what a view in a sandbox says of one address."""
    done = box.labspec(folder, "show", kind, address, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (subject,) = json.loads(done.stdout)["subjects"]
    return dict(subject)
