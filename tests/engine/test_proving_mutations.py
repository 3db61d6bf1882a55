"""Broken states derived from a spec: what is tried for each kind of check, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.engine.proving_edits import DROP, Edit, edited
from labspec.engine.proving_mutations import candidates, dependents
from labspec.spec.loader import load

SPEC = """
labspec: 1
lab: {name: tp}
volumes:
  notes: {tmpfs: {size: 10m, uid: 1000}}
networks: {back: {internal: true}}
services:
  web: {image: debian, ports: ["8080:80"], volumes: ["notes:/notes"], mem_limit: 64m}
  db: {image: debian, networks: [back]}
host:
  groups: {students: {members: [root, daemon]}}
  files: {/etc/motd: {content: hello, mode: "0644"}}
units:
  tick.service: {Service: {ExecStart: /bin/sleep 9, Restart: always}}
daemon:
  settings: {debug: true, icc: false}
checks:
"""


def broken(tmp_path: Path, check: str) -> list[str]:
    """Return what is tried for one check, in order."""
    (tmp_path / "lab.yaml").write_text(f"{SPEC}  - {{id: a, {check}}}\n")
    lab = load(tmp_path, variables={}, variable_files=[])
    values: dict[str, Any] = {}
    load(tmp_path, variables={}, variable_files=[], edit=values.update)
    return [str(mutation) for mutation in candidates(lab.parts["checks"][0], lab, values)]


@pytest.mark.parametrize(
    ("check", "first"),
    [
        ("http: {url: 'http://localhost:8080/'}", "services.web.ports: ['18080:80']"),
        ("tcp: {port: 8080}", "services.web.ports: ['18080:80']"),
        ("tcp: {port: 6379, open: false}, about: [service.db]", "services.db.ports: ['6379:6379']"),
        (
            "tcp: {port: 6379, open: false, host: service.db, in: service.web}",
            "services.web.networks: ['default', 'back']",
        ),
        ("mount: {in: service.web, target: /notes, size: 10m}", "volumes.notes.tmpfs.size taken away"),
        ("namespace: {in: service.db, isolated: [pid]}", "services.db.pid: host"),
        (
            "namespace: {in: service.web, isolated: [net]}",
            "services.web.ports taken away, services.web.network_mode: host",
        ),
        ("cgroup: {in: service.web, memory: 64m}", "services.web.mem_limit taken away"),
        ("container: {in: service.web, field: HostConfig.Memory, is: 1}", "services.web.mem_limit taken away"),
        ("container: {in: service.db, field: HostConfig.Privileged, is: false}", "services.db.privileged: True"),
        ("group: {name: students, members: {contains: root}}", "host.groups.students.members: ['daemon']"),
        ("file: {path: /etc/motd, content: hello}", "host.files./etc/motd.content: hello\nspoilt\n"),
        ("file: {path: /etc/passwd}", "/etc/passwd gone"),
        ("file: {path: /etc/x, exists: false}", "/etc/x made"),
        ("file: {in: service.db, path: /etc/passwd}", "/etc/passwd removed in service.db"),
        ("file: {in: service.web, path: /notes/a}", "services.web.volumes taken away"),
        (
            "unit: {name: unit.tick.service, properties: {Restart: always}}",
            "units.tick.service.Service.Restart taken away",
        ),
        ("unit: {name: cron.service}", "cron.service stopped"),
        ("api: {path: /info, query: Debug, is: true}", "daemon.settings.debug taken away"),
        ("process: {in: service.db, user: root}", "services.db.user: 65533"),
        ("command: {in: service.db, run: [id]}", "services.db.user: 65533"),
    ],
)
def test_first_comes_what_the_check_is_there_for(tmp_path: Path, check: str, first: str) -> None:
    assert broken(tmp_path, check)[0] == first


def test_what_runs_is_stopped_before_the_rest_is_tried(tmp_path: Path) -> None:
    found = broken(tmp_path, "tcp: {port: 8080}")
    assert found.index("service.web stopped") < found.index("volumes.notes.tmpfs taken away")


def test_a_check_of_nothing_in_the_lab_has_nothing_to_break(tmp_path: Path) -> None:
    assert broken(tmp_path, "group: {name: daemon}") == []


def test_what_hangs_on_something(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(SPEC.replace("checks:\n", ""))
    lab = load(tmp_path, variables={}, variable_files=[])
    assert dependents("volume.notes", lab) == {"volume.notes", "service.web"}
    assert dependents("daemon.settings", lab) == {resource.address for resource in lab.resources}


def test_edits_copy_what_they_change() -> None:
    before: dict[str, Any] = {"services": {"web": {"image": "a", "user": "1"}}}
    after = dict(before)
    edited(after, [Edit(("services", "web", "user"), DROP), Edit(("services", "web", "image"), "b")])
    assert before == {"services": {"web": {"image": "a", "user": "1"}}}
    assert after == {"services": {"web": {"image": "b"}}}


def test_a_changed_spec_is_checked_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(SPEC.replace("checks:\n", ""))
    with pytest.raises(LabError, match="unknown key 'prots'"):
        load(
            tmp_path,
            variables={},
            variable_files=[],
            edit=lambda values: edited(values, [Edit(("services", "web", "prots"), [])]),
        )
