"""labspec apply and destroy: the question, the answer, the exit code, and plan files that say no more than they may."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labspec.core.change import Plan
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from conftest import Engine, Result

    Labspec = Callable[..., Result]


class Terminal(io.StringIO):
    """A stdin that is a terminal."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(text))


def test_approved(engine: Engine, labspec: Labspec) -> None:
    code, out, err = labspec("apply", "-y")
    assert code == 0
    assert out.splitlines()[2] == "  +   volume.foo will be created: not on this host"
    assert out.splitlines()[-1] == "Applied: 1 created, in 1.5 s."
    assert err.splitlines() == [
        "volume.foo: docker volume create tp1_foo ...",
        "volume.foo: docker volume create tp1_foo done in 1.2 s [1/1]",
    ]
    assert engine.asked == {
        "targets": (),
        "replace": (),
        "destroy": False,
        "allow": frozenset(),
        "wait": False,
        "expected": None,
        "allow_missing": False,
        "confirm_within": 0,
    }


def test_what_is_asked_reaches_the_engine(engine: Engine, labspec: Labspec) -> None:
    labspec(
        "apply", "-y", "--target", "a.b", "--replace", "c.d", "--allow", "socket", "--allow", "privileged", "--wait"
    )
    assert engine.asked == {
        "targets": ("a.b",),
        "replace": ("c.d",),
        "destroy": False,
        "allow": frozenset({"socket", "privileged"}),
        "wait": True,
        "expected": None,
        "allow_missing": False,
        "confirm_within": 0,
    }
    labspec("destroy", "-y", "--target", "a.b")
    assert engine.asked["destroy"] is True
    assert engine.asked["targets"] == ("a.b",)


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_without_a_terminal_nobody_can_be_asked(command: str, engine: Engine, labspec: Labspec) -> None:
    code, out, err = labspec(command)
    assert code == 1
    assert "volume.foo will be created" in out
    assert err == (
        f"error: {command} needs your 'yes', and there is no terminal to ask on\n"
        f"      = look at the plan above, then run 'labspec {command} -y'\n"
    )
    assert engine.asked


@pytest.mark.parametrize("answer", ["yes\n", "  yes  \n", "yes"])
def test_yes(answer: str, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, answer)
    code, out, err = labspec("apply")
    assert code == 0
    assert "Applied: 1 created" in out
    assert "Apply these changes? Only 'yes' goes on: " in err
    assert engine.asked


@pytest.mark.parametrize("answer", ["no\n", "y\n", "YES\n", "\n", "", "yes please\n"])
@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_anything_else(
    command: str, answer: str, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, answer)
    code, out, err = labspec(command)
    assert code == 1
    assert err.endswith(f"Nothing was changed: {command} was not confirmed.\n")
    assert "Applied" not in out
    assert engine.asked


def test_an_empty_plan_asks_nothing(engine: Engine, labspec: Labspec) -> None:
    engine.plan = Plan("tp1", unchanged=2)
    engine.outcome = lambda plan, _stop, _event: outcome(plan, applied=False)
    assert labspec("apply") == (0, "No changes. The host matches the spec.\n", "")
    assert labspec("destroy") == (0, "Nothing to destroy. The host has nothing of this lab.\n", "")


def outcome(plan: Plan, **rest: Any) -> Any:
    from labspec.engine.executor import Outcome

    given = {"done": 0, "failed": (), "skipped": 0, "interrupted": False, "seconds": 2.0, "applied": True, **rest}
    return Outcome(plan=plan, **given)


def test_a_step_that_failed(engine: Engine, labspec: Labspec) -> None:
    failed = (("volume.foo", LabError("no space left", hint="free some")),)
    engine.outcome = lambda plan, _stop, _event: outcome(plan, done=3, failed=failed, skipped=2)
    code, out, err = labspec("apply", "-y")
    assert code == 1
    assert "Applied" not in out
    assert err.splitlines() == [
        "volume.foo: error: no space left",
        "      = free some",
        "Apply failed: 3 steps done, 1 failed, 2 not started, in 2.0 s.",
        "What is done stays done: the next 'apply' goes on from there; 'labspec plan' shows what is left.",
    ]


def test_interrupted(engine: Engine, labspec: Labspec) -> None:
    engine.outcome = lambda plan, _stop, _event: outcome(plan, done=1, skipped=4, interrupted=True)
    code, _, err = labspec("destroy", "-y")
    assert code == 130
    assert "Interrupted: 1 step done, 0 failed, 4 not started, in 2.0 s." in err
    assert "the next 'destroy' goes on from there" in err


