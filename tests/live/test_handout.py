"""A sheet's commands really run: captured in a sandbox, verified there, and drifted exactly where an image changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostbox import HostBox, labspec

pytestmark = pytest.mark.live

SPEC = """labspec: 1
lab: {name: sheet}
images:
  one: {from: labspec-test/busybox:latest, steps: [{copy: {src: one.txt, dest: /page}}]}
  two: {from: labspec-test/busybox:latest, steps: [{copy: {src: two.txt, dest: /page}}]}
secrets: {password: {file: password.txt}}
services:
  one: {image: one, command: [sleep, "600"], secrets: [password]}
  two: {image: two, command: [sleep, "600"]}
handout:
  sections:
    - title: Sheet
      blocks:
        - {run: [cat, /page], in: service.one, id: page-one}
        - {run: [cat, /page], in: service.two, id: page-two}
        - {run: "wc -c </page; ls -l /proc/1/ns", in: service.one, id: size-one}
        - {run: [cat, /run/secrets/password], in: service.one, id: secret}
        - {run: "docker inspect --format '{{.State.Pid}}' sheet-one-1 sheet-two-1", id: pids}
        - {run: "ls -l /proc/$(docker inspect --format '{{.State.Pid}}' sheet-one-1)/ns", id: namespaces}
        - {run: [docker, ps, --filter, name=sheet], unordered: true, id: ps}
        - {run: [grep, -c, first, /page], in: service.one, id: first}
        - {run: [cat, no-such-file], exit: 1, id: refused}
        - {run: [cat], stdin: "read\\n", cwd: /tmp, id: stdin}
        - {run: [reboot], recorded: {host: CentOS 7, date: "2018", why: it restarts the machine}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    (folder / "lab.yaml").write_text(SPEC)
    (folder / "one.txt").write_text("first\n")
    (folder / "two.txt").write_text("second\n")
    (folder / "password.txt").write_text("tr0ub4dor\n")
    return folder


@pytest.fixture(scope="module")
def captured(lab_host: HostBox, lab: Path) -> Iterator[str]:
    """Capture the sheet, and return what labspec said of it."""
    before = labspec("handout", folder=lab)
    assert before.returncode == 1
    assert "no output was captured for 'cat /page'" in before.stderr
    assert "labspec handout --capture" in before.stderr
    done = labspec("handout", "--capture", "--sandbox", lab_host.name, folder=lab)
    assert done.returncode == 0, done.stderr
    yield done.stderr
    lab_host.labspec(lab, "destroy", "-y")


def verify(box: HostBox, lab: Path, code: int) -> dict[str, str]:
    """Return how each block did."""
    done: subprocess.CompletedProcess[str] = labspec("handout", "--verify", "--json", "--sandbox", box.name, folder=lab)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {block["id"]: block["state"] for block in found["blocks"]}


def test_what_is_captured(captured: str, lab: Path) -> None:
    import yaml

    blocks = yaml.safe_load((lab / "lab.captures.yaml").read_text())["blocks"]
    assert "[1/10] cat /page" in captured
    assert blocks["page-one"]["stdout"] == "first\n"
    assert blocks["stdin"]["stdout"] == "read\n"
    assert (blocks["refused"]["exit"], "No such file" in blocks["refused"]["stderr"]) == (1, True)
    assert blocks["secret"]["stdout"] == "********\n"
    assert "tr0ub4dor" not in (lab / "lab.captures.yaml").read_text()
    done = labspec("handout", "-o", "-", "--format", "md", folder=lab)
    assert done.returncode == 0, done.stderr
    assert "first" in done.stdout
    assert "CentOS 7" in done.stdout


@pytest.mark.usefixtures("captured")
def test_an_unchanged_lab_is_verified_and_a_changed_image_is_told(lab_host: HostBox, lab: Path) -> None:
    states = verify(lab_host, lab, 0)
    assert states["page-one"] == "same"
    assert states["pids"] == states["namespaces"] == "volatile"
    (lab / "one.txt").write_text("another, longer one\n")
    states = verify(lab_host, lab, 2)
    assert sorted(block for block, state in states.items() if state == "drifted") == ["first", "page-one", "size-one"]
    (lab / "one.txt").write_text("first\n")


@pytest.mark.usefixtures("captured")
def test_a_command_that_fails_is_told_at_its_line(lab_host: HostBox, lab: Path) -> None:
    # In the lab as it is applied here and now: nothing is applied by --here.
    wrong = SPEC.replace("exit: 1, ", "")
    lab_host.labspec(lab, "apply", "-y")
    (lab / "lab.yaml").write_text(wrong)
    lab_host.labspec(lab, "validate")
    done = lab_host.run("sh", "-c", f"cd /labs{lab} && labspec handout --capture --here -o /tmp/x.yaml")
    (lab / "lab.yaml").write_text(SPEC)
    assert done.returncode == 1
    line = wrong.splitlines().index(next(text for text in wrong.splitlines() if "no-such-file" in text)) + 1
    assert f"lab.yaml:{line}:11: error: 'cat no-such-file' ended with exit code 1, not 0:" in done.stderr
    assert "No such file or directory" in done.stderr


@pytest.mark.usefixtures("captured")
def test_a_lab_that_is_not_applied_is_not_captured(lab_host: HostBox, lab: Path) -> None:
    lab_host.labspec(lab, "destroy", "-y")
    done = lab_host.run("sh", "-c", f"cd /labs{lab} && labspec handout --capture --here -o /tmp/x.yaml")
    assert done.returncode == 1
    assert "the lab is not applied here as the spec says" in done.stderr
