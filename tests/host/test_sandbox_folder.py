"""A lab's folder on its way into a sandbox: what is taken along, and what the other end makes of it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.sandbox.folder import collect, inside, outside, write
from labspec.host.sandbox.inside import receive


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a lab's folder with what people have in one."""
    folder = tmp_path / "here" / "lab"
    (folder / "web" / "empty").mkdir(parents=True)
    (folder / "lab.yaml").write_text("labspec: 1\n")
    (folder / "web" / "index.html").write_text("hello")
    (folder / "web" / "run").write_text("#!/bin/sh\n")
    (folder / "web" / "run").chmod(0o755)
    (folder / "link").symlink_to("web/index.html")
    return folder


def names(folder: Path, *further: Path) -> list[str]:
    parcel = collect(str(folder), map(str, further))
    return [os.path.relpath(path, folder) for path in parcel.files]


def move(lab: Path, there: Path, *further: Path) -> Path:
    """Send a folder to another one, and return where its files are there."""
    stream = io.BytesIO()
    write(stream, collect(str(lab), map(str, further)))
    stream.seek(0)
    receive(stream, there, str(lab))
    return there / str(lab).lstrip("/")


def test_what_goes_in(lab: Path) -> None:
    for name in (".git", ".venv", "__pycache__"):
        (lab / name).mkdir()
        (lab / name / "file").write_text("stays")
    assert names(lab) == ["lab.yaml", "link", "web", "web/empty", "web/index.html", "web/run"]


def test_links_that_lead_out_stay_here(lab: Path) -> None:
    (lab.parent / "secret").write_text("secret")
    (lab / "up").symlink_to("../secret")
    (lab / "absolute").symlink_to("/etc/passwd")
    (lab / "into").symlink_to(lab.parent)
    (lab / "hop").symlink_to("up")
    os.mkfifo(lab / "pipe")
    parcel = collect(str(lab))
    assert sorted(line.partition(":")[0] for line in parcel.left_out) == ["absolute", "hop", "into", "pipe", "up"]
    assert "secret" not in str(parcel.files)
    assert names(lab) == ["lab.yaml", "link", "web", "web/empty", "web/index.html", "web/run"]


def test_too_much_is_refused(lab: Path) -> None:
    (lab / "disk.img").write_bytes(b"x" * 2000)
    with pytest.raises(LabError, match="too large to copy"):
        collect(str(lab), most_bytes=1999)


def test_files_beside_the_lab_go_along(lab: Path, tmp_path: Path) -> None:
    beside = lab.parent / "vars.yaml"
    beside.write_text("port: 1\n")
    there = move(lab, tmp_path / "there", beside)
    assert (there.parent / "vars.yaml").read_text() == "port: 1\n"


def test_it_arrives_as_it_was(lab: Path, tmp_path: Path) -> None:
    there = move(lab, tmp_path / "there")
    assert (there / "web" / "index.html").read_text() == "hello"
    assert (there / "web" / "run").stat().st_mode & 0o777 == 0o755
    assert (there / "web" / "empty").is_dir()
    assert str((there / "link").readlink()) == "web/index.html"


def test_a_second_time_only_differences_are_written(lab: Path, tmp_path: Path) -> None:
    there = move(lab, tmp_path / "there")
    page, script = there / "web" / "index.html", there / "web" / "run"
    inode, time = page.stat().st_ino, script.stat().st_mtime_ns
    script.write_text("#!/bin/zz\n")
    os.utime(script, ns=(time, time))
    (lab / "web" / "index.html").write_text("HELLO")
    move(lab, tmp_path / "there")
    assert page.read_text() == "HELLO"
    # Rewritten in place: a container that has this one file mounted sees the change.
    assert page.stat().st_ino == inode
    assert script.read_text() == "#!/bin/zz\n", "it was not changed here, so it is not written there"


def test_what_went_is_removed_and_what_was_made_there_stays(lab: Path, tmp_path: Path) -> None:
    there = move(lab, tmp_path / "there")
    (there / "web" / "made").write_text("by a container")
    (lab / "web" / "run").unlink()
    (lab / "web" / "empty").rmdir()
    (lab / "link").unlink()
    move(lab, tmp_path / "there")
    assert sorted(path.name for path in there.rglob("*")) == ["index.html", "lab.yaml", "made", "web"]


def test_kinds_may_change(lab: Path, tmp_path: Path) -> None:
    move(lab, tmp_path / "there")
    (lab / "link").unlink()
    (lab / "link").mkdir()
    (lab / "link" / "file").write_text("deep")
    (lab / "web" / "run").unlink()
    (lab / "web" / "run").symlink_to("index.html")
    there = move(lab, tmp_path / "there")
    assert (there / "link" / "file").read_text() == "deep"
    assert (there / "web" / "run").is_symlink()


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    stream.seek(0)
    with pytest.raises(SystemExit, match="no path below"):
        receive(stream, tmp_path / "there", "/lab")
    assert not (tmp_path / "x").exists()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside_of_it = tmp_path / "elsewhere"
    outside_of_it.mkdir()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        link = tarfile.TarInfo("lab")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside_of_it)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("lab/file"))
    stream.seek(0)
    receive(stream, tmp_path / "there", "/lab")
    assert list(outside_of_it.iterdir()) == []
    assert (tmp_path / "there" / "lab" / "file").is_file()


def test_paths_there_and_back() -> None:
    assert inside("/home/me/lab") == "/labs/home/me/lab"
    assert inside("/home/me/../lab") == "/labs/home/lab"
    assert inside("lab/../x") == "lab/../x"
    assert outside("/labs/home/me/lab") == "/home/me/lab"
    assert outside("/home/me/lab") is None
