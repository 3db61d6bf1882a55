"""Pods of rkt under a real systemd: started, found again, and removed, with the stand-in that answers as rkt did."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostbox import HostBox
from rktspecs import NAMED, SEED

pytestmark = pytest.mark.live

RKT = Path(__file__).parents[1] / "kinds" / "rkt"
RECORDED = {**NAMED, "name": "web", "unit": "lab-web", "set_env_file": "envfile"}
OTHER = ("rkt", "--insecure-options=image", "run", "docker://alpine", "--user-label=labspec.id=tp2/rkt.sleeper")


@pytest.fixture(scope="module")
def box(lab_host: HostBox) -> Iterator[HostBox]:
    """Return a sandbox that has rkt's stand-in, and the image of stage 1 that comes with rkt."""
    stage1 = "/usr/lib/rkt/stage1-images"
    subprocess.run(["docker", "cp", str(RKT / "standin" / "rkt"), f"{lab_host.container}:/usr/bin/rkt"], check=True)
    lab_host.out("sh", "-c", f"mkdir -p {stage1} && touch {stage1}/stage1-fly.aci")
    yield lab_host
    lab_host.out("rm", "-rf", "/usr/bin/rkt", "/usr/lib/rkt", "/var/lib/rkt-standin")


def lab(folder: Path, **pods: Any) -> None:
    spec = {"labspec": 1, "lab": {"name": "tp1"}, "rkt": pods}
    (folder / "lab.yaml").write_text(json.dumps(spec, indent=1))
    (folder / "envfile").write_text("C=3\n")


def apply(box: HostBox, folder: Path, *options: str) -> None:
    done = box.labspec(folder, "apply", "-y", "--allow=host-namespaces", *options)
    assert done.returncode == 0, done.stderr
    assert box.planned(folder)["empty"]


def pods(box: HostBox) -> dict[str, str]:
    """Return UUID -> label of the pods that rkt lists."""
    listed = json.loads(box.out("rkt", "list", "--format=json")) or []
    return {pod["name"]: pod["apps"][0].get("user_labels", {}).get("labspec.id", "") for pod in listed}


def test_two_applies_one_pod_and_destroy_removes_that_one_only(box: HostBox, tmp_path: Path) -> None:
    lab(tmp_path, sleeper=SEED)
    refused = box.labspec(tmp_path, "apply", "-y")
    assert (refused.returncode, pods(box)) == (1, {})
    assert "add --allow host-namespaces" in refused.stderr
    apply(box, tmp_path)
    first = pods(box)
    assert list(first.values()) == ["tp1/rkt.sleeper"]
    apply(box, tmp_path)
    assert pods(box) == first
    unit = "labspec-tp1-sleeper.service"
    pid = box.out("systemctl", "show", "--value", "--property=MainPID", unit)
    assert box.out("cat", f"/proc/{pid}/cmdline") == "/bin/sleep\x009999\x00"
    box.out("systemd-run", "--unit=other", "--collect", *OTHER, "--exec", "/bin/sleep", "--", "99")
    done = box.labspec(tmp_path, "destroy", "-y")
    assert done.returncode == 0, done.stderr
    assert list(pods(box).values()) == ["tp2/rkt.sleeper"]
    assert box.out("systemctl", "is-active", "other.service") == "active"
    assert box.run("systemctl", "is-active", unit).stdout == "inactive\n"
    assert box.run("test", "-e", "/run/labspec").returncode == 1
    box.out("systemctl", "stop", "other.service")
    box.out("rkt", "rm", *pods(box))


def test_systemd_gets_the_recorded_line(box: HostBox, tmp_path: Path) -> None:
    lab(tmp_path, web=RECORDED)
    apply(box, tmp_path, "--allow=host-network")
    line = started(box.out("systemctl", "cat", "lab-web.service"))
    recorded = started((RKT / "recordings" / "systemd-cat-named.txt").read_text())
    assert line == recorded
    assert box.labspec(tmp_path, "destroy", "-y").returncode == 0
    assert pods(box) == {}


def started(unit: str) -> list[str]:
    """Return the words of a unit's ExecStart, without what is different in every lab."""
    (line,) = re.findall(r"(?m)^ExecStart=(\S.*)$", unit)
    own = r"^(--uuid-file-save|--set-env-file|--user-label=labspec\.id|--user-annotation=labspec\.hash)=.*$"
    return [re.sub(own, r"\1=", word) for word in shlex.split(line)]


def test_a_pod_that_a_reboot_ended_is_started_anew(box: HostBox, tmp_path: Path) -> None:
    lab(tmp_path, sleeper=SEED)
    apply(box, tmp_path)
    (old,) = pods(box)
    box.out("systemctl", "stop", "labspec-tp1-sleeper.service")
    (change,) = box.planned(tmp_path)["changes"]
    assert (change["action"], change["reason"]) == (
        "start",
        "the pod has ended, and rkt starts no pod twice: a new one",
    )
    apply(box, tmp_path)
    (new,) = pods(box)
    assert new != old
    assert box.labspec(tmp_path, "destroy", "-y").returncode == 0
    assert pods(box) == {}
