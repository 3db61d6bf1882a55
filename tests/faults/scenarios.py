"""Labs to be interrupted: what is there before, what is asked for, and what must be there once it has been done."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
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


def _host(lab: str, text: str, motd: str, unit: str, debug: bool, level: str) -> dict[str, Any]:
    return {
        "labspec": 1,
        "lab": {"name": lab},
        "host": {
            "files": {_FILE: {"content": text, "mode": "0640"}, "/etc/motd": {"content": motd}},
            "groups": {"faultgroup": {"members": ["daemon"] if motd == "one\n" else ["daemon", "nobody"]}},
        },
        "daemon": {"settings": {"debug": debug, "log-level": level, "labels": [f"made={motd.strip()}"]}},
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


def host_applies(lab: str) -> tuple[Scenario, ...]:
    """Return what is applied to a host's own settings, one for each seed."""
    one = _host(lab, _OLD, "one\n", "one", debug=True, level="info")
    two = _host(lab, _NEW, "two\n", "two", debug=False, level="info")
    three = _host(lab, _NEW, "two\n", "two", debug=True, level="warn")
    allow = ("root-files", "root-group", "docker-group")
    files = {_FILE: {None, _OLD, _NEW}, "/etc/motd": {"of before\n", "one\n", "two\n"}}
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("host-made", None, one),
        ("host-changed", one, two),
        ("host-changed-back", two, one),
        ("host-restarted", two, three),
        ("host-made-otherwise", None, three),
    )
    return tuple(Scenario(name, before, wanted, allow=allow, files=files) for name, before, wanted in pairs)


def host_destroys(lab: str) -> tuple[Scenario, ...]:
    """Return what is taken back of a host's own settings, one for each seed."""
    found = host_applies(lab)
    return tuple(
        Scenario(f"{item.name}-gone", item.wanted, item.wanted, destroy=True, allow=item.allow, files=item.files)
        for item in found[:3]
    )


def text_of(spec: Mapping[str, Any]) -> str:
    """Return a spec as a file's text."""
    return json.dumps(spec, indent=1)


def docker(*words: str) -> str:
    """Return what the docker client prints; it must succeed."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=120).stdout
