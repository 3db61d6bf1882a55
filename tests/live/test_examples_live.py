"""Every example on a real engine: applied, found unchanged, destroyed, with nothing left."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from example_labs import NAMES, copied

from labspec.core.resource import LAB_LABEL
from labspec.engine import workflow
from labspec.host.host import Host
from labspec.report.plan import plan_lines
from labspec.spec.loader import load

pytestmark = pytest.mark.live

PREFIX = "labspec-test-"
ALLOW = {"dangers": frozenset({"socket", "host-namespaces"})}
SLOW = {"image-rootfs"}
"""It downloads a distribution; tests/live/test_images.py makes one."""
ELSEWHERE = ("bundle-", "daemon-", "host-", "machine-", "rkt-", "unit-")
"""They change more than the engine has; their kinds have live tests of their own."""


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(params=[name for name in NAMES if name not in SLOW and not name.startswith(ELSEWHERE)])
def example(request: pytest.FixtureRequest, lab_name: str, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of an example, its names on the host our own; afterwards nothing of it is there."""
    lab = copied(request.param, tmp_path)
    spec = lab / "lab.yaml"
    text = spec.read_text().replace(f"name: {request.param}", f"name: {lab_name}", 1)
    for name in ("campus", "archive, ", "archive}", "shared-notes"):
        text = text.replace(name, PREFIX + name) if request.param in ("external", "volumes") else text
    spec.write_text(text)
    if request.param == "image-archive":
        docker("save", "-o", str(lab / "base.tar"), request.getfixturevalue("busybox"))
        subprocess.run(["gzip", "-1", "-f", str(lab / "base.tar")], check=True)
    if request.param == "external":
        docker("network", "create", f"{PREFIX}campus")
        docker("volume", "create", f"{PREFIX}archive")
    yield lab
    shutil.rmtree(lab)
    if request.param == "external":
        docker("network", "rm", f"{PREFIX}campus")
        docker("volume", "rm", f"{PREFIX}archive")


def labelled(name: str) -> list[str]:
    by_label = ("--filter", f"label={LAB_LABEL}={name}")
    lists = (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"), ("images", "-aq"))
    return [identity for listing in lists for identity in docker(*listing, *by_label).split()]


def test_is_applied_unchanged_and_destroyed(example: Path, host: Host) -> None:
    lab = load(example, variables={}, variable_files=[])
    allow = ALLOW.get(example.name, frozenset())
    done = workflow.apply(lab, host, allow=allow, wait=True)
    assert done.applied
    assert done.failed == ()
    assert labelled(lab.name)
    assert list(plan_lines(workflow.make_plan(lab, host))) == ["No changes. The host matches the spec."]
    assert workflow.apply(lab, host, destroy=True).failed == ()
    assert labelled(lab.name) == []
