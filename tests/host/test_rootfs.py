"""Unpacking what a container is made of: nothing in it leads out of the folder."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.rootfs import UnsafeMember, remove_tree, unpack

FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def archive(*members: tuple[str, bytes, str | bytes]) -> io.BytesIO:
    """Return a tar of (name, type, content or link target)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, rest in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.mtime = kind, 0o755 if kind == FOLDER else 0o644, 1_000_000_000
            if isinstance(rest, str):
                member.linkname = rest
                tar.addfile(member)
            else:
                member.size = len(rest)
                tar.addfile(member, io.BytesIO(rest))
    stream.seek(0)
    return stream


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "outside").write_text("mine")
    return folder


def test_files_folders_and_links_come_out(root: Path) -> None:
    unpack(
        archive(
            ("./", FOLDER, b""),
            ("usr/bin/", FOLDER, b""),
            ("usr/bin/sh", FILE, b"#!"),
            ("usr/bin/ash", HARD, "usr/bin/sh"),
            ("bin", LINK, "usr/bin"),
            ("usr/bin/up", LINK, "../../etc/x"),
            ("etc/mtab", LINK, "/proc/mounts"),
            ("/abs", FILE, b"x"),
        ),
        root,
    )
    assert (root / "usr/bin/sh").read_bytes() == b"#!"
    assert (root / "usr/bin/sh").stat().st_nlink == 2
    assert str((root / "bin").readlink()) == "usr/bin"
    assert str((root / "etc/mtab").readlink()) == "/proc/mounts"
    assert (root / "abs").read_bytes() == b"x"
    assert (root / "usr/bin/sh").stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize(
    "members",
    [
        [("../outside", FILE, b"x")],
        [("a/../../outside", FILE, b"x")],
        [("out", LINK, "../outside")],
        [("a/b/out", LINK, "../../../outside")],
        [("abs", LINK, "/etc"), ("abs/passwd", FILE, b"x")],
        [("here", LINK, "."), ("here/x", FILE, b"x")],
        [("abs", LINK, "/etc"), ("abs", FOLDER, b"")],
        [("f", LINK, "/etc/passwd"), ("f", FILE, b"x")],
        [("f", FILE, b"x"), ("f/g", FILE, b"x")],
        [("h", HARD, "../outside")],
        [("abs", LINK, "/etc"), ("h", HARD, "abs/passwd")],
        [("h", HARD, "nothing")],
        [("h", HARD, ".")],
    ],
    ids=lambda members: " ".join(member[0] for member in members),
)
def test_what_leads_out_is_refused(members: list[tuple[str, bytes, str | bytes]], root: Path, tmp_path: Path) -> None:
    before = Path("/etc/passwd").read_bytes()
    with pytest.raises(UnsafeMember):
        unpack(archive(*members), root)
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "outside").stat().st_nlink == 1
    assert Path("/etc/passwd").read_bytes() == before


def test_devices_and_what_tells_of_docker_stay_out(root: Path) -> None:
    unpack(
        archive(
            ("dev/sda", tarfile.BLKTYPE, b""), ("dev/tty", tarfile.CHRTYPE, b""), ("run/p", tarfile.FIFOTYPE, b""),
            (".dockerenv", FILE, b""), ("etc/.dockerenv", FILE, b""),
        ),
        root,
    )  # fmt: skip
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == ["etc", "etc/.dockerenv"]


def test_a_size_is_the_most(root: Path) -> None:
    with pytest.raises(UnsafeMember, match="larger than 10 bytes"):
        unpack(archive(("a", FILE, b"123456"), ("b", FILE, b"12345")), root, largest=10)


def test_half_an_archive_is_told(root: Path) -> None:
    whole = archive(("a", FILE, b"x" * 4000)).getvalue()
    with pytest.raises(UnsafeMember):
        unpack(io.BytesIO(whole[:2000]), root)


def test_modes_and_owners_are_kept(root: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, mode in (("d", FOLDER, 0o1555), ("d/s", FILE, 0o4755)):
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid, member.gid = kind, mode, 1234, 50
            tar.addfile(member)
    stream.seek(0)
    unpack(stream, root)
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o1555
    assert stat.S_IMODE((root / "d/s").stat().st_mode) == 0o4755
    if os.geteuid() == 0:
        assert ((root / "d/s").stat().st_uid, (root / "d").stat().st_gid) == (1234, 50)


def test_what_is_mounted_inside_is_not_emptied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "kept").touch()
    monkeypatch.setattr("labspec.host.rootfs._mount_points", lambda: ["/", f"{root}/proc"])
    with pytest.raises(LabError, match="something is mounted"):
        remove_tree(root)
    assert (root / "kept").exists()
    monkeypatch.undo()
    remove_tree(root)
    remove_tree(root)
    assert not root.exists()
