"""The hooks for pre-commit: it takes their definition, and each does what it is there for."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pre_commit.clientlib import load_manifest

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
HOOKS: dict[str, Any] = {hook["id"]: hook for hook in load_manifest(str(MANIFEST))}
GOOD = "labspec: 1\nlab: {name: a}\n"
SHUFFLED = "lab: {name: a}\nlabspec: 1\n"


def run(hook: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Run a hook as pre-commit does: its entry as words, with the files behind them."""
    command = [*shlex.split(HOOKS[hook]["entry"]), *map(str, files)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


@pytest.fixture
def specs(tmp_path: Path) -> list[Path]:
    """Return two good specs, the second of which is not in canonical form."""
    paths = [tmp_path / name / "lab.yaml" for name in ("one", "two words")]
    for path, text in zip(paths, (GOOD, SHUFFLED), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    return paths


def test_validate(specs: list[Path]) -> None:
    assert run("labspec-validate", *specs).returncode == 0
    specs[0].write_text(GOOD + "servics: {}\n")
    done = run("labspec-validate", *specs)
    assert done.returncode == 1
    assert "did you mean 'services'?" in done.stderr


def test_fmt(specs: list[Path]) -> None:
    """A hook that changes a file has failed for pre-commit, whatever it returns."""
    assert run("labspec-fmt", *specs).returncode == 0
    assert [path.read_text() for path in specs] == [GOOD, GOOD]


def test_they_are_run_on_specs() -> None:
    import re

    for hook in HOOKS.values():
        assert [bool(re.search(hook["files"], path)) for path in ("lab.yaml", "a/lab.yaml", "mylab.yaml")] == [
            True,
            True,
            False,
        ]
