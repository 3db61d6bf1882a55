"""Checks of every kind on a real host: they pass, they fail on a host that is really broken, and they are proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hostbox import HostBox

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("sandbox")]

SPEC = """
labspec: 1
lab: {name: chk}
volumes:
  notes: {tmpfs: {size: 10m, uid: 1000}}
services:
  web:
    image: IMAGE
    command:
      - sh
      - -c
      - >-
        mkdir /www && echo hello >/www/index.html && ln -s /etc/labspec-test /www/link && ln -s /etc /www/folder &&
        echo 'u:x:1000:1000::/:/bin/sh' >/etc/passwd && httpd -p 80 -h /www && exec sleep 100000
    init: true
    ports: ["127.0.0.1:18090:80"]
    mem_limit: 64m
    pids_limit: 50
    volumes: ["notes:/notes"]
  idle: {image: IMAGE, command: [sleep, "100000"], init: true, user: "1000", networks: [back]}
networks:
  back: {internal: true}
host:
  users: {pupil: {}}
  groups: {pupils: {members: [pupil]}}
  files: {/etc/labspec-test: {content: only on the host, mode: "0640"}}
units:
  tick.service: {Service: {ExecStart: /bin/sleep 100000, MemoryMax: 50M, Restart: always, User: daemon}}
bundles:
  box: {image: IMAGE, args: [sleep, "100000"], hostname: box, state: running}
machines:
  deb: {image: IMAGE, command: [sleep, "100000"]}
checks:
  - {id: http, http: {url: "http://127.0.0.1:18090/", status: 200, body: hello}, retry: {for: 5s}}
  - {id: http-inside, retry: {for: 5s}, http: {url: "http://service.web", in: service.web, header: {Content-Length: 6}}}
  - {id: tcp, tcp: {host: service.web, port: 80}, retry: {for: 5s}}
  - {id: command, command: {in: service.web, run: [cat, /www/index.html], stdout: hello, stderr: ""}}
  - {id: command-user, command: {in: service.web, run: [id, -un], user: "1000", stdout: u}}
  - {id: command-bundle, command: {in: bundle.box, run: [hostname], stdout: box}}
  - {id: command-machine, command: {in: machine.deb, run: [ls, /bin/busybox]}}
  - {id: command-host, command: {run: [id, -un], user: pupil, stdout: pupil}}
  - {id: file, file: {path: /etc/labspec-test, content: {contains: host}, mode: "0640", owner: root, size: {less: 1k}}}
  - {id: file-inside, file: {in: service.web, path: /www/index.html, content: hello, type: file, owner: "0"}}
  - {id: container, container: {in: service.web, field: HostConfig.Memory, is: 67108864}}
  - {id: unit, unit: {name: unit.tick.service, properties: {ActiveState: active, Restart: always}}}
  - {id: group, group: {name: pupils, members: [pupil]}}
  - {id: mount, mount: {in: service.web, target: /notes, fstype: tmpfs, size: 10m, options: {contains: uid=1000}}}
  - {id: namespace, namespace: {in: unit.tick.service, shared: [net, pid]}}
  - {id: cgroup, cgroup: {in: service.web, memory: 64m, pids: 50, cpus: unlimited}}
  - {id: cgroup-unit, cgroup: {in: unit.tick.service, memory: {less: 51m}}}
  - {id: api, api: {path: "/containers/{service.web}/json", query: "Name", is: /chk-web-1}}
  - {id: process, process: {in: service.web, command: {matches: "^httpd"}, user: "0", host_user: root}}
  - {id: process-unit, process: {in: unit.tick.service, user: daemon}}
  - {id: process-bundle, process: {in: bundle.box, command: sleep 100000}}
  - {id: owner, file: {in: service.web, path: /notes, type: directory, owner: u}}
  - {id: process-machine, process: {in: machine.deb, command: sleep 100000}}
"""
STEADY = """
  - {id: isolated, namespace: {in: service.web, isolated: [ipc, mnt, net, pid, uts], shared: [user]}}
  - {id: closed, tcp: {port: 80, host: service.web, in: service.idle, open: false}}
  - {id: closed-outside, about: [service.web], tcp: {port: 18091, open: false}}
  - {id: no-way-out, file: {in: service.web, path: /www/link, exists: false}}
  - {id: no-way-round, file: {in: service.web, path: /www/folder/labspec-test, exists: false}}
  - {id: link, file: {in: service.web, path: /www/link, target: /etc/labspec-test}}
  - {id: never, audience: teacher, group: {name: root, gid: 0}}
