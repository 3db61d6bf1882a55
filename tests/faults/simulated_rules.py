"""The rules that a simulated run is held to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from simulated import World
from simulated_labs import FILES, GROUPS, NAME, owned
from simulated_people import STRANGER
from simulated_run import Run, host_of
from simulated_services import CONFIG
from simulated_services import UNITS as SYSTEMD

from labspec.core.diagnostic import LabError


def foreign(world: World) -> dict[str, Any]:
    """Return all that is not the lab's, to be compared."""
    return deepcopy(
        {
            "containers": [item for item in world.containers.values() if not owned(item["Config"])],
            "networks": [item for item in world.networks.values() if not owned(item)],
            "volumes": [item for item in world.volumes.values() if not owned(item)],
            "images": [item for item in world.images.values() if not owned(item["Config"])],
            "files": {path: state for path, state in world.files.items() if path not in FILES},
            "groups": {name: group for name, group in world.groups.items() if name not in GROUPS},
            "unit": (
                world.services.text(STRANGER),
                (SYSTEMD / f"multi-user.target.wants/{STRANGER}").is_symlink(),
                world.services.units[STRANGER].starts,
            ),
            "docker": (json.loads(CONFIG.read_bytes()) if CONFIG.exists() else {}).get("max-concurrent-downloads"),
            "staff": "eve" in world.groups["staff"][1],
        }
    )


def check_whole(run: Run, before: dict[str, Any]) -> None:
    """Check what must hold at every time: what is foreign is as it was, and no file is partly written."""
    now = foreign(run.world)
    for kind, found in now.items():
        if found != before[kind]:
            run.fail(f"foreign {kind} changed: {found}, not {before[kind]}")
    if not run.world.services.active and run.world.services.timer is None:
        run.fail("dockerd does not run, and nothing will start it")
    try:
        host_of(run).journal(NAME).entries()
    except LabError as error:
        run.fail(f"the journal is broken: {error}")


def check_back(run: Run, taken_back: Sequence[str], before: dict[str, Any]) -> None:
    """Check that what an apply says to have put back is as it was before it, edited by hand or not."""
    now = {"files": run.world.files, "groups": run.world.groups, "services": run.world.services.told()}
    for address in taken_back:
        was, found = (list(_told(address, told)) for told in (before, now))
        if found != was:
            run.fail(f"{address} was not put back: it is {found}, not {was}")


def _told(address: str, host: dict[str, Any]) -> Iterator[Any]:
    """Yield what a host has of a setting."""
    kind, _, name = address.partition(".")
    services = host["services"]
    if kind == "file":
        yield host["files"].get(name)
    elif kind == "group":
        number, members = host["groups"].get(name, (None, ()))
        yield number, sorted(members)
    elif kind == "unit":
        yield services["units"].get(f"units/{name}")
        yield services["units"].get(f"units/multi-user.target.wants/{name}")
        yield name in services["running"]
    elif kind == "daemon":
        yield json.loads(services["docker"]) if services["docker"] != "(nothing)" else None


def check_services(run: Run, before: dict[str, Any]) -> None:
    """Check that a destroy has brought the services back to what they were."""
    now = run.world.services.told()
    for told in (now, before):
        if run.edited_docker and told["docker"] != "(nothing)":
            told["docker"] = json.loads(told["docker"])
    for key, was in before.items():
        if now[key] != was:
            run.fail(f"destroy left {key} as {now[key]}, not {was}")


def check_gone(run: Run, originals: dict[str, Any], groups: dict[str, Any]) -> None:
    world = run.world
    left = [item["Name"] for item in world.containers.values() if owned(item["Config"])]
    left += [item["Name"] for kind in (world.networks, world.volumes) for item in kind.values() if owned(item)]
    left += [str(item["RepoTags"]) for item in world.images.values() if owned(item["Config"])]
    if left:
        run.fail(f"destroy left {left}")
    for path, was in originals.items():
        if world.files.get(path) != was:
            run.fail(f"destroy left {path} as {world.files.get(path)}, not {was}")
    for name in GROUPS:
        now, was = world.groups.get(name), groups.get(name)
        if (now and (now[0], sorted(now[1]))) != (was and (was[0], sorted(was[1]))):
            run.fail(f"destroy left group {name} as {now}, not {was}")
    may_keep = run.edited_files or run.stuck
    rest = [path.name for path in run.root.glob("*/*") if not (may_keep and path.name.startswith("kept-"))]
    if rest:
        run.fail(f"destroy left {rest} in labspec's folder")
