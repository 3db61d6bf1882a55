"""What is done to a unit, as text: written, linked, restarted only where it must be, and put back."""

from __future__ import annotations

from typing import Any

import pytest
from fakescope import FakeScope

from labspec.core.change import Change, Preview
from labspec.core.diff import digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.unit.dangers import unit_dangers
from labspec.kinds.unit.effects import restart_verb
from labspec.kinds.unit.live import LIVE, observed
from labspec.kinds.unit.model import SECTION
from labspec.kinds.unit.reading import state_of

LAB = Lab("tp", "/labs/tp", "/labs/tp/lab.yaml")
WEB: dict[str, Any] = {
    "Unit": {"Description": "web"},
    "Service": {"ExecStart": "/bin/sleep 9", "Nice": 3},
    "Install": {"WantedBy": "multi-user.target"},
}
PATH = "/etc/systemd/system/lsp-test.service"
RUNS = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "FragmentPath": PATH}
LINKS = {"/etc/systemd/system/multi-user.target.wants/lsp-test.service": PATH}


def desired(entry: dict[str, Any], name: str = "lsp-test.service") -> Resource:
    scope = FakeScope({"units": {name: entry}})
    assert SECTION.check(name, entry, scope), scope.lines()
    (resource,) = SECTION.resources(name, entry, scope)
    return resource


def live(applied: dict[str, Any], name: str = "lsp-test.service", **more: Any) -> Observed:
    """Return the unit that an earlier apply of an entry has made, and that is as it left it, but for `more`."""
    resource = desired(applied, name)
    journal: dict[str, Any] = {"kind": "unit", "applied": digests(resource.desired), "family": [name]}
    given = {"content": resource.options["text"], "shown": RUNS, "linked": LINKS, "entry": journal, **more}
    return observed(name, resource.address, resource.options["path"], **given)


def change(wanted: Resource | None, found: Observed | None, *, anew: bool = False) -> Change | None:
    asked = frozenset({wanted.address}) if wanted and anew else frozenset()
    return LIVE.change(wanted, found, Preview(replace=asked), LAB)


def steps(wanted: Resource | None, found: Observed | None, *, anew: bool = False) -> list[str]:
    made = change(wanted, found, anew=anew)
    return [str(step) for step in made.steps] if made else []


def with_(section: str, **keys: Any) -> dict[str, Any]:
    return {**WEB, section: {**WEB[section], **keys}}


def test_a_new_one_is_written_linked_read_and_started() -> None:
    assert steps(desired(WEB), None) == [
        f"write {PATH}, systemctl enable lsp-test.service",
        "systemctl daemon-reload",
        "systemctl start lsp-test.service",
    ]


def test_one_that_is_as_it_should_be_is_left_alone() -> None:
    assert steps(desired(WEB), live(WEB)) == []


RESTART = "systemctl restart lsp-test.service"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (with_("Unit", Description="other"), [f"write {PATH}", "systemctl daemon-reload"]),
        (with_("Service", Nice=4), [f"write {PATH}", "systemctl daemon-reload", RESTART]),
        (
            with_("Install", WantedBy="graphical.target"),
            [f"write {PATH}, systemctl reenable lsp-test.service", "systemctl daemon-reload"],
        ),
        ({**WEB, "enabled": False}, ["systemctl disable lsp-test.service", "systemctl daemon-reload"]),
        ({**WEB, "state": "stopped"}, ["systemctl stop lsp-test.service"]),
        (
            {**with_("Service", Nice=4), "state": "stopped"},
            [f"write {PATH}", "systemctl daemon-reload", "systemctl stop lsp-test.service"],
        ),
    ],
)
def test_only_what_changed_is_done(entry: dict[str, Any], expected: list[str]) -> None:
    assert steps(desired(entry), live(WEB)) == expected


def test_keys_that_change_places_are_a_change() -> None:
    turned = {**WEB, "Service": dict(reversed(WEB["Service"].items()))}
    made = change(desired(turned), live(WEB))
    assert made
    assert [diff.path for diff in made.diffs] == ["order"]
    assert str(made.steps[0]) == f"write {PATH}"


def test_a_stopped_one_is_started_and_nothing_else() -> None:
    made = change(desired(WEB), live(WEB, shown={**RUNS, "ActiveState": "inactive"}))
    assert made
    assert (made.action.word, [str(step) for step in made.steps]) == ("start", ["systemctl start lsp-test.service"])