"""
BREAK = """
docker exec chk-web-1 sh -c 'killall httpd; echo other >/www/index.html; echo v:x:1000:1000::/:/bin/sh >/etc/passwd'
docker update --memory 70m --memory-swap 140m chk-web-1
nsenter --target "$(docker inspect --format '{{.State.Pid}}' chk-web-1)" --mount umount /notes
docker rename chk-web-1 renamed
runc kill labspec-chk-box KILL
systemctl stop labspec-machine-chk-deb
chmod 0600 /etc/labspec-test
gpasswd --delete pupil pupils
userdel pupil
mkdir -p /run/systemd/system/tick.service.d
cd /run/systemd/system/tick.service.d; echo '[Service]' >x.conf; for line in LINES; do echo $line >>x.conf; done
systemctl daemon-reload
systemctl restart tick.service
"""
MEND = "rm -r /run/systemd/system/tick.service.d; systemctl daemon-reload; systemctl restart tick.service"
ALLOW = ("--allow", "host-commands")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, busybox: str) -> Path:
    made = tmp_path_factory.mktemp("checks")
    (made / "lab.yaml").write_text((SPEC + STEADY).replace("IMAGE", busybox))
    return made


@pytest.fixture(scope="module")
def applied(lab_host: HostBox, folder: Path) -> HostBox:
    done = lab_host.labspec(folder, "apply", "-y")
    assert done.returncode == 0, done.stderr
    return lab_host


def states(box: HostBox, folder: Path, *arguments: str) -> dict[str, Any]:
    """Return the results of the checks by name."""
    done = box.labspec(folder, "check", "--json", *ALLOW, *arguments)
    found = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
    good = all(check["state"] in ("ok", "skip") for check in found.values())
    assert done.returncode == (0 if good else 1), done.stdout
    return found


def test_every_kind_passes_and_fails_on_a_broken_host(applied: HostBox, folder: Path) -> None:
    found = states(applied, folder)
    assert {name: check for name, check in found.items() if check["state"] != "ok"} == {}

    lines = "PrivateNetwork=yes Restart=no MemoryMax=60M User=root"
    for line in BREAK.replace("LINES", lines).strip().splitlines():
        applied.out("sh", "-c", line)
    steady = {line.partition("id: ")[2].partition(",")[0] for line in STEADY.strip().splitlines()}
    broken = states(applied, folder)
    assert {name for name, check in broken.items() if check["state"] == "ok"} == steady
    # The user of the host is gone: nothing could be looked at.
    assert {name for name, check in broken.items() if check["state"] == "error"} == {"command-host"}
    said = {
        name: [(one["subject"], one["expected"], one["seen"]) for one in check["findings"]]
        for name, check in broken.items()
    }
    assert said["file"] == [("mode", '"0640"', '"0600"')]
    assert said["container"] == [("HostConfig.Memory", "67108864", str(70 * 2**20))]
    assert said["mount"] == [("/notes", "a mount", "none")]
    assert said["group"] == [("members", '["pupil"]', "[]")]
    assert said["tcp"] == [("service.web:80", "open", "closed")]
    assert said["namespace"] == [("namespace net", "shared with host", "another than that of host")]
    assert said["process-bundle"][0][1] == "running"

    applied.out("sh", "-c", MEND)
    assert applied.labspec(folder, "apply", "-y", "--replace", "service.web").returncode == 0
    assert {name for name, check in states(applied, folder).items() if check["state"] != "ok"} == set()


def test_a_program_on_the_host_needs_to_be_allowed(applied: HostBox, folder: Path) -> None:
    done = applied.labspec(folder, "check", "--only", "command-host")
    assert done.returncode == 1
    assert "check 'command-host' runs id -un on this host (host-commands)" in done.stderr


def test_students_do_not_see_what_is_the_teachers(applied: HostBox, folder: Path) -> None:
    assert "never" not in states(applied, folder, "--audience", "student")
    listed = applied.labspec(folder, "check", "--list", "--audience", "student").stdout
    assert "isolated" in listed
    assert "never" not in listed


def test_forms_of_test_tools(applied: HostBox, folder: Path) -> None:
    only = ("--only", "api", "--only", "closed")
    written = applied.labspec(folder, "check", *only, "--format", "junit").stdout
    suite = ElementTree.fromstring(written)  # noqa: S314  our own output
    assert [case.get("name") for case in suite.iter("testcase")] == ["api", "closed"]
    tap = applied.labspec(folder, "check", *only, "--format", "tap").stdout.splitlines()
    assert tap == ["TAP version 13", "1..2", "ok 1 - api: api", "ok 2 - closed: closed"]


def test_each_check_is_broken_and_the_lab_is_whole_again(applied: HostBox, folder: Path) -> None:
    only = ("http", "closed", "mount", "isolated", "group", "never")
    chosen = [part for name in only for part in ("--only", name)]
    done = applied.labspec(folder, "check", "--prove", "--json", *ALLOW, *chosen)
    assert done.returncode == 2, done.stderr
    found = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
    assert {name for name, check in found.items() if check["state"] != "proven"} == {"never"}
    assert found["closed"]["broken"] == "services.idle.networks: ['back', 'default']"
    assert found["isolated"]["broken"] == "services.web.ipc: host"
    assert found["mount"]["broken"] == "volumes.notes.tmpfs.size taken away"
    assert found["group"]["broken"] == "host.groups.pupils.members: []"
    assert applied.planned(folder)["changes"] == []
    assert {name for name, check in states(applied, folder).items() if check["state"] != "ok"} == set()
    assert applied.labspec(folder, "destroy", "-y").returncode == 0


def test_a_proof_is_refused_where_it_would_break_this_host(folder: Path, lab_host: HostBox) -> None:
    from hostbox import labspec

    done = labspec("check", "--prove", *ALLOW, folder=folder)
    assert lab_host.name
    assert done.returncode == 1
    assert "a proof breaks the lab and the host that it is on" in done.stderr
