"""The lab with three tiers on a real engine: applied, its checks pass, only what it publishes can be reached."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labspec.checks.files import found_at
from labspec.checks.kinds.mount import mounts
from labspec.checks.view import View
from labspec.core.diagnostic import LabError
from labspec.engine import workflow
from labspec.engine.checking import checks_of, run_checks
from labspec.host.host import Host
from labspec.spec.loader import load

pytestmark = pytest.mark.live

LAB = Path(__file__).parents[2] / "specs" / "front-app-db"
PORT = "18391"


def test_three_tiers(tmp_path: Path, lab_name: str, host: Host) -> None:
    folder = Path(shutil.copytree(LAB, tmp_path / "lab"))
    text = (folder / "lab.yaml").read_text()
    (folder / "lab.yaml").write_text(text.replace("name: front-app-db", f"name: {lab_name}", 1))
    lab = load(folder, variables={"port": PORT}, variable_files=[])
    assert workflow.apply(lab, host).failed == ()
    assert workflow.make_plan(lab, host).changes == ()

    found = run_checks(lab, host, checks_of(lab))
    assert [(result.id, result.findings, result.message) for result in found if result.state != "ok"] == []
    assert len(found) > 20

    # As on an engine of another machine: files and mounts come through it.
    view = View(lab, host, ["service.front"])
    view.here = False
    read = found_at("/etc/nginx/nginx.conf", "service.front", view, follow=True, with_content=True)
    assert (read.type, read.mode & 0o777, read.owner, "proxy_pass" in read.content) == ("file", 0o644, "0", True)
    with pytest.raises(FileNotFoundError):
        found_at("/etc/nginx/none", "service.front", view, follow=True, with_content=False)
    assert any(mount.target == "/run" for mount in mounts(view.mountinfo("service.front")))
    with pytest.raises(LabError, match="cannot compare namespaces from here"):
        view.namespaces("service.front")

    # One network too many: front reaches the data, and just the check for that says so.
    back = next(resource.name for resource in lab.resources if resource.address == "network.back")
    front = next(resource.name for resource in lab.resources if resource.address == "service.front")
    host.docker.post(f"/networks/{back}/connect", {"Container": front})
    assert [result.id for result in run_checks(lab, host, checks_of(lab)) if result.state != "ok"] == ["front-db"]
    assert workflow.apply(lab, host, destroy=True).failed == ()