def test_a_hand_edit_is_drift_and_a_comment_is_not() -> None:
    text = desired(WEB).options["text"]
    made = change(desired(WEB), live(WEB, content=text.replace("Nice=3", "Nice=-5")))
    assert made
    assert [(diff.path, diff.before, diff.after, diff.cause.name) for diff in made.diffs] == [
        ("sections.Service.Nice", ["-5"], ["3"], "DRIFT")
    ]
    assert change(desired(WEB), live(WEB, content=text.replace("[Service]", "# mine\n[Service]"))) is None


def test_what_was_cut_short_is_finished() -> None:
    entry = {"applied": digests(desired(WEB).desired), "unfinished": True}
    assert steps(desired(WEB), live(WEB, entry=entry)) == ["systemctl daemon-reload", RESTART]
    assert steps(desired(WEB), live(WEB, shown={**RUNS, "NeedDaemonReload": "yes"})) == ["systemctl daemon-reload"]


def test_a_unit_that_is_to_be_stopped_is_not_restarted_after_what_was_cut_short() -> None:
    wanted = {**WEB, "state": "stopped"}
    entry = {"applied": digests(desired(wanted).desired), "unfinished": True}
    assert change(desired(wanted), live(wanted, shown={**RUNS, "ActiveState": "inactive"}, entry=entry)) is None


def test_what_the_spec_says_no_more_goes_back_to_what_it_was() -> None:
    both = {"state": "stopped", "enabled": False}
    before = {"active": True, "links": LINKS}
    entry = {"applied": digests(both), "before": before}
    stopped = {"shown": {**RUNS, "ActiveState": "inactive"}, "linked": {}, "content": None, "entry": entry}
    assert steps(desired({"enabled": False}), live(both, **stopped)) == ["systemctl start lsp-test.service"]
    assert steps(desired({"state": "stopped"}), live(both, **stopped)) == [
        "systemctl enable lsp-test.service",
        "systemctl daemon-reload",
    ]
    assert steps(None, live(both, **stopped))[-1] == "systemctl start lsp-test.service"


def test_replace_restarts() -> None:
    assert steps(desired(WEB), live(WEB), anew=True) == [RESTART]


def test_a_file_of_somebody_elses_is_replaced_and_said_so() -> None:
    made = change(desired(WEB), live(WEB, content="[Service]\nExecStart=/bin/old\n", entry=None))
    assert made
    assert made.action.word == "create"
    assert made.warnings == (
        f"replaces {PATH}; destroy puts it back as it is now",
        "lsp-test.service is restarted",
    )
    assert [str(step) for step in made.steps][-1] == RESTART


def test_a_drop_in_that_becomes_a_unit_is_put_back_first() -> None:
    before = {"dropin": "x", "Service": {"Nice": 3}}
    made = change(desired({"dropin": "y", "Service": {"Nice": 3}}), live(before))
    assert made
    assert made.action.word == "replace"
    said = [str(step) for step in made.steps]
    assert "remove /etc/systemd/system/lsp-test.service.d/x.conf" in said
    assert "write /etc/systemd/system/lsp-test.service.d/y.conf" in said


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            {"file": None, "active": False},
            ["systemctl stop X", f"remove {PATH}", "systemctl daemon-reload", "forget X"],
        ),
        (
            {"file": {"content": ""}, "active": False},
            ["systemctl stop X", f"put back {PATH} as it was", "systemctl daemon-reload", "forget X"],
        ),
        (
            {"link": "/dev/null", "active": True},
            [f"put back {PATH} as it was", "systemctl daemon-reload", "systemctl restart X"],
        ),
    ],
)
def test_it_is_put_back_as_it_was(before: dict[str, Any], expected: list[str]) -> None:
    found = live(WEB, entry={"kind": "unit", "applied": {}, "before": before})
    assert steps(None, found) == [line.replace("X", "lsp-test.service") for line in expected]


def test_one_that_is_not_the_labs_is_never_removed() -> None:
    assert steps(None, live(WEB, entry=None)) == []


