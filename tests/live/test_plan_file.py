"""A plan file is good until something it was made from changes: the spec, a copied file, the host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

SPEC = """
labspec: 1
lab: {{name: {name}}}
images:
  page: {{from: {busybox}, steps: [{{copy: {{src: index.html, dest: /}}}}]}}
volumes: {{data: {{}}}}
services:
  a: {{image: page, command: [sleep, "900"], stop_signal: SIGKILL, volumes: ["data:/data"]}}
"""


@pytest.fixture
def folder(tmp_path: Path, lab_name: str, busybox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABSPEC_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "index.html").write_text("one")
    (tmp_path / "lab.yaml").write_text(SPEC.format(name=lab_name, busybox=busybox))
    return tmp_path


def labspec(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "labspec", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_it_is_applied_once(folder: Path) -> None:
    assert labspec(folder, "plan", "-o", "tp.plan").returncode == 0
    applied = labspec(folder, "apply", "tp.plan")
    assert applied.returncode == 0, applied.stderr
    assert labspec(folder, "plan", "--detailed-exitcode").returncode == 0
    again = labspec(folder, "apply", "tp.plan")
    assert again.returncode == 1
    assert "have changed since the plan was made" in again.stderr


def edit_spec(folder: Path) -> None:
    spec = folder / "lab.yaml"
    spec.write_text(spec.read_text().replace("900", "901"))


def edit_copied_file(folder: Path) -> None:
    (folder / "index.html").write_text("two")


def make_volume(folder: Path) -> None:
    name = folder.joinpath("lab.yaml").read_text().partition("name: ")[2].partition("}")[0]
    subprocess.run(
        ["docker", "volume", "create", "--label", f"io.labspec.lab={name}", f"{name}_other"], check=True, timeout=60
    )


@pytest.mark.parametrize("change", [edit_spec, edit_copied_file, make_volume])
def test_it_is_refused_once_something_has_changed(folder: Path, change: Callable[[Path], None]) -> None:
    assert labspec(folder, "plan", "-o", "tp.plan").returncode == 0
    change(folder)
    refused = labspec(folder, "apply", "tp.plan")
    assert refused.returncode == 1
    assert "have changed since the plan was made" in refused.stderr
    assert labspec(folder, "status", "--json").stdout.count('"missing"') == 4
