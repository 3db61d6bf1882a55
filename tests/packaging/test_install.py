"""The wheel and the source archive: what is in them, and that the installed labspec works away from its checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import uuid
import zipfile
from collections.abc import Callable
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or str(ROOT / ".venv/bin/uv")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a wheel made of a source archive, as an index would get them."""
    if not Path(UV).exists():
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "-q", "-o", str(folder)], cwd=ROOT, check=True, timeout=300)
    return folder


@pytest.fixture(scope="session", params=["highest", "lowest-direct"])
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return the folder `bin` of an environment with the wheel and what it needs: the newest, or as old as it says."""
    home = tmp_path_factory.mktemp("venv") / "labspec"
    (wheel,) = built.glob("*.whl")
    subprocess.run([UV, "venv", "-q", str(home)], check=True, timeout=120)
    command = [UV, "pip", "install", "-q", "--resolution", request.param, "--python", str(home), str(wheel)]
    subprocess.run(command, check=True, timeout=300)
    return home / "bin"


@pytest.fixture
def labspec(installed: Path, tmp_path: Path) -> Run:
    """Return a function that runs the installed labspec in an empty folder, without anything of the checkout."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "LABSPEC_CACHE")
        }
        environment |= {"HOME": str(tmp_path), "LABSPEC_STATE_DIR": str(tmp_path / "state")}
        command = [str(installed / "labspec"), *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return call


def test_what_is_in_the_archives(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = message_from_string(archive.read(next(name for name in names if name.endswith("METADATA"))).decode())
    assert {"labspec/generators/sandbox/setup", "labspec/generators/dockerfile/Dockerfile.j2"} <= set(names)
    assert "labspec/cli/starter/lab.yaml" in names
    assert not [name for name in names if name.startswith(("tests", "docs", "labspec/generators/labspec"))]
    assert {"pdf", "fleet"} <= set(about.get_all("Provides-Extra", []))
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive_:
        tops = {name.split("/")[1] for name in archive_.getnames() if "/" in name}
    assert {"labspec", "generators", "docs", "specs", "examples", "tests", "README.md", "pyproject.toml"} <= tops


def test_a_lab_from_the_start(labspec: Run, tmp_path: Path) -> None:
    """Templates, schemas and data files are found where the wheel has put them."""
    assert labspec("init", "first").returncode == 0
    assert labspec("fmt", "--check", "first").returncode == 0
    said = labspec("validate", "--json", "first")
    assert json.loads(said.stdout)["valid"] is True, said.stdout + said.stderr
    assert labspec("render", "-o", "out", "first").returncode == 0
    assert (tmp_path / "out/compose.yaml").is_file()
    assert (tmp_path / "out/images/writer/Dockerfile").read_text().startswith("FROM debian:latest\n")
    assert json.loads(labspec("schema").stdout)["title"] == "lab.yaml"
    assert labspec("import", "dockerfile", "out/images/writer/Dockerfile").returncode == 0


def test_it_runs_its_own_files(labspec: Run, installed: Path) -> None:
    said = labspec("doctor", "--json")
    assert said.returncode in (0, 1), said.stderr
    assert {check["name"] for check in json.loads(said.stdout)["checks"]} >= {"Python", "Docker client", "mmdebstrap"}
    for shell in ("bash", "zsh", "fish"):
        assert "labspec" in labspec("completion", shell).stdout
    where = [str(installed / "python"), "-c", "import labspec.host.sandbox.image as i; print(i.recipe())"]
    recipe = subprocess.run(where, capture_output=True, text=True, check=True, cwd="/", timeout=60).stdout.strip()
    assert Path(recipe).is_relative_to(installed.parent)
    assert (Path(recipe) / "Dockerfile").is_file()


@pytest.mark.live
def test_a_lab_is_made_and_removed(labspec: Run, tmp_path: Path) -> None:
    """Builds and compose go through python-on-whales, whose calls differ from version to version."""
    assert labspec("init", "first").returncode == 0
    file = tmp_path / "first/lab.yaml"
    name = f"labspec-wheel-{uuid.uuid4().hex[:8]}"
    file.write_text(re.sub(r"(?m)^(\s+name: ).*$", rf"\g<1>{name}", file.read_text(), count=1))
    try:
        done = labspec("apply", "-y", "first")
        assert done.returncode == 0, done.stderr
        assert labspec("plan", "--detailed-exitcode", "first").returncode == 0
    finally:
        gone = labspec("destroy", "-y", "first")
    assert gone.returncode == 0, gone.stderr
