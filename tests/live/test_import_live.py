"""What runs on a host becomes a lab's as it is: same containers before and after, and nothing left to do."""

from __future__ import annotations

import json
import shlex
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
from labspec.imports.live import Choice, import_live
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


BUILT = """
services:
  web:
    build: ./web
    command: [sleep, "900"]
    stop_signal: SIGKILL
"""


@pytest.fixture
def built(lab_name: str, busybox: str, tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a compose project that builds its image, and is up, without labspec."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").write_text(f"FROM {busybox}\nCOPY page /page\n")
    (tmp_path / "web/page").write_text("one")
    (tmp_path / "compose.yaml").write_text(BUILT)
    docker("compose", "-p", lab_name, "up", "-d", folder=tmp_path)
    yield tmp_path
    subprocess.run(
        ["docker", "compose", "-p", lab_name, "down"], capture_output=True, check=False, timeout=120, cwd=tmp_path
    )
    subprocess.run(["docker", "rmi", f"{lab_name}-web"], capture_output=True, check=False, timeout=60)


def image_id(reference: str) -> str:
    return docker("image", "ls", "--quiet", "--no-trunc", reference).strip()


def test_a_built_image_is_adopted_and_from_then_on_follows_its_dockerfile(
    built: Path, lab_name: str, host: Host
) -> None:
    before, image = objects(lab_name), image_id(f"{lab_name}-web")
    imported = import_compose(ComposeFiles((built / "compose.yaml",), built, name=lab_name))
    services = ("service.web", "network.default")
    foreign = workflow.make_plan(loaded(imported, built, *services), host)
    assert any("was not made by labspec" in problem.message for problem in foreign.problems)

    lab = loaded(imported, built, *services, "image.web")
    plan = workflow.make_plan(lab, host)
    assert {change.action for change in plan.changes} == {Action.ADOPT}
    assert any("cannot see what it was made of" in warning for change in plan.changes for warning in change.warnings)
    assert not workflow.apply(lab, host).failed
    assert (objects(lab_name), image_id(f"{lab_name}-web")) == (before, image)
    assert workflow.make_plan(loaded(imported, built), host).empty

    (built / "web/page").write_text("two")
    lab = loaded(imported, built)
    changes = {change.address: change for change in workflow.make_plan(lab, host).changes}
    assert {address: change.action for address, change in changes.items()} == {
        "image.web": Action.REPLACE,
        "service.web": Action.REPLACE,
    }
    assert not workflow.apply(lab, host).failed
    assert image_id(f"{lab_name}-web") not in ("", image)
    assert host.docker.find(f"/images/{image}/json") is None, "nothing needs the old one"
    assert workflow.make_plan(lab, host).empty
    assert not workflow.apply(lab, host, destroy=True).failed
    assert (objects_left(lab_name), image_id(f"{lab_name}-web")) == ([], "")


def test_images_are_used_as_they_are_or_adopted_as_a_dockerfile_makes_them(
    built: Path, lab_name: str, busybox: str, host: Host
) -> None:
    before, image = objects(lab_name), image_id(f"{lab_name}-web")
    choice = Choice(projects=(lab_name,), images=(f"{lab_name}-web={built}/web",), labels=("no.such=label",))
    imported = import_live(host, choice, folder=built)
    key = f"{lab_name}-web"
    assert imported.sections["images"] == {key: {"dockerfile": "web/Dockerfile", "tag": f"{lab_name}-web:latest"}}
    assert f"image.{key}" in imported.sections["adopt"]
    assert imported.losses == ()
    lab = load_text(spec_text(imported), built / "lab.yaml")
    assert not workflow.apply(lab, host).failed
    assert (objects(lab_name), image_id(key)) == (before, image)
    assert workflow.make_plan(lab, host).empty

    docker("tag", busybox, f"{lab_name}/extra:1")
    try:
        other = import_live(host, Choice(images=(f"{lab_name}/extra:1",)), f"{lab_name}-b", built)
        assert other.sections == {"images": {"extra": {"external": True, "tag": f"{lab_name}/extra:1"}}}
        using = load_text(spec_text(other), built / "lab.yaml")
        assert workflow.make_plan(using, host).empty
        assert workflow.make_plan(using, host, destroy=True).empty
    finally:
        docker("rmi", f"{lab_name}/extra:1")
    (problem,) = workflow.make_plan(using, host).problems
    assert f"this host has no image named {lab_name}/extra:1, and it is external" in problem.message
    assert not workflow.apply(lab, host, destroy=True).failed


