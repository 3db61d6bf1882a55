"""A plan file that was edited does nothing that the spec does not say: apply plans again, and compares digests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labspec.cli.planfile import PlanFile
from labspec.core.change import Action, Change, Plan
from labspec.core.diagnostic import LabError


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept.plan"
    plan = Plan("tp1", (Change("volume.foo", "volume", Action.CREATE, "not on this host"),), fingerprint="f" * 64)
    PlanFile("/lab/lab.yaml", {"a": "1"}, (), (), (), False, plan.fingerprint).write(path, plan)
    return path


def test_what_it_shows_is_not_what_is_run(kept: Path) -> None:
    content = json.loads(kept.read_text())
    content["plan"]["changes"][0]["steps"] = ["rm -rf /"]
    content["text"] = ["nothing"]
    kept.write_text(json.dumps(content))
    found = PlanFile.read(kept)
    assert found == PlanFile("/lab/lab.yaml", {"a": "1"}, (), (), (), False, "f" * 64)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.update(fingerprint=""),
        lambda content: content.pop("fingerprint"),
        lambda content: content.update(targets="service.web"),
        lambda content: content.update(variables={"a": ["b"]}),
        lambda content: content.update(destroy="yes"),
        lambda content: content.update(labspec_plan=99),
    ],
)
def test_a_broken_one_is_refused(kept: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(kept.read_text())
    edit(content)
    kept.write_text(json.dumps(content))
    with pytest.raises(LabError, match=r"kept\.plan"):
        PlanFile.read(kept)


def test_others_cannot_read_it(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
