"""The section `units`: what is taken, what is refused and where, and what is started and enabled unasked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fakescope import FakeScope

from labspec.core.resource import Resource
from labspec.kinds.unit.model import NAME_PATTERN, SECTION


def made(name: str, entry: Any, root: Path | str = "/nowhere", **others: Any) -> tuple[Resource | None, list[str]]:
    scope = FakeScope({"units": {name: entry, **others}}, root)
    found = list(SECTION.resources(name, entry, scope)) if SECTION.check(name, entry, scope) else []
    return (found[0] if found else None), scope.lines()


def unit(name: str, entry: Any, **others: Any) -> Resource:
    resource, told = made(name, entry, **others)
    assert told == []
    assert resource is not None
    return resource


def refused(name: str, entry: Any, root: Path | str = "/nowhere") -> str:
    _, told = made(name, entry, root)
    assert len(told) == 1, told
    return told[0]


WEB = {
    "Unit": {"Description": "100% $HOME", "After": ["network.target", "docker.service"]},
    "Service": {"ExecStart": ["", "/bin/sleep 9"], "Restart": "always", "Nice": 3, "PrivateTmp": True},
    "Install": {"WantedBy": "multi-user.target"},
}


def test_a_service_is_a_file_with_a_state() -> None:
    resource = unit("web.service", WEB)
    assert resource.address == "unit.web.service"
    assert resource.desired == {
        "path": "/etc/systemd/system/web.service",
        "sections": {
            "Unit.Description": ["100% $HOME"],
            "Unit.After": ["network.target", "docker.service"],
            "Service.ExecStart": ["", "/bin/sleep 9"],
            "Service.Restart": ["always"],
            "Service.Nice": ["3"],
            "Service.PrivateTmp": ["true"],
            "Install.WantedBy": ["multi-user.target"],
        },
        "state": "started",
        "enabled": True,
    }
    assert resource.options["text"] == (
        "# Made by labspec for lab 'tp' (unit.web.service); 'labspec destroy' puts back what was here.\n"
        "[Unit]\nDescription=100% $HOME\nAfter=network.target\nAfter=docker.service\n\n"
        "[Service]\nExecStart=\nExecStart=/bin/sleep 9\nRestart=always\nNice=3\nPrivateTmp=true\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def test_a_drop_in_adds_to_a_unit_and_leaves_its_state_alone() -> None:
    resource = unit("docker.service", {"dropin": "more", "Service": {"LimitNOFILE": 65536}})
    assert resource.desired == {
        "path": "/etc/systemd/system/docker.service.d/more.conf",
        "sections": {"Service.LimitNOFILE": ["65536"]},
    }


def test_state_alone_is_no_file() -> None:
    resource = unit("cron.service", {"state": "stopped", "enabled": False})
    assert resource.desired == {"state": "stopped", "enabled": False}
    assert resource.options["path"] is None


ONESHOT = {"Service": {"Type": "oneshot", "ExecStart": "/bin/true"}}
SLEEP = {"Service": {"ExecStart": "/bin/sleep 9"}}


@pytest.mark.parametrize(
    ("name", "entry", "others", "state"),
    [
        ("a.service", SLEEP, {}, "started"),
        ("a.service", {"state": "stopped", **SLEEP}, {}, "stopped"),
        ("a.service", ONESHOT, {}, None),
        ("a.service", {"Service": {**ONESHOT["Service"], "RemainAfterExit": True}}, {}, "started"),
        ("a@.service", SLEEP, {}, None),
        ("a.timer", {"Timer": {"OnCalendar": "daily"}}, {}, "started"),
        ("a.service", SLEEP, {"a.timer": {"Timer": {"OnCalendar": "daily"}}}, None),
        ("a.service", SLEEP, {"b.timer": {"Timer": {"OnCalendar": "daily", "Unit": "a.service"}}}, None),
        ("a.service", SLEEP, {"a.timer": {"Timer": {"OnCalendar": "daily", "Unit": "b.service"}}}, "started"),
        ("a.service", SLEEP, {"a.socket": {"Socket": [{"ListenStream": 1}]}}, None),
        ("a.service", SLEEP, {"b.socket": {"Socket": [{"ListenStream": 1}, {"Service": "a.service"}]}}, None),
        ("a.mount", {"Mount": {"What": "x", "Where": "/a"}}, {"a.automount": {"Automount": {"Where": "/a"}}}, None),
    ],
)
def test_what_is_started_unasked(name: str, entry: Any, others: dict[str, Any], state: str | None) -> None:
    assert unit(name, entry, **others).desired.get("state") == state


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("a.service", {}, "says nothing"),
        ("a.service", {"service": {}}, "unknown key 'service' in unit 'a.service' = did you mean 'Service'?"),
        ("a.service", {"Servce": {}}, "did you mean 'Service'?"),
        ("a.service", {"Timer": {}}, "a service has no section 'Timer'"),
        ("a.target", {"Service": {}}, "a target has no section 'Service'"),
        ("a.service", {"enable": True}, "did you mean 'enabled'?"),
        ("a.service", {"state": "running"}, "expected started or stopped"),
        ("a.service", {"Service": {"Exec Start": "x"}}, "Exec Start"),
        ("a.service", {"Service": {"ExecStart": "a\nExecStartPre=+/bin/sh"}}, "line break"),
        ("a.service", {"Service": {"ExecStart": ["a", "b\\"]}}, "backslash at the end"),
        ("a.service", {"Service": {"ExecStart": [{"a": 1}]}}, "expected"),
        ("a.service", {"Service": {"ExecStart": []}}, "at least 1"),
        ("a.service", {"Service": {"ExecStart": None}}, "found nothing"),
        ("a.service", {"X-Mine": {"A": "b\nc"}}, "line break"),
        ("a.service", {"X-Mine\n[Service]": {"A": "b"}}, "unknown key"),
        ("a.service", {"enabled": True, **SLEEP}, "does not say by what"),
        ("a.service", {**SLEEP, "Install": {"WantedBy": "multi-user.targt"}}, "= did you mean 'multi-user.target'?"),
        ("a.service", {**SLEEP, "Install": {"Also": ["b.service c"]}}, "'c' in Also of unit 'a.service' is no name"),
        ("a.service", {"dropin": "x"}, "has nothing in it"),
        ("a.service", {"dropin": "../x", **SLEEP}, "of the form"),
        ("a.service", {"file": "a.service", **SLEEP}, "has both file and [Service]"),
        ("a@.service", {"state": "started", **SLEEP}, "a template cannot be started"),
    ],
)
def test_mistakes(name: str, entry: Any, said: str) -> None:
    assert said in refused(name, entry)


def test_what_enables_a_unit_may_be_an_instance_or_a_device() -> None:
    names = ["getty@tty1.service", "%i.target", "dev-ttyS0.device", r"srv-my\\x20data.mount"]
    unit("a.service", {**SLEEP, "Install": {"WantedBy": " ".join(names), "Alias": "b.service"}})


def test_a_mistake_stands_at_its_value() -> None:
    told = refused("a.service", {"Service": {"ExecStartPre": ["/bin/true", "a\nb"]}})
    assert told.startswith("units.a.service.Service.ExecStartPre.1: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[Service]\nExecStart\n", "a.service:2: 'ExecStart' is no setting"),
        (b"\xff", "no text in UTF-8"),
        (b"# nothing\n", "has no settings"),
        (b"[Service]\nExecStart=a\x1bb\n", "a.service:2: control character"),
    ],
)
def test_a_file_that_systemd_would_not_read_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.service").write_bytes(content)
    assert said in refused("a.service", {"file": "a.service"}, tmp_path)


def test_a_file_stays_as_it_is_below_the_remark(tmp_path: Path) -> None:
    content = "[Service]\n# why\nExecStart=/bin/echo a \\\n  b\n\n[Install]\nWantedBy=x.target\n"
    (tmp_path / "a.service").write_text(content)
    resource, told = made("a.service", {"file": "a.service"}, tmp_path)
    assert told == []
    assert resource is not None
    assert resource.options["text"].partition("\n")[2] == content
    assert resource.desired["sections"]["Service.ExecStart"] == ["/bin/echo a    b"]
    assert resource.options["places"] == {"Service.ExecStart": [3, 1], "Install.WantedBy": [7, 1]}


@pytest.mark.parametrize(
    "name", ["a.service", "a@.service", "a@b.service", "srv-my\\x2ddata.mount", "dbus-org.x1.service"]
)
def test_names_of_units(name: str) -> None:
    assert re.fullmatch(NAME_PATTERN[1:-1], name)


@pytest.mark.parametrize(
    "name", ["a", "a.conf", "-a.service", "../a.service", "a b.service", "a.service\n", ".service"]
)
def test_names_of_no_units(name: str) -> None:
    assert not re.fullmatch(NAME_PATTERN[1:-1], name)


def test_the_schema_takes_what_the_section_takes() -> None:
    valid = jsonschema_rs.validator_for(SECTION.schema()).is_valid
    assert valid(WEB)
    assert valid({"X-Mine": {"A": "b"}, "Socket": [{"ListenStream": 1}, {"ListenDatagram": [1, "2"]}]})
    assert not valid({"Servce": {"A": "b"}})
    assert not valid({"Service": {"A B": "b"}})
    assert not valid({"state": "running"})
