"""A pod's files: the line of the seed's report, and a Quadlet file whose values cannot add a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from example_labs import copied

from labspec.core.resource import Resource
from labspec.outputs.render import render
from labspec.outputs.rkt import image, quadlet, rkt_artifacts
from labspec.spec.loader import load

LINE = (
    "systemd-run rkt --insecure-options=image --stage1-name=coreos.com/rkt/stage1-fly:1.29.0 run docker://alpine "
    "--exec /bin/sleep -- 9999"
)


def test_the_examples_files(tmp_path: Path) -> None:
    lab = load(copied("rkt-fly", tmp_path), variables={}, variable_files=[])
    render(lab, tmp_path / "out")
    assert (tmp_path / "out/rkt/sleeper.sh").read_text() == f"#!/bin/sh\n{LINE}\n"
    assert (tmp_path / "out/rkt/sleeper.container").read_text() == (
        "[Unit]\nDescription=sleeper, as a pod of rkt was\n\n[Container]\nImage=docker.io/library/alpine:latest\n"
        "PodmanArgs=--entrypoint=/bin/sleep\nExec=9999\nNetwork=host\nPodmanArgs=--pid=host --ipc=host --uts=host\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def keys(**desired: Any) -> list[str]:
    text = quadlet("x", {"image": "docker://alpine", **desired})
    return text.partition("[Container]\n")[2].partition("\n\n")[0].splitlines()[1:]


def test_isolation_is_the_stage1s() -> None:
    assert keys(net="host", caps_retain=["CAP_KILL"], readonly_rootfs=True, cpu="500m", memory="64Mi") == [
        "Network=host",
        "DropCapability=all",
        "AddCapability=CAP_KILL",
        "ReadOnly=true",
        "PodmanArgs=--cpus=0.5",
        "PodmanArgs=--memory=64m",
    ]
    assert keys(ports=["80-tcp:8080", "53-udp:127.0.0.1:53"], hostname="web", dns=["10.0.0.1"]) == [
        "HostName=web",
        "DNS=10.0.0.1",
        "PublishPort=8080:80/tcp",
        "PublishPort=127.0.0.1:53:53/udp",
    ]


def test_volumes_and_variables() -> None:
    volumes = {"data": {"kind": "host", "source": "/srv/data", "read_only": True}, "scratch": {"kind": "empty"}}
    mounts = [{"volume": "data", "target": "/data"}, {"volume": "scratch", "target": "/tmp"}]
    assert keys(volumes=volumes, mounts=mounts, set_env={"A": "1", "B": "1"}, environment={"B": "2"}) == [
        "Environment=A=1",
        "Environment=B=2",
        "Volume=/srv/data:/data:ro",
        "Volume=/tmp",
    ]


def test_values_stay_what_they_are() -> None:
    assert keys(args=["a b", "$HOME", "100%", 'say "hi"', "\\", "", "a;b", ";"]) == [
        'Exec="a b" $$HOME 100%% "say \\"hi\\"" "\\\\" "" "a;b" ";"'
    ]


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("docker://alpine", "docker.io/library/alpine:latest"),
        ("docker://alpine:3.6", "docker.io/library/alpine:3.6"),
        ("docker://grafana/grafana", "docker.io/grafana/grafana:latest"),
        ("docker://registry.lab:5055/alpine", "registry.lab:5055/alpine:latest"),
        ("docker://localhost/alpine:1", "localhost/alpine:1"),
    ],
)
def test_images_have_their_whole_name(reference: str, name: str) -> None:
    assert image(reference) == name


def test_an_appc_image_has_no_quadlet_file() -> None:
    pod = Resource("rkt.x", "rkt", "x", {"image": "coreos.com/etcd:v3.1"})
    assert [artifact.path for artifact in rkt_artifacts(pod)] == ["rkt/x.sh"]