@pytest.mark.parametrize(
    ("unit", "changed", "verb"),
    [
        ("a.service", ["Install.WantedBy"], None),
        ("a.service", ["Unit.Description", "Unit.After", "X-Mine.A", "Service.X-B"], None),
        ("a.service", ["Service.Restart"], None),
        ("a.service", ["Unit.Description", "Service.User"], "restart"),
        ("a.service", ["Unit.Requires"], "restart"),
        ("a.timer", ["Timer.OnCalendar"], "restart"),
        ("a.slice", ["Slice.MemoryMax"], None),
        ("a.target", ["Unit.Wants"], None),
        ("a.mount", ["Mount.Options"], "reload-or-restart"),
        ("a.mount", ["Mount.Options", "Mount.What"], "restart"),
    ],
)
def test_what_a_running_unit_needs(unit: str, changed: list[str], verb: str | None) -> None:
    assert restart_verb(unit, changed) == verb


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        ({"ActiveState": "active"}, "started"),
        ({"ActiveState": "activating", "SubState": "start"}, "started"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "failed"),
        ({"ActiveState": "failed"}, "failed"),
        ({"ActiveState": "inactive"}, "stopped"),
        ({}, "stopped"),
        (
            {"ActiveState": "inactive", "Type": "oneshot", "Result": "success", "ExecMainStartTimestampMonotonic": "5"},
            "started",
        ),
        (
            {"ActiveState": "inactive", "Type": "oneshot", "Result": "success", "ExecMainStartTimestampMonotonic": "0"},
            "stopped",
        ),
    ],
)
def test_what_systemd_calls_started(shown: dict[str, str], state: str) -> None:
    assert state_of(shown) == state


@pytest.mark.parametrize(("command", "dangerous"), [("+/bin/a", 1), ("-@!!/bin/a x", 1), ("-/bin/a +", 0), ("", 0)])
def test_a_command_that_no_user_restrains_is_a_danger(command: str, dangerous: int) -> None:
    resource = desired({"Service": {"ExecStartPre": ["/bin/true", command], "ExecStart": "/bin/a"}})
    assert [danger.name for danger in unit_dangers(resource)] == ["root-unit"] * dangerous


DOCKERD = "/usr/sbin/dockerd -H unix:///run/other.sock"
VERIFY = "--tlsverify --tlscacert=/c/ca.pem"


@pytest.mark.parametrize(
    ("name", "sections", "places"),
    [
        ("docker-tcp.service", {"Service": {"ExecStart": f"{DOCKERD} -H tcp://0.0.0.0:2375"}}, ["tcp://0.0.0.0:2375"]),
        (
            "own.service",
            {"Service": {"ExecStart": f"{DOCKERD} --host=tcp://:1 -H 'tcp://:2'"}},
            ["tcp://:1", "tcp://:2"],
        ),
        ("own.service", {"Service": {"ExecStart": f"{DOCKERD} -H tcp://:2376 {VERIFY}"}}, []),
        ("own.service", {"Service": {"ExecStart": f"{DOCKERD} -H tcp://:2376 --tlsverify=false"}}, ["tcp://:2376"]),
        ("docker.service", {"Service": {"Environment": '"DOCKER_OPTS=-H tcp://:2375"'}}, ["tcp://:2375"]),
        ("own.service", {"Service": {"ExecStart": DOCKERD}}, []),
        ("web.service", {"Service": {"ExecStart": "/bin/serve tcp://:80"}}, []),
        ("docker.socket", {"Socket": {"ListenStream": ["/run/docker.sock", "2375"]}}, ["2375"]),
        ("lab.socket", {"Socket": {"ListenStream": "127.0.0.1:1", "Service": "docker.service"}}, ["127.0.0.1:1"]),
        ("web.socket", {"Socket": {"ListenStream": "80"}}, []),
        ("r.service", {"Service": {"ExecStart": "/bin/socat TCP-LISTEN:1,fork UNIX:/run/docker.sock"}}, ["its port"]),
        ("r.service", {"Service": {"ExecStart": "/lib/systemd/systemd-socket-proxyd /run/docker.sock"}}, ["its port"]),
    ],
)
def test_an_api_of_docker_for_anybody_is_a_danger(name: str, sections: dict[str, Any], places: list[str]) -> None:
    found = [danger for danger in unit_dangers(desired(sections, name)) if danger.name == "tcp-daemon"]
    assert [danger.message.split(" is root")[0].removeprefix("whoever reaches ") for danger in found] == places
