"""Compose files of many kinds: imported and rendered, docker compose reads of them what it reads of the source."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from composing import ENVIRONMENT, FOLDER, Case, both

from labspec.imports.compose import ComposeFiles, import_compose
from labspec.imports.compose_check import differences

pytestmark = pytest.mark.skipif(shutil.which("docker") is None, reason="no docker compose here")

ABOVE = ("multi.prod.yaml", "multi.reset.yaml", "logging-split.over.yaml", "hosts.over.yaml")
"""Files that make sense above others only."""
CASES = [
    *(
        Case((path.name,))
        for path in sorted(FOLDER.glob("*.yaml"))
        if path.name not in (*ABOVE, "operators.yaml", "given-args.yaml", "given-quotes.yaml")
    ),
    Case(("operators.yaml",), env_files=("settings.env",)),
    Case(("given.yaml",), env_files=("settings.env",)),
    Case(("given-args.yaml",), env_files=("settings.env",)),
    Case(("given-quotes.yaml",), env_files=("quotes.env",)),
    Case(("multi.yaml", "multi.prod.yaml")),
    Case(("multi.yaml", "multi.reset.yaml")),
    Case(("multi.yaml", "multi.prod.yaml", "multi.reset.yaml")),
    Case(("logging-split.yaml", "logging-split.over.yaml")),
    Case(("hosts.yaml", "hosts.over.yaml")),
    Case(("profiles.yaml",), ("debug",)),
    Case(("profiles.yaml",), ("tools", "never")),
    Case(("wordpress.yaml",), stack="blog"),
    Case(("profiles.yaml",), ("debug",), stack="tools"),
    Case(("builds.yaml",), stack="built"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_round_trip(case: Case, tmp_path: Path) -> None:
    before, after, losses = both(case, FOLDER, tmp_path / "out")
    assert list(differences(before, after)) == []
    assert not losses
    assert before["services"]


def test_there_are_many() -> None:
    assert len({name for case in CASES for name in case.files}) >= 60


def test_what_is_lost_is_told_by_name(tmp_path: Path) -> None:
    """Keys of a build that docker compose 2.26 does not know yet, and labspec cannot build with."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    path = tmp_path / "compose.yaml"
    path.write_text("services:\n  a:\n    build: {context: ., sbom: true, provenance: mode=max, pull: true}\n")
    imported = import_compose(ComposeFiles((path,), tmp_path, environment=ENVIRONMENT, compare=False))
    assert {loss.name for loss in imported.losses} == {"services.a.build.sbom", "services.a.build.provenance"}
    assert all(loss.at is not None and loss.source for loss in imported.losses)
    assert imported.sections["services"]["a"]["build"] == {"context": ".", "pull": True}
