"""Lines of mountinfo, and where on the host they come from."""

from __future__ import annotations

import pytest

from labspec.engine.views.mountinfo import mounts, on_host, visible

CONTAINER = r"""
900 800 0:70 / / rw,relatime master:300 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w
901 900 0:71 / /app rw,relatime master:7 - tmpfs tmpfs rw,size=102400k,uid=1000
902 900 254:1 /var/lib/docker/containers/c1/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw
903 900 0:25 /docker.sock /var/run/docker.sock rw,nosuid shared:5 master:5 - tmpfs tmpfs rw,mode=755
904 900 254:1 /srv/with\040space\134x /data\040here ro,relatime unbindable - ext4 /dev/vda1 rw
905 900 0:90 / /tmp rw,nosuid - tmpfs tmpfs rw
906 905 0:91 / /tmp ro - tmpfs tmpfs rw
a line that is none
"""
HOST = """
20 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
25 20 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,mode=755
26 20 254:1 /srv /mnt/elsewhere rw shared:1 - ext4 /dev/vda1 rw
71 20 0:71 / /var/lib/docker/volumes/tp_foo/_data rw shared:7 - tmpfs tmpfs rw,size=102400k
"""


def test_a_line_is_taken_apart() -> None:
    found = {mount.target: mount for mount in mounts(CONTAINER)}
    data = found["/data here"]
    assert (data.root, data.fstype, data.source, data.propagation) == (
        "/srv/with space\\x",
        "ext4",
        "/dev/vda1",
        "unbindable",
    )
    assert data.read_only
    assert data.every_option == ("ro", "relatime")
    assert found["/app"].whole == ("rw", "size=102400k", "uid=1000")


@pytest.mark.parametrize(
    ("target", "propagation"),
    [("/", "slave"), ("/etc/hosts", "private"), ("/var/run/docker.sock", "shared and slave")],
)
def test_tags_say_which_mounts_are_passed_on(target: str, propagation: str) -> None:
    assert next(mount for mount in mounts(CONTAINER) if mount.target == target).propagation == propagation


def test_what_lies_on_top_is_seen() -> None:
    found = visible(mounts(CONTAINER))
    assert [mount.device for mount in found if mount.target == "/tmp"] == ["0:91"]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("/app", "/var/lib/docker/volumes/tp_foo/_data"),
        ("/etc/hosts", "/var/lib/docker/containers/c1/hosts"),
        ("/var/run/docker.sock", "/run/docker.sock"),
        ("/data here", "/mnt/elsewhere/with space\\x"),
        ("/tmp", ""),
        ("/", ""),
    ],
)
def test_the_host_has_the_same_files_somewhere(target: str, where: str) -> None:
    mount = next(mount for mount in visible(mounts(CONTAINER)) if mount.target == target)
    assert on_host(mount, mounts(HOST)) == where
