"""The way to a file: only root's own symlinks are followed, and the folder is the one that was looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.paths import MissingFolderError, anchored, make_folder, remove_folder


def test_a_file_is_reached_through_its_folder(tmp_path: Path) -> None:
    with anchored(str(tmp_path / "a")) as path:
        Path(path).write_text("x")
    assert (tmp_path / "a").read_text() == "x"


def test_the_folder_stays_the_same_when_it_is_swapped(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with anchored(str(tmp_path / "d" / "a")) as path:
        (tmp_path / "d").rename(tmp_path / "e")
        (tmp_path / "d").symlink_to("/etc")
        Path(path).write_text("x")
    assert (tmp_path / "e" / "a").read_text() == "x"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFolderError) as caught, anchored(str(tmp_path / "b" / "c" / "a")):
        pass
    assert caught.value.folder == str(tmp_path / "b")


def test_roots_own_links_are_followed() -> None:
    with anchored("/var/run/x") as path:
        assert Path(path).parent.samefile("/run")


def test_a_link_in_a_folder_of_everybody_is_not(tmp_path: Path) -> None:
    link = Path("/tmp") / f"labspec-test-{os.getpid()}"
    link.symlink_to(tmp_path)
    try:
        with pytest.raises(LabError, match="is a symlink that others than root can change"), anchored(f"{link}/a"):
            pass
    finally:
        link.unlink()


def test_a_link_of_somebody_else_is_not(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 4711, 4711)
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(LabError, match="is a symlink that others"), anchored(str(tmp_path / "link" / "passwd")):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    said = f"{tmp_path}/a is no folder that labspec can go into"
    with pytest.raises(LabError, match=said), anchored(str(tmp_path / "a" / "b")):
        pass


def test_mistakes_name_the_file_and_not_the_handle(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=f"^{tmp_path}/a is odd"), anchored(str(tmp_path / "a")) as path:
        raise LabError(f"{path} is odd")


def test_a_folder_of_our_own_goes_once_it_is_empty(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    other.mkdir()
    for folder in (own, other):
        make_folder(str(folder))
        (folder / "x").write_text("")
        remove_folder(str(folder))
        assert folder.exists()
        (folder / "x").unlink()
        remove_folder(str(folder))
    assert not own.exists()
    assert list(other.iterdir()) == []
