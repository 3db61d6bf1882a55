"""Control groups of both versions, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from labspec.engine.views.cgroupfiles import Hierarchy, Measures, hierarchies, measures, version_of

V1_MOUNTS = """
30 20 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 20 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
32 20 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
"""
UNIFIED = "33 20 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
V2_MOUNTS = "33 20 0:33 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
V1 = "4:memory:/docker/c1\n3:cpu,cpuacct:/docker/c1\n2:name=systemd:/docker/c1\n1:pids:/docker/c1\n"


def written(folder: Path, **files: str) -> Path:
    """Return a folder with files; a dot in a name is spelt __."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_version_1_has_a_tree_for_each_controller() -> None:
    found = hierarchies(V1, V1_MOUNTS)
    assert found == (
        Hierarchy(1, ("memory",), "/docker/c1", Path("/sys/fs/cgroup/memory/docker/c1")),
        Hierarchy(1, ("cpu", "cpuacct"), "/docker/c1", Path("/sys/fs/cgroup/cpu,cpuacct/docker/c1")),
        Hierarchy(1, ("name=systemd",), "/docker/c1", Path("/sys/fs/cgroup/systemd/docker/c1")),
        Hierarchy(1, ("pids",), "/docker/c1", None),
    )
    assert version_of(found) == "v1"


def test_version_2_has_one_tree() -> None:
    found = hierarchies("0::/system.slice/docker-c1.scope\n", V2_MOUNTS)
    place = Path("/sys/fs/cgroup/system.slice/docker-c1.scope")
    assert found == (Hierarchy(2, (), "/system.slice/docker-c1.scope", place),)
    assert version_of(found) == "v2"


def test_both_may_be_there() -> None:
    found = hierarchies(f"{V1}0::/docker/c1\n", V1_MOUNTS + UNIFIED)
    assert version_of(found) == "hybrid"
    assert found[-1].folder == Path("/sys/fs/cgroup/unified/docker/c1")


@pytest.mark.parametrize(
    ("root", "path", "folder"),
    [
        ("/docker/c1", "/docker/c1", Path("/sys/fs/cgroup")),
        ("/docker/c1", "/docker/c1/app", Path("/sys/fs/cgroup/app")),
        ("/docker/c1", "/docker/c12", None),
        ("/", "/../c2", None),
    ],
)
def test_a_part_of_a_tree_may_be_mounted(root: str, path: str, folder: Path | None) -> None:
    (found,) = hierarchies(f"0::{path}\n", f"33 20 0:33 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    assert found.folder == folder


def test_limits_and_use_of_version_1(tmp_path: Path) -> None:
    memory = written(
        tmp_path / "memory",
        memory__limit_in_bytes="104857600\n",
        memory__usage_in_bytes="1048576\n",
        memory__memsw__limit_in_bytes="9223372036854771712\n",
        cgroup__procs="7\n8\n",
    )
    written(memory / "below", cgroup__procs="9\n")
    cpu = written(tmp_path / "cpu", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000", cpu__shares="512")
    written(cpu, cpuacct__usage="2500000000")
    io = written(
        tmp_path / "io",
        blkio__throttle__read_bps_device="8:0 1048576\n",
        blkio__throttle__io_service_bytes="8:0 Read 4096\n8:0 Write 10\n8:16 Read 1\nTotal 4107\n",
        blkio__weight="300",
    )
    found = measures(
        (
            Hierarchy(1, ("memory",), "/c", memory),
            Hierarchy(1, ("cpu", "cpuacct"), "/c", cpu),
            Hierarchy(1, ("blkio",), "/c", io),
            Hierarchy(2, (), "/c", tmp_path),
        )
    )
    assert found == Measures(
        memory_limit=104857600,
        memory_used=1048576,
        cpus=0.5,
        cpu_weight=512,
        cpu_seconds=2.5,
        io_weight=300,
        io_limits=("8:0 rbps=1048576",),
        io_read=4097,
        io_written=10,
        tasks=3,
    )


def test_what_others_use_in_a_wider_group_is_not_told(tmp_path: Path) -> None:
    memory = written(
        tmp_path / "memory", memory__limit_in_bytes="4096", memory__usage_in_bytes="1024", cgroup__procs="7"
    )
    cpu = written(tmp_path / "cpu", cpu__shares="512", cpuacct__usage="2500000000", cgroup__procs="7\n8\n9\n")
    found = measures(
        (
            Hierarchy(1, ("memory",), "/system.slice/nap.service", memory),
            Hierarchy(1, ("cpu", "cpuacct"), "/system.slice", cpu),
        )
    )
    assert found == Measures(memory_limit=4096, memory_used=1024, cpu_weight=512, tasks=1)


def test_limits_and_use_of_version_2(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        memory__max="max\n",
        memory__current="2097152\n",
        memory__swap__max="0\n",
        cpu__max="150000 100000\n",
        cpu__weight="100\n",
        cpu__stat="usage_usec 1500000\nuser_usec 1\n",
        cpuset__cpus__effective="0-1\n",
        pids__max="50\n",
        pids__current="3\n",
        io__weight="default 200\n8:0 300\n",
        io__max="8:0 rbps=1048576 wbps=max riops=max wiops=max\n",
        io__stat="8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=5 wbytes=0\n",
        cgroup__procs="7\n",
    )
    assert measures((Hierarchy(2, (), "/c", folder),)) == Measures(
        memory_limit=None,
        memory_used=2097152,
        swap_limit=0,
        cpus=1.5,
        cpu_weight=100,
        cpu_seconds=1.5,
        cpuset="0-1",
        pids_limit=50,
        pids=3,
        io_weight=200,
        io_limits=("8:0 rbps=1048576 wbps=max riops=max wiops=max",),
        io_read=15,
        io_written=20,
        tasks=1,
    )


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    assert measures((Hierarchy(2, (), "/c", written(tmp_path, cpu__max="max 100000\n")),)) == Measures(tasks=0)
    assert measures((Hierarchy(2, (), "/c", None),)) == Measures()
