"""Pods planned, started, found again, replaced and removed, with the stand-in for rkt."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click import unstyle
from rktpods import ALLOW, LoadPods, kill
from rktspecs import SEED

from labspec.core.change import Action
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.engine.executor import Outcome
from labspec.host.host import Host
from labspec.report.plan import plan_lines


def apply(lab: Lab, host: Host, destroy: bool = False) -> Outcome:
    outcome = workflow.apply(lab, host, allow=ALLOW, destroy=destroy)
    assert outcome.failed == ()
    return outcome


def alive(folder: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def actions(lab: Lab, host: Host) -> list[tuple[str, Action, str]]:
    return [(change.address, change.action, change.reason) for change in workflow.make_plan(lab, host).changes]


def test_two_applies_one_pod(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    first = alive(pods)
    assert len(first) == 1
    assert not apply(lab, machine).applied
    assert alive(pods) == first
    (pod,) = first.values()
    assert pod["labels"] == {"labspec.id": "tp1/rkt.sleeper"}
    assert Path(f"/proc/{pod['pid']}/cmdline").read_bytes() == b"/bin/sleep\x009999\x00"


def test_destroy_removes_that_pod_only(pods_of: LoadPods, pods: Path, machine: Host, tmp_path: Path) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    (own,) = alive(pods)
    line = [*["systemd-run", "--unit=other", "--collect", "rkt", "--insecure-options=image", "run", "docker://alpine"]]
    subprocess.run([*line, "--user-label=labspec.id=tp2/rkt.sleeper", "--exec", "/bin/sleep", "--", "99"], check=True)
    _wait_for(pods, 2)
    apply(lab, machine, destroy=True)
    (left,) = alive(pods)
    assert left != own
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "state" / "tp1").exists()
    assert [path.name for path in (tmp_path / "units").glob("*.service")] == ["other.service"]


def test_a_changed_spec_makes_a_new_pod(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    apply(pods_of(sleeper=SEED), machine)
    (old,) = alive(pods)
    lab = pods_of(sleeper={**SEED, "args": ["888"]})
    plan = workflow.make_plan(lab, machine)
    (change,) = plan.changes
    assert (change.action, change.reason) == (Action.REPLACE, "args changed in the spec")
    assert [(diff.path, diff.before, diff.after) for diff in change.diffs] == [("args", ["9999"], ["888"])]
    apply(lab, machine)
    (new,) = alive(pods)
    assert new != old
    assert actions(lab, machine) == []


def test_a_pod_that_has_ended_is_made_anew(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    ((old, pod),) = alive(pods).items()
    kill(pod["pid"])
    reason = "the pod has ended, and rkt starts no pod twice: a new one"
    assert actions(lab, machine) == [("rkt.sleeper", Action.START, reason)]
    assert [(row.address, row.state) for row in workflow.status(lab, machine)] == [("rkt.sleeper", "stopped")]
    apply(lab, machine)
    assert list(alive(pods)) != [old]
    assert actions(lab, machine) == []


def test_a_pod_that_runs_once_may_have_ended(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    lab = pods_of(hello={**SEED, "exec": "/bin/true", "args": [], "once": True})
    apply(lab, machine)
    assert len(alive(pods)) == 1
    assert actions(lab, machine) == []


def test_a_pod_that_somebody_removed_is_forgotten(pods_of: LoadPods, pods: Path, machine: Host, tmp_path: Path) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    ((identity, pod),) = alive(pods).items()
    kill(pod["pid"])
    (pods / f"{identity}.json").unlink()
    assert actions(lab, machine) == [("rkt.sleeper", Action.CREATE, "not on this host")]
    apply(lab, machine, destroy=True)
    assert not (tmp_path / "state" / "tp1").exists()


def test_without_a_journal_it_is_found_by_its_label(
    pods_of: LoadPods, pods: Path, machine: Host, tmp_path: Path
) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    (tmp_path / "state" / "tp1" / "journal.json").unlink()
    assert actions(lab, machine) == []
    changed = pods_of(sleeper={**SEED, "args": ["7"]})
    assert [action for _, action, _ in actions(changed, machine)] == [Action.REPLACE]
    apply(lab, machine, destroy=True)
    assert alive(pods) == {}


def test_one_pod_too_many_goes(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    lab = pods_of(sleeper=SEED)
    apply(lab, machine)
    (kept,) = alive(pods)
    copy = {**alive(pods)[kept], "uuid": "00000000-0000-4000-8000-000000000000", "created_at": 1, "pid": 2**22 + 1}
    (pods / f"{copy['uuid']}.json").write_text(json.dumps(copy))
    assert actions(lab, machine) == [("rkt.sleeper", Action.UPDATE, "1 more pod has its label")]
    apply(lab, machine)
    assert list(alive(pods)) == [kept]


@pytest.mark.usefixtures("pods")
def test_a_pod_that_is_gone_meanwhile_is_no_failure(machine: Host) -> None:
    from labspec.kinds.rkt.steps import RemovePod

    RemovePod("tp1", "labspec-tp1-sleeper", "deadbeef").run(machine)


def test_a_program_that_there_is_not_is_told(pods_of: LoadPods, pods: Path, machine: Host) -> None:
    lab = pods_of(sleeper={**SEED, "exec": "/bin/nosuch"})
    outcome = workflow.apply(lab, machine, allow=ALLOW)
    assert len(outcome.failed) == 1
    assert 'can\'t execute "/bin/nosuch": no such file or directory' in str(outcome.failed[0][1])
    assert actions(lab, machine)[0][1] is not None
    apply(lab, machine, destroy=True)
    assert alive(pods) == {}


def test_the_stage1_must_have_come_with_rkt(
    pods_of: LoadPods, pods: Path, machine: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labspec.host.rkt.STAGE1_FOLDERS", ())
    outcome = workflow.apply(pods_of(sleeper=SEED), machine, allow=ALLOW)
    assert "none came with it" in str(outcome.failed[0][1])
    assert alive(pods) == {}


@pytest.mark.usefixtures("pods")
def test_another_unit_of_that_name_is_in_the_way(pods_of: LoadPods, machine: Host) -> None:
    line = ["systemd-run", "--unit=labspec-tp1-sleeper", "--collect", "/bin/sleep", "99"]
    subprocess.run(line, check=True)
    (problem,) = workflow.make_plan(pods_of(sleeper=SEED), machine).problems
    assert "has a unit labspec-tp1-sleeper.service that is not this lab's" in problem.message
    unit = json.loads(Path(os.environ["SYSTEMD_STANDIN"], "labspec-tp1-sleeper.service").read_text())
    kill(unit["pid"])


@pytest.mark.usefixtures("pods")
def test_needs_the_danger_allowed(pods_of: LoadPods, machine: Host) -> None:
    with pytest.raises(LabError, match="stage1-fly isolates files only"):
        workflow.apply(pods_of(sleeper=SEED), machine)


def _wait_for(folder: Path, number: int) -> None:
    for _ in range(500):
        if len(alive(folder)) == number:
            return
        subprocess.run(["sleep", "0.02"], check=True)
    raise AssertionError("the pod was not started")


class TestMissing:
    """A host without rkt."""

    @pytest.fixture(autouse=True)
    def without_rkt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")

    def test_the_plan_says_what_to_install(self, pods_of: LoadPods, machine: Host) -> None:
        (problem,) = workflow.make_plan(pods_of(sleeper=SEED), machine).problems
        assert problem.message == "rkt.sleeper: rkt is not installed on this host"
        assert problem.hint is not None
        assert "rkt 1.30.0" in problem.hint
        assert "--allow-missing" in problem.hint
        assert problem.at is not None

    def test_nothing_is_applied(self, pods_of: LoadPods, machine: Host) -> None:
        with pytest.raises(LabError, match="rkt is not installed"):
            workflow.apply(pods_of(sleeper=SEED), machine, allow=ALLOW)

    def test_the_rest_goes_on_if_allowed(self, pods_of: LoadPods, machine: Host) -> None:
        plan = workflow.make_plan(pods_of(sleeper=SEED), machine, allow_missing=True)
        assert plan.empty
        assert plan.problems == ()
        assert [left.message for left in plan.left_out] == ["rkt.sleeper: rkt is not installed on this host"]
        assert "! left out: rkt.sleeper: rkt is not installed on this host" in map(unstyle, plan_lines(plan))
        assert not workflow.apply(pods_of(sleeper=SEED), machine, allow_missing=True).applied
