"""The registry of kinds and of parts says what their modules say: a spec is read by it before they are imported."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from labspec.kinds import REGISTRY, Kind
from labspec.spec import parts


@pytest.mark.parametrize("kind", REGISTRY, ids=lambda kind: kind.name)
def test_a_kind_is_what_the_registry_says(kind: Kind) -> None:
    section = import_module(f"labspec.kinds.{kind.name}.model").SECTION
    assert (section.kind, section.name) == (kind.name, kind.section)
    if kind.live:
        assert import_module(f"labspec.kinds.{kind.name}.live").LIVE.kind == kind.name


@pytest.mark.parametrize("name", parts.REGISTRY)
def test_a_part_is_what_the_registry_says(name: str) -> None:
    assert parts.part(name).name == name


def test_models_of_what_a_spec_does_not_have_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("labspec: 1\nlab: {name: small}\nvolumes: {data: {}}\n")
    program = (
        "import json, sys; from pathlib import Path; from labspec.spec.loader import load\n"
        "load(Path('lab.yaml'), variables={}, variable_files=[])\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('labspec.')]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout))
    assert "labspec.kinds.volume.model" in imported
    others = {f"labspec.kinds.{kind.name}.model" for kind in REGISTRY if kind.name not in ("volume", "network")}
    assert not imported & (others | {"labspec.checks.model", "labspec.sheet.model", "labspec.kinds.adoption.model"})
