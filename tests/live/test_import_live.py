"""What runs on a host becomes a lab's as it is: same containers before and after, and nothing left to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.host import Host
from labspec.imports.compose import ComposeFiles, import_compose
from labspec.imports.report import Imported
from labspec.imports.writing import spec_text
from labspec.spec.loader import load_text

pytestmark = pytest.mark.live

COMPOSE = """
services:
  web:
    image: {image}
    command: [sleep, "900"]
    stop_signal: SIGKILL
    environment: {{A: "1"}}
    ports: ["127.0.0.1::80"]
    volumes: ["data:/data", "/anonymous", "./site:/site:ro"]
    depends_on: [db]
    labels: {{role: front}}
    deploy: {{replicas: 2}}
  db:
    image: {image}
    command: [sleep, "900"]
    stop_signal: SIGKILL
    networks: {{back: {{aliases: [store]}}}}
    mem_limit: 64m
    healthcheck: {{test: "true", interval: 1s}}
    restart: unless-stopped
networks:
  back: {{internal: true}}
volumes:
  data: {{labels: {{keep: "yes"}}}}
"""


def docker(*arguments: str, folder: Path | None = None) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=folder).stdout


def objects(project: str) -> dict[str, Any]:
    """Return the ids and beginnings of everything that a compose project has."""
    label = ["--filter", f"label=com.docker.compose.project={project}"]
    return {
        "containers": sorted(docker("ps", "-aq", "--no-trunc", *label).split()),
        "started": sorted(
            item["State"]["StartedAt"] for item in json.loads(docker("inspect", *docker("ps", "-aq", *label).split()))
        ),
        "networks": sorted(docker("network", "ls", "-q", *label).split()),
        "volumes": sorted(docker("volume", "ls", "-q", *label).split()),
    }


@pytest.fixture
def stack(lab_name: str, busybox: str, tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a compose project that is up, without labspec."""
    folder = tmp_path / "stack"
    (folder / "site").mkdir(parents=True)
    (folder / "compose.yaml").write_text(COMPOSE.format(image=busybox))
    docker("compose", "-p", lab_name, "up", "-d", folder=folder)
    yield folder
    for kind, remove in (("ps", ["rm", "-f", "-v"]), ("network", ["network", "rm"]), ("volume", ["volume", "rm"])):
        listed = [kind, "-aq"] if kind == "ps" else [kind, "ls", "-q"]
        found = docker(*listed, "--filter", f"label=com.docker.compose.project={lab_name}").split()
        if found:
            docker(*remove, *found)


def loaded(imported: Imported, folder: Path, *adopt: str) -> Lab:
    more = {"adopt": list(adopt)} if adopt else {}
    imported = Imported(imported.lab, {**imported.sections, **more}, (), imported.head)
    return load_text(spec_text(imported), folder / "lab.yaml")


def test_a_compose_project_is_adopted(stack: Path, lab_name: str, host: Host) -> None:
    before = objects(lab_name)
    imported = import_compose(ComposeFiles((stack / "compose.yaml",), stack, name=lab_name))
    everything = ("service.web", "service.db", "network.back", "network.default", "volume.data")
    stranger = workflow.make_plan(loaded(imported, stack), host)
    assert stranger.problems, "without 'adopt' they are somebody else's"

    lab = loaded(imported, stack, *everything)
    plan = workflow.make_plan(lab, host)
    assert {change.address: change.action for change in plan.changes} == dict.fromkeys(everything, Action.ADOPT)
    assert not plan.problems
    outcome = workflow.apply(lab, host)
    assert not outcome.failed
    assert objects(lab_name) == before
    assert workflow.make_plan(lab, host).empty
    kept = loaded(imported, stack)
    assert workflow.make_plan(kept, host).empty, "the record stands once they are adopted"

    # A lost record makes them foreign: nothing is removed.
    record = host.state.root / lab_name / "adopted.json"
    content = record.read_bytes()
    record.unlink()
    assert workflow.make_plan(kept, host, destroy=True).empty
    record.write_bytes(content)

    removal = workflow.make_plan(kept, host, destroy=True)
    assert {change.address for change in removal.changes} == set(everything)
    assert all("adopted" in " ".join(change.warnings) for change in removal.changes)
    assert not workflow.apply(kept, host, destroy=True).failed
    assert objects_left(lab_name) == []
    assert not record.exists()


def objects_left(project: str) -> list[str]:
    label = ["--filter", f"label=com.docker.compose.project={project}"]
    return [
        found
        for kind in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"])
        for found in docker(*kind, *label).split()
    ]


def test_what_differs_is_told_in_the_same_plan(stack: Path, lab_name: str, host: Host) -> None:
    imported = import_compose(ComposeFiles((stack / "compose.yaml",), stack, name=lab_name))
    services = imported.sections["services"]
    services["db"]["mem_limit"] = "32m"
    services["web"]["environment"]["A"] = "2"
    lab = loaded(imported, stack, "service.web", "service.db", "network.default", "network.back", "volume.data")
    changes = {change.address: change for change in workflow.make_plan(lab, host).changes}
    assert changes["service.db"].action is Action.UPDATE
    assert changes["service.db"].reason.startswith("the spec adopts it; mem_limit")
    assert changes["service.web"].action is Action.REPLACE
    assert any("not made by labspec" in warning for warning in changes["service.web"].warnings)
    assert not workflow.apply(lab, host).failed
    assert workflow.make_plan(lab, host).empty
