"""What a spec may say of the daemon, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope

from labspec.core.resource import Resource
from labspec.kinds.daemon.live import LIVE
from labspec.kinds.daemon.model import SECTION


def made(name: str, entry: Any, root: Path | str = "/nowhere") -> tuple[list[Resource], list[str]]:
    scope = FakeScope({"daemon": {name: entry}}, root)
    found = list(SECTION.resources(name, entry, scope)) if SECTION.check(name, entry, scope) else []
    return found, scope.lines()


def test_settings_and_service_are_two_resources() -> None:
    (settings,), told = made("settings", {"debug": True, "log-opts": {"max-size": "10m"}})
    assert told == []
    assert settings.address == "daemon.settings"
    assert settings.desired == {"settings": {"debug": True, "log-opts": {"max-size": "10m"}}}
    (service,), told = made("service", {"state": "started", "enabled": True})
    assert (service.address, service.desired, told) == ("daemon.service", {"state": "started", "enabled": True}, [])


@pytest.mark.parametrize(
    ("name", "entry", "told"),
    [
        ("setings", {}, "daemon.setings (key): unknown key 'setings' in daemon = did you mean 'settings'?"),
        (
            "settings",
            {"userns-remp": "x"},
            "daemon.settings.userns-remp (key): unknown key 'userns-remp' in daemon.settings"
            " = did you mean 'userns-remap'?",
        ),
        ("settings", {"mtu": "big"}, "daemon.settings.mtu: expected a whole number, found text 'big'"),
        ("settings", {"debug": "yes"}, "daemon.settings.debug: expected true or false, found text 'yes'"),
        (
            "settings",
            {"log-opts": {"max-file": 3}},
            "daemon.settings.log-opts.max-file: expected text, found the number 3 = put it in quotes",
        ),
        (
            "settings",
            {"hosts": ["0.0.0.0:2375"]},
            "daemon.settings.hosts.0: '0.0.0.0:2375' is no place to listen at"
            " = write unix:///path, tcp://ADDRESS:PORT or fd://",
        ),
        (
            "settings",
            {"userns-remap": "a b"},
            "daemon.settings.userns-remap: 'a b' names no user = write USER, USER:GROUP or default",
        ),
        (
            "settings",
            {"x-unchecked": {"debug": True}},
            "daemon.settings.x-unchecked.debug (key): labspec knows the key 'debug' = write it beside the others",
        ),
        ("service", {"state": "up"}, "daemon.service.state: expected started or stopped, found text 'up'"),
    ],
)
def test_mistakes_are_told_at_their_place(name: str, entry: Any, told: str) -> None:
    assert made(name, entry)[1] == [told]


def test_unchecked_keys_are_taken_as_they_are() -> None:
    (settings,), told = made("settings", {"debug": True, "x-unchecked": {"of-the-future": [1]}})
    assert told == []
    assert settings.desired == {"settings": {"debug": True, "of-the-future": [1]}}


def test_a_profile_of_the_lab_is_copied_beside_daemon_json(tmp_path: Path) -> None:
    text = '{"defaultAction": "SCMP_ACT_ALLOW"}'
    (tmp_path / "my profile.json").write_text(text)
    (settings,), told = made("settings", {"seccomp-profile": "./my profile.json"}, tmp_path)
    place = "/etc/docker/labspec-tp-my_profile.json"
    assert told == []
    assert settings.desired == {"settings": {"seccomp-profile": place}, "files": {place: text}}


@pytest.mark.parametrize("value", ["unconfined", "builtin", "/etc/docker/mine.json"])
def test_other_profiles_are_left_as_they_are(value: str) -> None:
    (settings,), told = made("settings", {"seccomp-profile": value})
    assert (settings.desired, told) == ({"settings": {"seccomp-profile": value}}, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1, column 2: expecting property name"),
        ("[]", "it is no JSON object"),
        ("{}", "it has no defaultAction"),
        ('{"defaultAction": "SCMP_ACT_ALOW"}', "did you mean 'SCMP_ACT_ALLOW'?"),
    ],
)
def test_a_profile_that_is_none_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "p.json").write_text(content)
    _, (told,) = made("settings", {"seccomp-profile": "p.json"}, tmp_path)
    assert told.startswith("daemon.settings.seccomp-profile: 'p.json' is no seccomp profile: ")
    assert said in told


def test_the_schema_describes_every_key() -> None:
    forms = SECTION.schema()["$defs"]
    assert set(forms) == set(SECTION.entries)
    assert all(key.get("description") for form in forms.values() for key in form["properties"].values())


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"hosts": ["tcp://0.0.0.0:2375"]}, ["tcp-daemon"]),
        ({"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": True}, []),
        ({"hosts": ["unix:///run/d.sock"]}, []),
        ({"seccomp-profile": "unconfined"}, ["unconfined"]),
        ({"insecure-registries": ["r:5000"]}, ["insecure-registries"]),
        ({"debug": True}, []),
    ],
)
def test_dangers_are_named(settings: dict[str, Any], names: list[str]) -> None:
    (resource,), _ = made("settings", settings)
    assert [danger.name for danger in LIVE.dangers(resource)] == names
