"""The lab with three tiers on a real engine: applied, its checks pass, only what it publishes can be reached."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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

    # One network too many: front reaches the data, and just the check for that says so.
    back = next(resource.name for resource in lab.resources if resource.address == "network.back")
    front = next(resource.name for resource in lab.resources if resource.address == "service.front")
    host.docker.post(f"/networks/{back}/connect", {"Container": front})
    assert [result.id for result in run_checks(lab, host, checks_of(lab)) if result.state != "ok"] == ["front-db"]
    assert workflow.apply(lab, host, destroy=True).failed == ()
