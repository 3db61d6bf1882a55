"""Texts that would be run, or read as an option or a path, if labspec put them anywhere as they are; and the places."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.spec.loader import load

MARK = "/tmp/labspec-was-here"
BUSYBOX = "labspec-test/busybox:latest"
LAB = "hostile"

PAYLOADS = (
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"x; touch {MARK}",
    f"x && touch {MARK}",
    f"x | touch {MARK}",
    f"x & touch {MARK} &",
    f"x > {MARK}",
    f"x' ; touch {MARK} ; '",
    f'x" ; touch {MARK} ; "',
    f"x\ntouch {MARK}",
    f"x\nRUN touch {MARK}",
    f"x\\\nRUN touch {MARK}",
    f"x\rRUN touch {MARK}",
    f"x\u2028RUN touch {MARK}",
    f"x\u0085RUN touch {MARK}",
    f"x\nExecStartPre=/bin/touch {MARK}",
    f"x\n[Service]\nExecStartPre=+/bin/touch {MARK}",
    f"x\\\nExecStartPre=/bin/touch {MARK}",
    f"+/bin/touch {MARK}",
    f"!/bin/touch {MARK}",
    f"<<EOF\ntouch {MARK}\nEOF",
    f"# syntax=x\nRUN touch {MARK}",
    "${HOME:+$(touch " + MARK + ")}",
    "$$(touch " + MARK + ")",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% include '/etc/shadow' %}",
    "%h%n%%",
    "--privileged",
    "-v=/:/host",
    "--help",
    "../../../../etc/passwd",
    "x\\",
)


class Place(NamedTuple):
    """A place of a spec that takes a text."""

    name: str
    spec: Callable[[str, int], Mapping[str, Any]]
    """Returns what is put into the spec for a text; the number keeps names of several apart."""


def _service(number: int, **more: Any) -> dict[str, Any]:
    entry = {"image": BUSYBOX, "command": ["true"], "network_mode": "none", "stop_grace_period": "0s", **more}
    return {"services": {f"s{number}": entry}}


def _steps(number: int, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"images": {f"i{number}": {"from": BUSYBOX, "steps": list(steps), **more}}}


def _unit(number: int, **sections: Mapping[str, Any]) -> dict[str, Any]:
    service = {"ExecStart": "/bin/true", "Type": "oneshot", "RemainAfterExit": "yes", **sections.pop("Service", {})}
    return {"units": {f"hostile{number}.service": {"Service": service, "state": "started", **sections}}}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


PLACES = (
    Place("service.environment", lambda text, n: _service(n, environment={"TEXT": text})),
    Place("service.labels", lambda text, n: _service(n, labels={"text": text})),
    Place("service.command", lambda text, n: _service(n, command=["echo", text])),
    Place("service.hostname", lambda text, n: _service(n, hostname=text)),
    Place("service.container_name", lambda text, n: _service(n, container_name=text)),
    Place("service.working_dir", lambda text, n: _service(n, working_dir=f"/tmp/{text}")),
    Place("service.name", lambda text, n: {"services": {text: _service(n)["services"][f"s{n}"]}}),
    Place("service.image", lambda text, n: _service(n, image=text, pull_policy="never")),
    Place("service.user", lambda text, n: _service(n, user=text)),
    Place("service.env_file", lambda text, n: _service(n, env_file=[text])),
    Place("service.volumes", lambda text, n: _service(n, volumes=[f"./{text}:/data"])),
    Place("network.name", lambda text, n: {"networks": {f"n{n}": {"name": text}}}),
    Place("volume.name", lambda text, n: {"volumes": {f"v{n}": {"name": text}}}),
    Place("image.env", lambda text, n: _steps(n, {"env": {"TEXT": text}})),
    Place("image.label", lambda text, n: _steps(n, {"label": {"text": text}})),
    Place("image.workdir", lambda text, n: _steps(n, {"workdir": text})),
    Place("image.user", lambda text, n: _steps(n, {"user": text})),
    Place("image.copy", lambda text, n: _steps(n, {"copy": {"src": text, "dest": "/tmp"}})),
    Place("image.arg", lambda text, n: _steps(n, {"arg": {"TEXT": "x"}}, build_args={"TEXT": text})),
    Place("image.tag", lambda text, n: _steps(n, {"env": {"A": "b"}}, tag=text)),
    Place("unit.Description", lambda text, n: _unit(n, Unit={"Description": text})),
    Place("unit.Environment", lambda text, n: _unit(n, Service={"Environment": _quoted(f"TEXT={text}")})),
    Place("unit.SyslogIdentifier", lambda text, n: _unit(n, Service={"SyslogIdentifier": text})),
    Place("unit.name", lambda text, _: {"units": {f"{text}.service": {"Service": {"ExecStart": "/bin/true"}}}}),
    Place("group.name", lambda text, _: {"host": {"groups": {text: {}}}}),
    Place("file.content", lambda text, n: {"host": {"files": {f"/etc/hostile{n}": {"content": text}}}}),
    Place("file.path", lambda text, _: {"host": {"files": {f"/tmp/{text}": {"content": "x"}}}}),
    Place("sysctl.value", lambda text, _: {"host": {"sysctls": {"vm.swappiness": text}}}),
    Place("kernel_args", lambda text, _: {"host": {"kernel_args": [text]}}),
    Place("lab.name", lambda text, _: {"lab": {"name": text}}),
)
CASES = [(place, text) for place in PLACES for text in PAYLOADS]


def loaded(spec: Mapping[str, Any]) -> Lab | None:
    """Return the lab of a spec, or None where it is refused."""
    with TemporaryDirectory() as folder:
        Path(folder, "lab.yaml").write_text(json.dumps({"labspec": 1, "lab": {"name": LAB}, **spec}))
        try:
            return load(Path(folder), variables={}, variable_files=())
        except LabError:
            return None


def batches() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two specs with all the cases in them that labspec takes: one that works, one that the host may refuse."""
    good: dict[str, Any] = {"labspec": 1, "lab": {"name": LAB}}
    bad: dict[str, Any] = {"labspec": 1, "lab": {"name": f"{LAB}-refused"}}
    for number, (place, text) in enumerate(CASES):
        spec = place.spec(text, number)
        if loaded(spec) is None:
            continue
        kind, _, field = place.name.partition(".")
        together = PAYLOADS.index(text) if field in _TOGETHER else number
        if kind == "image" and field not in ("copy", "user"):
            _merge_image(good, spec, number)
        else:
            _merge(bad if field in _REFUSED else good, place.spec(text, together))
    return good, bad


_TOGETHER = ("environment", "labels", "command", "working_dir", "Description", "Environment", "SyslogIdentifier")
_REFUSED = ("working_dir", "hostname", "user", "copy", "value", "name")


def _merge_image(whole: dict[str, Any], spec: Mapping[str, Any], number: int) -> None:
    entry = spec["images"][f"i{number}"]
    text = json.dumps(entry).replace('"TEXT"', f'"TEXT{number}"').replace('"text"', f'"text{number}"')
    image = whole.setdefault("images", {}).setdefault("all", {"from": BUSYBOX, "steps": [], "build_args": {}})
    image["steps"] += json.loads(text)["steps"]
    image["build_args"] |= json.loads(text).get("build_args", {})


def _merge(whole: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(whole.get(key), dict):
            _merge(whole[key], value)
        else:
            whole[key] = json.loads(json.dumps(value))
