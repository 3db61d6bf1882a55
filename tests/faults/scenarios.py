"""Labs to be interrupted: what is there before, what is asked for, and what must be there once it has been done."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from busybox import BUSYBOX

SECRET = "planted-secret-8d41c7"


@dataclass(frozen=True)
class Scenario:
    """One history to interrupt: the spec of before (None for nothing), what somebody did to it by hand, the spec."""

    name: str
    before: Mapping[str, Any] | None
    wanted: Mapping[str, Any]
    by_hand: tuple[tuple[str, ...], ...] = ()
    destroy: bool = False
    allow: tuple[str, ...] = ()
    files: Mapping[str, set[str | None]] = field(default_factory=dict)
    """Path -> every content that a file may have at any time."""

    @property
    def lab(self) -> str:
        """The lab's name."""
        return str(self.wanted["lab"]["name"])


def _service(command: str, **more: Any) -> dict[str, Any]:
    usual = {"image": BUSYBOX, "command": ["sleep", command], "stop_grace_period": "0s", "network_mode": "none"}
    found = {**usual, **more}
    if "networks" in found:
        del found["network_mode"]
    return found


def _first(lab: str) -> dict[str, Any]:
    return {
        "labspec": 1,
        "lab": {"name": lab},
        "networks": {"front": {}},
        "volumes": {"data": {}},
        "secrets": {"token": {"environment": "LABSPEC_TEST_SECRET"}},
        "services": {
            "web": _service("900", networks=["front"], volumes=["data:/data"], environment={"TOKEN": None}),
            "db": _service("900", scale=2, secrets=["token"]),
            "gone": _service("900"),
        },
    }


def _second(lab: str) -> dict[str, Any]:
    found = _first(lab)
    found["networks"] = {"front": {"internal": True}, "back": {}}
    found["volumes"]["more"] = {"tmpfs": {"size": "1m"}}
    found["services"] = {
        "web": _service("901", networks=["front"], volumes=["data:/data"], environment={"TOKEN": None}),
        "db": _service("900", scale=3, mem_limit="32m", secrets=["token"]),
        "fresh": _service("900", networks=["back"], volumes=["more:/more"]),
    }
    return found


def _built(lab: str) -> dict[str, Any]:
    found = _second(lab)
    found["images"] = {"own": {"from": BUSYBOX, "steps": [{"env": {"MADE": "1"}}]}}
    found["services"]["fresh"]["image"] = "own"
    return found


def applies(lab: str) -> tuple[Scenario, ...]:
    """Return what is applied, one for each seed: made, changed, changed back, built, changed after a hand was in it."""
    first, second, built = _first(lab), _second(lab), _built(lab)
    hand = (
        ("docker", "rename", f"{lab}-web-1", f"{lab}-odd"),
        ("docker", "stop", "-t", "0", f"{lab}-db-2"),
        ("docker", "rm", "-f", f"{lab}-gone-1"),
    )
    return (
        Scenario("made", None, first),
        Scenario("changed", first, second),
        Scenario("changed-back", second, first),
        Scenario("built", first, built),
        Scenario("changed-after-a-hand", first, second, by_hand=hand),
    )


def destroys(lab: str) -> tuple[Scenario, ...]:
    """Return what is destroyed, one for each seed."""
    first, second, built = _first(lab), _second(lab), _built(lab)
    hand = (("docker", "rm", "-f", f"{lab}-web-1"),)
    return (
        Scenario("gone", first, first, destroy=True),
        Scenario("gone-after-a-hand", second, second, destroy=True, by_hand=hand),
        Scenario("gone-with-image", built, built, destroy=True),
    )


def recreate(lab: str) -> Scenario:
    """Return a lab all of whose containers are made anew, with nothing else to do."""
    before, wanted = ({"labspec": 1, "lab": {"name": lab}, "services": {}} for _ in range(2))
    for spec, command in ((before, "900"), (wanted, "901")):
        spec["services"] = {"web": _service(command), "db": _service(command, scale=2)}
    return Scenario("recreate", before, wanted)


_FILE = "/etc/labspec-fault.conf"
_OLD, _NEW = "first " * 2000, "second " * 2000
HOST_BEFORE = {"/etc/motd": "of before\n", "/etc/docker/daemon.json": '{"debug": false, "labels": ["of=before"]}\n'}
"""What a throw-away host has before it is tried."""


def _settings(lab: str, text: str, motd: str, unit: str, members: list[str]) -> dict[str, Any]:
    return {
        "labspec": 1,
        "lab": {"name": lab},
        "host": {
            "files": {_FILE: {"content": text, "mode": "0640"}, "/etc/motd": {"content": motd}},
            "groups": {"faultgroup": {"members": members}},
        },
        "units": {
            "labspec-fault.service": {
                "Unit": {"Description": unit},
                "Service": {"ExecStart": "/bin/sleep 9000", "User": "daemon"},
                "Install": {"WantedBy": "multi-user.target"},
                "state": "started",
                "enabled": True,
            }
        },
    }


def _daemon(lab: str, label: str, **settings: Any) -> dict[str, Any]:
    return {"labspec": 1, "lab": {"name": lab}, "daemon": {"settings": {"debug": True, "labels": [label], **settings}}}


def host_applies(lab: str) -> tuple[Scenario, ...]:
    """Return what is applied to a host's own settings, one for each seed; what needs a restart of Docker comes last."""
    one = _settings(lab, _OLD, "one\n", "one", ["daemon"])
    two = _settings(lab, _NEW, "two\n", "two", ["daemon", "nobody"])
    hand = (
        ("sh", "-c", "echo by hand > /etc/motd"),
        ("systemctl", "stop", "labspec-fault.service"),
        ("gpasswd", "--delete", "daemon", "faultgroup"),
    )
    first, second = _daemon(lab, "made=one"), _daemon(lab, "made=two", **{"max-concurrent-downloads": 4})
    info, warn = _daemon(lab, "made=one", **{"log-level": "info"}), _daemon(lab, "made=two", **{"log-level": "warn"})
    return (
        _on_host("host-made", None, one),
        _on_host("host-changed", one, two),
        _on_host("host-changed-back", two, one),
        _on_host("host-made-otherwise", None, two),
        _on_host("host-changed-after-a-hand", one, two, hand),
        _on_host("daemon-made", None, first),
        _on_host("daemon-changed", first, second),
        _on_host("daemon-changed-back", second, first),
        _on_host("daemon-restarted", info, warn),
        _on_host("daemon-made-by-a-restart", None, info),
    )


def _on_host(name: str, before: Any, wanted: Any, by_hand: tuple[tuple[str, ...], ...] = ()) -> Scenario:
    motd = HOST_BEFORE["/etc/motd"]
    files = {_FILE: {None, _OLD, _NEW}, "/etc/motd": {motd, "one\n", "two\n", *(("by hand\n",) if by_hand else ())}}
    allow = ("root-files", "root-group", "docker-group")
    return Scenario(name, before, wanted, by_hand, allow=allow, files=files)


def host_destroys(lab: str) -> tuple[Scenario, ...]:
    """Return what is taken back of a host's own settings, one for each seed."""
    return tuple(
        replace(item, name=f"{item.name}-gone", before=item.wanted, by_hand=(), destroy=True)
        for item in host_applies(lab)
        if "changed-after" not in item.name and "otherwise" not in item.name
    )


def text_of(spec: Mapping[str, Any]) -> str:
    """Return a spec as a file's text."""
    return json.dumps(spec, indent=1)


def docker(*words: str) -> str:
    """Return what the docker client prints; it must succeed."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=120).stdout
