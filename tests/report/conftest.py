"""Plans to show: one of each kind of change, and one whose values are out to paint the terminal."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from labspec.core.change import Action, Change, Danger, Plan, Step
from labspec.core.diagnostic import Diagnostic, Position
from labspec.core.diff import UNSET, Cause, Diff, Settle


@dataclass(frozen=True)
class Say(Step):
    """A step that is only shown."""

    text: str

    def __str__(self) -> str:
        return self.text


EVERYTHING = Plan(
    lab="tp1",
    changes=(
        Change(
            "network.local",
            "network",
            Action.CREATE,
            "not on this host",
            after={
                "driver": "bridge",
                "options": {"com.docker.network.bridge.name": "br-tp1", "com.docker.network.driver.mtu": "1400" * 9},
                "pools": [{"subnet": f"10.{number}.0.0/16", "gateway": f"10.{number}.0.1"} for number in range(20)],
            },
            prepare=(Say("check that br-tp1 is free"),),
            make=(Say("docker network create tp1_local"),),
        ),
        Change(
            "service.web",
            "service",
            Action.REPLACE,
            "image, environment.PORT changed in the spec; memory changed on the host",
            diffs=(
                Diff("image", "nagini:1", "nagini:2", Cause.SPEC, Settle.REPLACE),
                Diff("environment.PORT", "8888", "9999", Cause.SPEC, Settle.REPLACE),
                Diff("environment.LANG", UNSET, "fr_FR.UTF-8", Cause.SPEC, Settle.REPLACE),
                Diff("labels.old", "yes", UNSET, Cause.DROPPED, Settle.REPLACE),
                Diff("memory", 200_000_000, 100_000_000, Cause.DRIFT, Settle.UPDATE),
                Diff("token", "hunter1", "hunter2", Cause.SPEC, Settle.UPDATE, secret=True),
                Diff(
                    "ports",
                    [f"{port}:80/tcp" for port in range(8000, 8020)],
                    [f"{port}:80/tcp" for port in range(8001, 8021)],
                    Cause.SPEC,
                    Settle.REPLACE,
                ),
                Diff("command", ["sleep"] + ["a" * 90] * 2, "b" * 300, Cause.SPEC, Settle.REPLACE),
            ),
            remove=(Say("docker rm tp1-web-1"),),
            make=(Say("docker compose up web"),),
            warnings=("the container is down for a moment",),
        ),
        Change("service.db", "service", Action.START, "it is stopped", make=(Say("docker start tp1-db-1"),)),
        Change(
            "volume.foo",
            "volume",
            Action.UPDATE,
            "labels.a changed on the host",
            diffs=(Diff("labels.a", "1", "2", Cause.DRIFT, Settle.UPDATE),),
            warnings=("its data is gone",),
        ),
        Change("volume.old", "volume", Action.DELETE, "no longer in the spec", remove=(Say("docker volume rm old"),)),
    ),
    problems=(Diagnostic("port 1010 is taken", Position("lab.yaml", 7, 12), "free it", '    ports: ["1010:80"]'),),
    dangers=(
        Danger("privileged", "service.web", "runs privileged: root of the host"),
        Danger("socket", "service.web", "mounts the Docker socket"),
    ),
    fingerprint="f" * 64,
    unchanged=5,
)

HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202egnp.exe\u2066\x7f\ud800"

PAINTING = Plan(
    lab="tp1",
    changes=(
        Change(
            f"service.{HOSTILE}",
            "service",
            Action.CREATE,
            HOSTILE,
            after={"command": [HOSTILE], "labels": {HOSTILE: HOSTILE}, HOSTILE: HOSTILE},
            warnings=(HOSTILE,),
            make=(Say(HOSTILE),),
        ),
        Change(
            "service.b",
            "service",
            Action.UPDATE,
            HOSTILE,
            diffs=(
                Diff(f"labels.{HOSTILE}", UNSET, HOSTILE, Cause.SPEC, Settle.UPDATE),
                Diff("ports", [HOSTILE] * 9, {HOSTILE: HOSTILE}, Cause.SPEC, Settle.UPDATE),
                Diff("labels", {HOSTILE: HOSTILE * 9}, {HOSTILE: "b"}, Cause.SPEC, Settle.UPDATE),
            ),
        ),
    ),
    problems=(Diagnostic(HOSTILE, Position(HOSTILE, 1, 2), HOSTILE, HOSTILE),),
    dangers=(Danger(HOSTILE, HOSTILE, HOSTILE),),
)

EMPTY = Plan(lab="tp1", unchanged=7, fingerprint="0" * 64)


@pytest.fixture
def everything() -> Plan:
    """A plan with every kind of change, difference, warning, danger and problem."""
    return EVERYTHING


@pytest.fixture
def painting() -> Plan:
    """A plan whose every text is hostile to a terminal."""
    return PAINTING


@pytest.fixture
def empty() -> Plan:
    """A plan with nothing to do."""
    return EMPTY
