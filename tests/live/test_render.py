"""What render writes, given to docker compose, makes the containers that apply makes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.outputs.render import render
from labspec.spec.loader import load

pytestmark = pytest.mark.live

SPEC = """
labspec: 1
lab: {{name: {name}}}
images:
  page:
    from: {busybox}
    steps:
      - arg: {{GREETING: hello}}
      - env: {{GREETING: "$GREETING"}}
      - copy: {{src: site, dest: /site}}
      - workdir: /site
      - cmd: [httpd, -f, -p, "80"]
    build_args: {{GREETING: "it's $5"}}
volumes:
  memory: {{tmpfs: {{size: 5m, uid: 1000}}}}
networks:
  inside: {{internal: true, subnets: [10.231.77.0/24]}}
services:
  front:
    image: page
    init: true
    environment: {{PRICE: "$5", QUOTE: "a \\"b\\" 'c'"}}
    labels: {{role: front}}
    networks: {{inside: {{aliases: [www]}}}}
    volumes: ["memory:/memory", "./site:/copy:ro"]
    mem_limit: 32m
    cap_drop: [NET_RAW]
    ulimits: {{nofile: 512}}
    healthcheck: {{test: wget -q -O - localhost, interval: 5s}}
  back:
    image: {busybox}
    command: [sleep, "900"]
    stop_signal: SIGKILL
    depends_on: [front]
    extra_hosts: ["gate:10.0.0.1"]
    env_file: settings.env
    restart: unless-stopped
    tmpfs: ["/run:size=1m"]
stacks:
  side:
    services:
      one: {{image: {busybox}, command: [sleep, "900"], stop_signal: SIGKILL, networks: {{default: null}}}}
"""


@pytest.fixture
def lab(tmp_path: Path, lab_name: str, busybox: str) -> Lab:
    folder = tmp_path / "lab"
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "index.html").write_text("<h1>hello</h1>")
    (folder / "settings.env").write_text("MODE=quiet\n")
    (folder / "unused.txt").write_text("nobody copies this")
    (folder / "lab.yaml").write_text(SPEC.format(name=lab_name, busybox=busybox))
    return load(folder, variables={}, variable_files=())


def compose(folder: Path, *arguments: str) -> str:
    command = ["docker", "compose", "-f", str(folder / "compose.yaml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def containers(docker: Docker, lab: Lab) -> dict[str, Any]:
    """Return what makes up each container of the lab, without what names or dates it."""
    found = {}
    for resource in lab.resources:
        if resource.kind != "service":
            continue
        inspect = docker.get(f"/containers/{resource.name}/json")
        config = {key: value for key, value in inspect["Config"].items() if key not in ("Hostname", "Image")}
        config["Env"] = sorted(config["Env"])  # compose has its own order at every run
        config["Labels"] = {
            name: value
            for name, value in config["Labels"].items()
            if not name.startswith(("io.labspec.", "com.docker.compose."))
        }
        networks = {
            name: {
                "aliases": sorted(set(network["Aliases"] or ()) - {inspect["Id"][:12]}),
                "ipam": network["IPAMConfig"],
            }
            for name, network in inspect["NetworkSettings"]["Networks"].items()
        }
        mounts = sorted(
            (mount["Type"], mount.get("Name"), mount["Destination"], mount["RW"]) for mount in inspect["Mounts"]
        )
        host = {key: value for key, value in inspect["HostConfig"].items() if key not in ("Binds", "Mounts")}
        # Compose gives the engine the id of a network that it did not make itself, and the name of one that it did.
        host["NetworkMode"] = next(iter(networks))
        found[resource.name] = {"config": config, "host": host, "networks": networks, "mounts": mounts}
    return found


@pytest.fixture
def rendered(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    out = tmp_path / "out"
    render(lab, out)
    yield out
    for folder in (out, out / "stacks" / "side"):
        subprocess.run(
            ["docker", "compose", "-f", str(folder / "compose.yaml"), "down", "--rmi", "local", "--volumes"],
            capture_output=True,
            check=False,
            timeout=120,
        )


def test_compose_makes_the_same_containers(lab: Lab, rendered: Path, host: Host) -> None:
    workflow.apply(lab, host)
    mine = containers(host.docker, lab)
    workflow.apply(lab, host, destroy=True)
    for folder in (rendered, rendered / "stacks" / "side"):
        compose(folder, "up", "--detach", "--quiet-pull")
    theirs = containers(host.docker, lab)
    assert len(mine) == 3
    for name, container in mine.items():
        for part, mine_of_it in container.items():
            assert mine_of_it == theirs[name][part], f"{name}: {part}"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_the_same_to_the_byte(lab: Lab, rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    again = tmp_path / "again"
    render(load(Path(lab.file), variables={}, variable_files=()), again)
    render(lab, again)
    assert digests(again) == digests(rendered)
    assert "unused.txt" not in json.dumps(sorted(digests(rendered)))
    assert set(digests(rendered)) == {
        "compose.yaml",
        "images/page/Dockerfile",
        "images/page/site/index.html",
        "settings.env",
        "site/index.html",
        "stacks/side/compose.yaml",
    }
    for folder in (rendered, rendered / "stacks" / "side"):
        assert compose(folder, "config", "--quiet") == ""
