"""The table of daemon.json's keys: versions, flags, and what needs a restart."""

from __future__ import annotations

import pytest

from labspec.kinds.daemon.keys import KEYS, engine_version, flag_keys, needs_restart, unknown_to
from labspec.kinds.daemon.running import exec_start
from labspec.kinds.daemon.trial import complaint


@pytest.mark.parametrize(
    ("text", "version"),
    [("26.1.5+dfsg1", (26, 1)), ("20.10.24+dfsg1", (20, 10)), ("28.0.0-rc.1", (28, 0)), ("", (0, 0))],
)
def test_an_engine_tells_its_version(text: str, version: tuple[int, int]) -> None:
    assert engine_version(text) == version


@pytest.mark.parametrize(
    ("key", "version", "said"),
    [
        ("oom-score-adjust", (20, 10), None),
        ("oom-score-adjust", (26, 1), "Docker knew it up to 24.0"),
        ("proxies", (20, 10), "it needs Docker 23.0 or later"),
        ("proxies", (26, 1), None),
        ("debug", (20, 10), None),
        ("of-the-future", (26, 1), None),
        ("proxies", (0, 0), None),
    ],
)
def test_engines_know_other_keys(key: str, version: tuple[int, int], said: str | None) -> None:
    assert unknown_to(key, version) == said


def test_what_a_reload_does_and_what_it_does_not() -> None:
    assert needs_restart({"debug": True, "labels": []}, ["features", "max-concurrent-uploads"]) == []
    assert needs_restart({"debug": True, "bip": "1.2.3.4/24"}, ["labels"]) == ["bip", "labels"]
    assert needs_restart({"of-the-future": 1}, []) == ["of-the-future"]
    assert all(known.reload for known in KEYS.values() if known.drop)


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("-H fd:// --containerd=/run/c.sock", {"hosts": "fd://", "containerd": "/run/c.sock"}),
        ("--host=tcp://0.0.0.0:2375 -D --label a=b", {"hosts": "tcp://0.0.0.0:2375", "debug": "true", "labels": "a=b"}),
        ("--debug --bip 1.2.3.4/24 -lwarn", {"debug": "true", "bip": "1.2.3.4/24", "log-level": "warn"}),
        ("--config-file /x.json --icc=false", {"config-file": "/x.json", "icc": "false"}),
        ("", {}),
    ],
)
def test_flags_are_known_by_their_keys(line: str, keys: dict[str, str]) -> None:
    assert {key: value for key, value, _ in flag_keys(line.split())} == keys


def test_a_unit_tells_how_it_starts_the_daemon() -> None:
    value = (
        "{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// --containerd=/run/c.sock $DOCKER_OPTS ; "
        "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=93 ; code=(null) ; status=0/0 }"
    )
    assert exec_start(value) == ["/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/c.sock"]
    assert exec_start("") == []


def test_the_daemon_s_own_words_are_found_in_its_log() -> None:
    log = (
        'time="2026-01-01T00:00:00Z" level=info msg="Starting up"\n'
        'time="2026-01-01T00:00:01Z" level=warning msg="old"\n'
        "failed to start daemon: Error initializing network controller: invalid CIDR address: 9\n"
    )
    assert complaint(log).startswith("failed to start daemon: Error initializing")
    assert complaint('level=fatal msg="no \\"x\\" here"') == 'no "x" here'
    assert complaint("") == "it ended without a word"
