"""Who else is on the simulated host: what they have there, and what they do to the lab by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from simulated import World
from simulated_engine import container, image
from simulated_labs import FILES, IMAGES, UNITS, WRITTEN, owned
from simulated_run import Run
from simulated_services import CONFIG, write
from simulated_services import UNITS as SYSTEMD

from labspec.host.system import FileState

STRANGER = "stranger.service"


def furnish(run: Run) -> None:
    """Give the host what is not the lab's."""
    world = run.world
    for tag in IMAGES:
        image(world, tag)
    base = next(iter(world.images.values()))
    world.networks["f" * 64] = plain_network("f" * 64, "sim_stranger")
    world.volumes["sim_stranger"] = {"Name": "sim_stranger", "Driver": "local", "Options": {}, "Labels": {}}
    world.containers["e" * 64] = container("e" * 64, "sim-stranger-1", base, labels={"whose": "nobody"})
    world.files.update(
        {"/etc/labspec-sim-a": file_state(b"of before\n", "0640"), "/etc/other": file_state(b"other\n", "0644")}
    )
    world.groups.update({"staff": (50, ("eve",)), "others": (51, ("ada", "bob"))})
    _furnish_services(run)


def _furnish_services(run: Run) -> None:
    """Give the host two units of its own, and dockerd a file, or none."""
    services, random = run.world.services, run.random
    for name in (STRANGER, UNITS[-1]):
        text = (
            f"[Unit]\nDescription={name}\n[Service]\nExecStart=/bin/sleep 99\n[Install]\nWantedBy=multi-user.target\n"
        )
        write(str(SYSTEMD / name), file_state(text.encode(), "0644"))
        if name == STRANGER or random.random() < 0.5:
            services.systemctl("enable", [name])
        if name == STRANGER or random.random() < 0.5:
            services.systemctl("start", [name])
    if random.random() < 0.5:
        write(str(CONFIG), file_state(b'{\n\t"max-concurrent-downloads":2 ,\n "debug" : false}', "0640"))
    services.systemctl("restart", ["docker.service"])


def plain_network(identity: str, name: str) -> dict[str, Any]:
    return {"Id": identity, "Name": name, "Driver": "bridge", "Options": {}, "Labels": {}, "IPAM": {"Config": []}}


def file_state(content: bytes, mode: str) -> Any:
    return FileState(content, mode, 0, 0)


def appear(world: World, kind: str, name: str, guests: list[tuple[str, str]]) -> None:
    """Have somebody else make an object of a name that labspec is about to use."""
    there = {item["Name"] for item in getattr(world, kind).values()}
    if not guests and name not in there:
        getattr(world, kind)[name] = guest(kind, name)
        guests.append((kind, name))


def guest(kind: str, name: str) -> dict[str, Any]:
    if kind == "networks":
        return plain_network(name, name)
    return {"Name": name, "Driver": "local", "Options": {}, "Labels": {}}


def drift(run: Run) -> None:
    """Have somebody on the host change something of the lab."""
    kind = run.random.randrange(11)
    _drift(run, kind)
    run.story.append(f"drift {kind}")


def edit(run: Run) -> None:
    """Have somebody on the host edit all settings of the lab: files, groups, units, daemon.json."""
    for kind in (3, 4, 10):
        _drift(run, kind)
    for name in UNITS[:-1]:
        _edit_unit(run, name)
    run.story.append("somebody edits the settings")


def _drift(run: Run, kind: int) -> None:
    world, random = run.world, run.random
    mine = [item for item in world.containers.values() if owned(item["Config"])]
    if kind == 0 and mine:
        item = random.choice(mine)
        item["State"] = {"Status": "exited", "Running": False, "ExitCode": 1, "Error": ""}
    elif kind == 1 and mine:
        del world.containers[random.choice(mine)["Id"]]
    elif kind == 2 and mine:
        random.choice(mine)["HostConfig"]["Memory"] = 7 * 2**20
    elif kind == 3:
        for path in FILES:
            if path in world.files and world.files[path].content.startswith(WRITTEN):
                world.files[path] = file_state(b"by hand\n", random.choice(("0644", "0600")))
                run.edited_files = True
    elif kind == 4:
        if "simone" in world.groups:
            number, members = world.groups["simone"]
            world.groups["simone"] = (number, tuple(user for user in members if user != "ada"))
    elif kind == 5 and mine:
        item = random.choice(mine)
        item["Name"] = f"/renamed-{item['Id'][:6]}"
    elif kind == 6:
        for twin in [deepcopy(item) for item in world.networks.values() if owned(item)][:1]:
            twin["Id"] = world.identity()
            world.networks[twin["Id"]] = twin
    elif kind > 6:
        _drift_of_services(run, kind)


def _drift_of_services(run: Run, kind: int) -> None:
    services, name = run.world.services, run.random.choice(UNITS[:-1])
    text = services.text(name)
    if kind == 7 and text:
        services.systemctl("stop", [name])
    elif kind == 8:
        _edit_unit(run, name)
    elif kind == 9 and text:
        services.systemctl(run.random.choice(("enable", "disable")), [name])
    elif kind == 10 and CONFIG.exists() and b'"mtu"' in CONFIG.read_bytes():
        values = json.loads(CONFIG.read_bytes())
        write(str(CONFIG), file_state(json.dumps({**values, "mtu": 1299}).encode(), "0640"))
        run.edited_docker = True


def _edit_unit(run: Run, name: str) -> None:
    services = run.world.services
    text = services.text(name)
    if not text:
        return
    edited = text.replace("ExecStart=/bin/sleep ", "ExecStart=/bin/sleep 77").encode() + b"# by hand\n"
    write(str(SYSTEMD / name), file_state(edited, "0644"))
    if run.random.random() < 0.5:
        services.systemctl("daemon-reload", ())
