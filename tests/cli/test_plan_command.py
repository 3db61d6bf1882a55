"""labspec plan: what it prints where, how it exits, what it hands to the engine, and the file that it writes."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labspec.cli.planfile import PlanFile
from labspec.core.change import Plan
from labspec.core.diagnostic import Diagnostic
from labspec.host.state import LockedError

if TYPE_CHECKING:
    from conftest import Engine, Result

    Labspec = Callable[..., Result]

EMPTY = Plan("tp1", unchanged=3, fingerprint="e")


def test_changes_go_to_stdout_and_the_next_step_to_stderr(engine: Engine, labspec: Labspec) -> None:
    code, out, err = labspec("plan")
    assert code == 0
    assert "  +   volume.foo will be created: not on this host\n" in out
    assert out.endswith("Plan: 1 to create, 0 to change, 0 to replace, 0 to delete. 2 unchanged.\n")
    assert err == "\nNext: labspec apply\n"
    assert engine.asked == {"targets": (), "replace": (), "destroy": False, "allow_missing": False}


def test_nothing_to_do(engine: Engine, labspec: Labspec) -> None:
    engine.plan = EMPTY
    assert labspec("plan") == (0, "No changes. The host matches the spec.\n", "")
    assert labspec("plan", "--destroy").out == "Nothing to destroy. The host has nothing of this lab.\n"


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_detailed_exit_code(json_too: tuple[str, ...], engine: Engine, labspec: Labspec) -> None:
    made = engine.plan
    assert labspec("plan", *json_too).code == 0
    assert labspec("plan", "--detailed-exitcode", *json_too).code == 2
    engine.plan = EMPTY
    assert labspec("plan", "--detailed-exitcode", *json_too).code == 0
    engine.plan = made._replace(problems=(Diagnostic("port 80 is taken"),))
    assert labspec("plan", "--detailed-exitcode", *json_too).code == 1
    assert labspec("plan", *json_too).code == 1


def test_what_is_asked_reaches_the_engine(engine: Engine, labspec: Labspec) -> None:
    labspec("plan", "labs/tp1", "--var", "a=1", "--var", "b=x=y", "--var", "c=", "--var-file", "v.yaml")
    assert engine.loaded == [(Path("labs/tp1"), {"a": "1", "b": "x=y", "c": ""}, (Path("v.yaml"),))]
    labspec("plan", "--target", "a.b", "--target", "c.d", "--replace", "e.f", "--destroy")
    assert engine.asked == {"targets": ("a.b", "c.d"), "replace": ("e.f",), "destroy": True, "allow_missing": False}


@pytest.mark.parametrize("arguments", [("-C", "there", "plan"), ("plan", "-C", "there")])
def test_another_folder(arguments: tuple[str, ...], engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert labspec(*arguments).code == 0
    assert Path.cwd() == tmp_path / "there"
    assert engine.loaded == [(None, {}, ())]


def test_steps(engine: Engine, labspec: Labspec) -> None:
    assert "docker volume create" not in labspec("plan").out
    assert "        1. docker volume create tp1_foo\n" in labspec("plan", "--steps").out
    assert "        1. docker volume create tp1_foo\n" in labspec("plan", "-v").out
    assert engine.loaded


def test_json_is_one_document(engine: Engine, labspec: Labspec) -> None:
    code, out, err = labspec("plan", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["summary"]["create"] == 1
    assert document["fingerprint"] == engine.plan.fingerprint


def test_a_refusal_of_the_engine(engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise LockedError("lab 'tp1' is being changed", hint="wait")

    assert engine.loaded == []
    monkeypatch.setattr("labspec.engine.workflow.make_plan", busy)
    assert labspec("plan") == (75, "", "error: lab 'tp1' is being changed\n      = wait\n")


class TestPlanFile:
    """plan -o FILE."""

    def test_what_it_holds(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        code, _, err = labspec(
            "plan", "-o", "tp1.plan", "--var", "a=1", "--var-file", "v.yaml", "--target", "volume.foo"
        )
        assert (code, err) == (0, "\nNext: labspec apply tp1.plan\n")
        path = tmp_path / "tp1.plan"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = json.loads(path.read_bytes())
        assert content["labspec_plan"] == 1
        assert "  +   volume.foo will be created: not on this host" in content["text"]
        assert content["plan"]["changes"][0]["address"] == "volume.foo"
        assert PlanFile.read(path) == PlanFile(
            spec=str(tmp_path / "lab.yaml"),
            variables={"a": "1"},
            variable_files=(str(tmp_path / "v.yaml"),),
            targets=("volume.foo",),
            replace=(),
            destroy=False,
            fingerprint=engine.plan.fingerprint,
        )

    def test_it_replaces_a_plan_but_nothing_else(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        for _ in range(2):
            assert labspec("plan", "-o", "tp1.plan").code == 0
        for content in ("labspec: 1\n", '{"labspec": 1}', "{", ""):
            (tmp_path / "lab.yaml").write_text(content)
            code, _, err = labspec("plan", "-o", "lab.yaml")
            assert code == 1
            assert "lab.yaml exists and is no plan file, so it stays as it is" in err
            assert (tmp_path / "lab.yaml").read_text() == content
        assert engine.loaded

    def test_it_follows_no_symlink(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        labspec("plan", "-o", "other.plan", "--target", "other")
        (tmp_path / "tp1.plan").symlink_to("other.plan")
        assert labspec("plan", "-o", "tp1.plan").code == 0
        other = PlanFile.read(tmp_path / "other.plan")
        assert other is not None
        assert other.targets == ("other",)
        assert engine.loaded

    def test_no_file_where_something_is_in_the_way(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        engine.plan = engine.plan._replace(problems=(Diagnostic("port 80 is taken"),))
        code, out, err = labspec("plan", "-o", "tp1.plan")
        assert code == 1
        assert "in the way: port 80 is taken" in out
        assert "the plan is not written to tp1.plan" in err
        assert not (tmp_path / "tp1.plan").exists()

    def test_no_folder(self, engine: Engine, labspec: Labspec) -> None:
        code, _, err = labspec("plan", "-o", "no/such.plan")
        assert code == 1
        assert "cannot write the plan to no/such.plan: No such file or directory" in err
        assert engine.loaded