@pytest.mark.usefixtures("stack")
def test_the_images_of_containers_come_along(lab_name: str, busybox: str, host: Host) -> None:
    imported = import_live(host, Choice(projects=(lab_name,), used_images=True))
    assert imported.sections["images"] == {"busybox": {"external": True, "tag": busybox}}
    assert imported.losses == ()


OPTIONS = (
    "",
    "-it --init --read-only --tmpfs /run:size=1m,mode=700 -w /srv -u 1000:1000 -h box --domainname example.org "
    "-e A=1 -e 'B=two words' -l one=1 --annotation a=b --stop-timeout 7",
    "--memory 64m --memory-swap 128m --cpus 0.5 --cpu-shares 512 --pids-limit 50 --shm-size 16m --oom-score-adj 100 "
    "--health-cmd 'test -e /' --health-interval 5s --health-retries 4 --log-opt max-size=1m --log-opt max-file=2",
    "--cap-add NET_ADMIN --cap-drop MKNOD --security-opt no-new-privileges --security-opt seccomp=unconfined "
    "--add-host h:10.0.0.1 --dns 10.0.0.2 --dns-option ndots:2 --dns-search example.org",
    "--privileged --pid host --ipc host --uts host --userns host --cgroupns host --network host",
    "--ulimit nofile=100:200 --ulimit nproc=50 --group-add 1001 --device /dev/null:/dev/n:r --restart on-failure:3 "
    "--no-healthcheck -p 127.0.0.1::80 -p 127.0.0.1::81/udp --expose 90",
    "--network {network} --network-alias www --ip 10.231.92.7",
    "--network none -v {folder}:/data:ro -v /anonymous -v {volume}:/named "
    "--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777",
    "--mount type=bind,src={folder},dst=/b,readonly --mount type=volume,src={volume},dst=/v --entrypoint /bin/sleep",
)


def test_a_project_is_written_down_and_adopted(stack: Path, lab_name: str, host: Host) -> None:
    before = objects(lab_name)
    imported = import_live(host, Choice(projects=(lab_name,)))
    assert (imported.lab, imported.losses) == (lab_name, ())
    assert set(imported.sections["services"]) == {"web", "db"}
    assert imported.sections["services"]["web"]["deploy"] == {"replicas": 2}
    assert imported.sections["volumes"] == {"data": {"labels": {"keep": "yes"}}}
    lab = load_text(spec_text(imported), stack / "lab.yaml")
    assert {change.action for change in workflow.make_plan(lab, host).changes} == {Action.ADOPT}
    assert not workflow.apply(lab, host).failed
    assert objects(lab_name) == before
    assert workflow.make_plan(lab, host).empty


def test_containers_of_docker_run_are_adopted(lab_name: str, busybox: str, host: Host, tmp_path: Path) -> None:
    names = {"network": f"{lab_name}-net", "volume": f"{lab_name}-vol", "folder": str(tmp_path)}
    docker("network", "create", "--subnet", "10.231.92.0/24", names["network"])
    containers = [f"{lab_name}-{number}" for number in range(len(OPTIONS))]
    try:
        for name, options in zip(containers, OPTIONS, strict=True):
            words = shlex.split(options.format(**names))
            last = ["900"] if "--entrypoint" in words else ["sleep", "900"]
            docker("run", "-d", "--name", name, "--stop-signal", "SIGKILL", *words, busybox, *last)
        choice = Choice(tuple(containers), networks=(names["network"],), volumes=(names["volume"],))
        imported = import_live(host, choice, lab_name)
        assert [str(loss.diagnostic()) for loss in imported.losses] == []
        lab = load_text(spec_text(imported), tmp_path / "lab.yaml")
        before = {item["Id"]: item["State"]["StartedAt"] for item in json.loads(docker("inspect", *containers))}
        dangers = frozenset(danger.name for danger in workflow.make_plan(lab, host).dangers)
        assert not workflow.apply(lab, host, allow=dangers).failed
        assert {item["Id"]: item["State"]["StartedAt"] for item in json.loads(docker("inspect", *containers))} == before
        assert workflow.make_plan(lab, host).empty
        assert not workflow.apply(lab, host, destroy=True).failed
        assert docker("ps", "-aq", "--filter", f"name={lab_name}") == ""
        assert names["network"] not in docker("network", "ls")
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", *containers], capture_output=True, check=False, timeout=120)
        subprocess.run(["docker", "network", "rm", names["network"]], capture_output=True, check=False, timeout=60)
        subprocess.run(["docker", "volume", "rm", names["volume"]], capture_output=True, check=False, timeout=60)
