"""A container of `docker create` and the one that an import of the same command makes are alike in all their traits."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labspec.engine import workflow
from labspec.host.host import Host
from labspec.imports.compose_check import differences
from labspec.imports.report import Imported
from labspec.imports.run import import_run
from labspec.imports.writing import spec_text
from labspec.spec.loader import load_text

pytestmark = pytest.mark.live

COMMANDS = (
    "",
    "-it --init --read-only --tmpfs /run:size=1m,mode=700 -w /srv -u 1000:1000 -h box --domainname example.org",
    "-e A=1 -e 'B=two words' -e C= -l one=1 -l two --annotation a=b --stop-signal SIGINT --stop-timeout 7",
    "--memory 64m --memory-reservation 32m --memory-swap 128m --cpus 0.5 --cpu-shares 512 --pids-limit 50",
    "--cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --oom-score-adj 100 --shm-size 16m --oom-kill-disable=false",
    "--cap-add NET_ADMIN --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=unconfined",
    "--privileged --pid host --ipc private --uts host --userns host --cgroupns host",
    "--ulimit nofile=100:200 --ulimit nproc=50 --sysctl net.ipv4.ip_forward=1 --group-add 1001",
    "--device /dev/null:/dev/n:r --read-only",
    "--health-cmd 'test -e /' --health-interval 5s --health-timeout 1s --health-retries 4 --health-start-period 2s",
    "--no-healthcheck --restart on-failure:3 --log-driver json-file --log-opt max-size=1m --log-opt max-file=2",
    "-p 127.0.0.1::80 -p 127.0.0.1::81/udp --expose 90 --expose 91-92/udp",
    "--network none",
    "--network host",
    "--add-host h:10.0.0.1 --add-host gate:host-gateway --dns 10.0.0.2 --dns-option ndots:2 --dns-search example.org",
    "--network {network} --network-alias www --network-alias web --mac-address 92:d0:c6:0a:29:33",
    "--network name={network},alias=a,ip=10.231.91.7",
    "-v {folder}:/data:ro -v {folder}/new:/new -v /anonymous -v {volume}:/named",
    "--mount type=tmpfs,dst=/t,tmpfs-size=1m",
    "--mount type=bind,src={folder},dst=/b,readonly,bind-propagation=rslave --mount type=volume,src={volume},dst=/v",
    "--entrypoint /bin/echo",
    "--device-cgroup-rule 'c 1:3 mr' --blkio-weight 0 --runtime runc --cgroup-parent /labspec-test",
)
SESSION = ("Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce", "Labels", "MacAddress")
"""What names a container, or is about the terminal of who made it; its MAC address is that of the network."""
MAC = "92:d0:c6:0a:29:33"


@pytest.fixture
def network(lab_name: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the names of a network, a volume and a folder for the commands."""
    names = {"network": f"{lab_name}-run-net", "volume": f"{lab_name}-run-vol", "folder": str(tmp_path)}
    docker("network", "create", "--subnet", "10.231.91.0/24", names["network"])
    yield names
    docker("network", "rm", names["network"])


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def inspected(*names: str) -> list[Any]:
    found: list[Any] = json.loads(docker("inspect", *names))
    return found


def traits(container: Any) -> dict[str, Any]:
    """Return what a container is, without what names or dates it, or says where a mount is written down."""
    config = {key: value for key, value in container["Config"].items() if key not in SESSION}
    config["Env"] = sorted(config["Env"] or ())
    if container["Config"]["Hostname"] != container["Id"][:12]:
        config["Hostname"] = (container["Config"]["Hostname"], container["Config"]["Domainname"])
    config["Labels"] = {
        name: value
        for name, value in (container["Config"]["Labels"] or {}).items()
        if not name.startswith(("io.labspec.", "com.docker.compose."))
    }
    host = {key: value for key, value in container["HostConfig"].items() if key not in ("Binds", "Mounts")}
    host["Ulimits"] = sorted(host["Ulimits"] or (), key=lambda limit: str(limit["Name"]))
    host["ExtraHosts"] = sorted(host["ExtraHosts"] or ())
    host["CapAdd"] = [name.removeprefix("CAP_") for name in host["CapAdd"] or ()]
    host["CapDrop"] = [name.removeprefix("CAP_") for name in host["CapDrop"] or ()]
    mounts = sorted(
        (mount["Type"], mount["Destination"], mount["RW"], mount.get("Propagation", ""), named(mount))
        for mount in container["Mounts"]
    )
    networks = {
        name: {
            "aliases": sorted(set(found["Aliases"] or ()) & {"www", "web", "a"}),
            "ipam": found["IPAMConfig"],
            "mac": found["MacAddress"] if found["MacAddress"] == MAC else None,
        }
        for name, found in container["NetworkSettings"]["Networks"].items()
    }
    if host["NetworkMode"] not in ("bridge", "host", "none"):
        host["NetworkMode"] = next(iter(networks))  # the engine has its name from one, and its id from the other
    return {"config": plain(config), "host": plain(host), "mounts": mounts, "networks": plain(networks)}


def named(mount: Any) -> str:
    """Return what is mounted; an anonymous volume has no name of its own."""
    return (
        mount["Source"] if mount["Type"] == "bind" else mount.get("Name", "")[:20] * (len(mount.get("Name", "")) != 64)
    )


def plain(value: Any) -> Any:
    """Return a value in which nothing is nothing, however it is written."""
    if isinstance(value, dict):
        return {key: found for key, item in value.items() if (found := plain(item)) not in (None, {}, [], "")}
    return value


def test_an_import_makes_the_same_containers(
    network: dict[str, str], lab_name: str, busybox: str, host: Host, tmp_path: Path
) -> None:
    originals, services, wrong = [], {}, []
    sections: dict[str, Any] = {}
    for number, options in enumerate(COMMANDS):
        words = ["docker", "create", *shlex.split(options.format(**network)), busybox, "sleep", "300"]
        originals.append(docker(*words[1:]).strip())
        imported = import_run(words, tmp_path, {})
        assert not imported.losses
        ((_, service),) = imported.sections["services"].items()
        services[f"c{number}"] = service
        for section in ("networks", "volumes"):
            sections.setdefault(section, {}).update(imported.sections.get(section, {}))
    sections["volumes"][network["volume"]]["external"] = True  # the first command has made it
    try:
        lab = load_text(spec_text(Imported(lab_name, {**sections, "services": services})), tmp_path / "lab.yaml")
        workflow.apply(lab, host, allow=frozenset(danger.name for danger in workflow.make_plan(lab, host).dangers))
        mine = {item["Name"]: traits(item) for item in inspected(*(f"{lab_name}-c{n}-1" for n in range(len(COMMANDS))))}
        for number, original in enumerate(inspected(*originals)):
            found = list(differences(traits(original), mine[f"/{lab_name}-c{number}-1"]))
            wrong += [f"{COMMANDS[number]}: {found}"] if found else []
        assert not wrong, "\n".join(wrong)
    finally:
        docker("rm", "-f", "-v", *originals)
        docker("rm", "-f", "-v", *docker("ps", "-aq", "--filter", f"label=io.labspec.lab={lab_name}").split())
        docker("volume", "rm", "-f", network["volume"])