class TestJson:
    """apply --json: one object a line."""

    def test_lines(self, engine: Engine, labspec: Labspec) -> None:
        code, out, err = labspec("apply", "-y", "--json")
        assert (code, err) == (0, "")
        plan, start, done, last = map(json.loads, out.splitlines())
        assert [plan["type"], start["type"], done["type"], last["type"]] == ["plan", "step", "step", "outcome"]
        assert plan["changes"][0]["address"] == "volume.foo"
        assert [start["event"], done["event"], done["seconds"]] == ["start", "done", 1.25]
        assert last == {
            "format": 1,
            "type": "outcome",
            "applied": True,
            "done": 1,
            "failed": [],
            "skipped": 0,
            "interrupted": False,
            "seconds": 1.5,
            "taken_back": [],
        }
        assert engine.asked

    def test_it_asks_no_questions(self, engine: Engine, labspec: Labspec) -> None:
        code, out, _ = labspec("apply", "--json")
        assert code == 1
        assert json.loads(out)["diagnostics"][0]["message"] == "'apply --json' asks no questions"
        assert not engine.asked

    def test_failure(self, engine: Engine, labspec: Labspec) -> None:
        failed = (("volume.foo", LabError("no space left")),)
        engine.outcome = lambda plan, _stop, _event: outcome(plan, failed=failed)
        code, out, _ = labspec("apply", "-y", "--json")
        assert code == 1
        last = json.loads(out.splitlines()[-1])
        assert last["failed"] == [{"address": "volume.foo", "diagnostics": [{"message": "no space left"}]}]

    def test_a_reader_that_went_away_stops_the_apply(
        self, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from labspec.engine.executor import Event

        def gone(*_: object) -> None:
            raise BrokenPipeError

        seen: list[bool] = []

        def during(plan: Plan, stop: threading.Event, on_event: Callable[[Any], None]) -> Any:
            monkeypatch.setattr("labspec.report.progress.JsonLines.__call__", gone)
            on_event(Event("start", 0, 1, "volume.foo", "x", 0.0, None))
            seen.append(stop.is_set())
            return outcome(plan, interrupted=True)

        engine.outcome = during
        assert labspec("apply", "-y", "--json").code == 130
        assert seen == [True]


class TestPlanFile:
    """apply FILE."""

    def make(self, labspec: Labspec, *arguments: str) -> Path:
        assert labspec("plan", "-o", "tp1.plan", *arguments).code == 0
        return Path("tp1.plan")

    def test_it_is_applied_without_a_question(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        self.make(labspec, "--var", "a=1", "--var-file", "v.yaml", "--target", "x.y", "--replace", "z.z")
        code, out, _ = labspec("apply", "tp1.plan", "--allow", "socket", "--wait")
        assert code == 0
        assert "Applied: 1 created" in out
        assert engine.loaded[-1] == (tmp_path / "lab.yaml", {"a": "1"}, (tmp_path / "v.yaml",))
        assert engine.asked == {
            "targets": ("x.y",),
            "replace": ("z.z",),
            "destroy": False,
            "allow": frozenset({"socket"}),
            "wait": True,
            "expected": engine.plan.fingerprint,
            "allow_missing": False,
            "confirm_within": 0,
        }

    def test_from_another_folder(self, engine: Engine, labspec: Labspec, tmp_path: Path) -> None:
        path = self.make(labspec).absolute()
        (tmp_path / "else").mkdir()
        assert labspec("-C", "else", "apply", str(path)).code == 0
        assert engine.loaded[-1][0] == tmp_path / "lab.yaml"

    def test_of_a_destroy(self, engine: Engine, labspec: Labspec) -> None:
        self.make(labspec, "--destroy")
        code, out, _ = labspec("apply", "tp1.plan")
        assert code == 0
        assert out.splitlines()[0] == "To remove lab tp1 from this host, labspec plans these changes:"
        assert out.splitlines()[-1].startswith("Destroyed: ")
        assert engine.asked["destroy"] is True

    def test_nothing_in_it_is_executed_or_allowed(self, engine: Engine, labspec: Labspec) -> None:
        path = self.make(labspec)
        content = json.loads(path.read_bytes())
        content["plan"]["changes"][0]["steps"] = ["rm -rf /"]
        content["text"] = ["nothing to see"]
        content["allow"] = ["privileged"]
        path.write_text(json.dumps(content))
        _, out, _ = labspec("apply", "tp1.plan", "--steps")
        assert "rm -rf" not in out
        assert "nothing to see" not in out
        assert "1. docker volume create tp1_foo" in out
        assert engine.asked["allow"] == frozenset()

    @pytest.mark.parametrize(
        "given",
        [("--var", "a=1"), ("--var-file", "v"), ("--target", "a"), ("--replace", "a")],
        ids=lambda given: given[0],
    )
    def test_it_says_it_all_already(self, given: tuple[str, str], engine: Engine, labspec: Labspec) -> None:
        self.make(labspec)
        engine.asked = {}
        code, _, err = labspec("apply", "tp1.plan", *given)
        assert code == 1
        assert err.startswith(f"error: {given[0]} cannot go with a plan file")
        assert engine.asked == {}

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("labspec_plan", 2),
            ("labspec_plan", None),
            ("spec", None),
            ("spec", ["lab.yaml"]),
            ("variables", {"a": 1}),
            ("variables", []),
            ("variable_files", "v"),
            ("targets", [1]),
            ("replace", None),
            ("destroy", "yes"),
            ("fingerprint", ""),
            ("fingerprint", None),
        ],
    )
    def test_a_broken_one_is_refused(self, key: str, value: object, engine: Engine, labspec: Labspec) -> None:
        path = self.make(labspec)
        content = json.loads(path.read_bytes())
        content[key] = value
        path.write_text(json.dumps(content))
        engine.asked = {}
        code, _, err = labspec("apply", "tp1.plan")
        assert code == 1
        assert err.startswith("error: tp1.plan")
        assert "make it again with 'labspec plan -o FILE'" in err
        assert engine.asked == {}

    def test_a_spec_written_as_json_is_a_spec(self, engine: Engine, labspec: Labspec) -> None:
        Path("lab.json").write_text('{"labspec": 1}')
        assert labspec("apply", "lab.json", "-y").code == 0
        assert engine.loaded[-1][0] == Path("lab.json")
        assert engine.asked["expected"] is None

    def test_an_old_one_is_refused_by_the_engine(
        self, engine: Engine, labspec: Labspec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.make(labspec)

        def changed(*_: object, expected: str, **__: object) -> None:
            raise LabError(f"not {expected} any more", hint="plan again")

        monkeypatch.setattr("labspec.engine.workflow.apply", changed)
        code, _, err = labspec("apply", "tp1.plan")
        assert (code, err) == (1, "error: not abc123 any more\n      = plan again\n")
        assert engine.loaded
