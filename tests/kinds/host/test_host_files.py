"""Files of the host: written, found unchanged, drifted, and put back byte for byte; on real files."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from groundwork import decide, lab_of, look, settle, told
from hypothesis import given
from hypothesis import strategies as st

from labspec.core.change import Action
from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.host.host import Host
from labspec.host.state import StateFolder
from labspec.kinds.file.content import content_text
from labspec.kinds.file.live import LIVE
from labspec.kinds.file.steps import RestoreFile, WriteFile

BINARY = b"\xff\x00 before"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(state=StateFolder(tmp_path / "state"))


def file(path: Path, content: bytes = b"hello\n", **fields: Any) -> Resource:
    options = {"base64": base64.b64encode(content).decode()}
    desired = {"content": content_text(content), **fields}
    return Resource(f"file.{path}", "file", str(path), desired, options)


def test_a_new_file_is_made_found_unchanged_and_removed(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    lab = lab_of(file(path, mode="0640"))
    assert [change.action for change in settle(LIVE, lab, host)] == [Action.CREATE]
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"hello\n", 0o640)
    assert decide(LIVE, lab, host) == []
    assert [told(change) for change in settle(LIVE, lab, host, destroy=True)] == [
        ["- no longer in the spec", f"- remove {path}", f"- forget file.{path}: it is as it was before"]
    ]
    assert not path.exists()
    assert host.journal("tp").entries() == {}


def test_what_was_there_is_put_back(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_bytes(BINARY)
    path.chmod(0o604)
    before = path.stat()
    lab = lab_of(file(path, mode="0600"))
    (change,) = settle(LIVE, lab, host)
    assert told(change)[:3] == [
        "~ differs from the spec",
        f"content: {content_text(BINARY)!r} -> 'hello\\n' (spec changed)",
        "mode: '0604' -> '0600' (spec changed)",
    ]
    settle(LIVE, lab_of(), host)
    after = path.stat()
    assert path.read_bytes() == BINARY
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_missing_folders_are_made_and_go_with_the_last_file(tmp_path: Path, host: Host) -> None:
    (tmp_path / "there").mkdir()
    first, second = tmp_path / "there" / "a" / "b" / "first", tmp_path / "there" / "a" / "second"
    settle(LIVE, lab_of(file(first), file(second)), host)
    assert (first.read_text(), second.read_text()) == ("hello\n", "hello\n")
    settle(LIVE, lab_of(file(second)), host)
    assert [path.name for path in (tmp_path / "there").rglob("*") if path.name != ".labspec"] == ["a", "second"]
    settle(LIVE, lab_of(), host)
    assert list(tmp_path.glob("there*/*")) == []
    assert (tmp_path / "there").is_dir()


def test_files_that_share_a_new_folder_come_and_go_side_by_side(tmp_path: Path, host: Host) -> None:
    paths = [tmp_path / "a" / "b" / str(number) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(200):
            list(pool.map(lambda path: WriteFile(str(path), b"x").run(host), paths))
            assert all(path.exists() for path in paths)
            list(pool.map(lambda path: RestoreFile(str(path)).run(host), paths))
            assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_uses_meanwhile_stays(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "a" / "b"
    settle(LIVE, lab_of(file(path)), host)
    (tmp_path / "a" / "theirs").touch()
    settle(LIVE, lab_of(), host)
    assert sorted(entry.name for entry in (tmp_path / "a").iterdir()) == [".labspec", "theirs"]


def test_it_is_recorded_before_it_is_written(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_text("before")
    (change,) = decide(LIVE, lab_of(file(path)), host)
    record, write = change.steps
    record.run(host)
    assert path.read_text() == "before"
    entry = host.journal("tp").entries()[f"file.{path}"]
    assert base64.b64decode(entry["before"]["base64"]) == b"before"
    assert isinstance(write, WriteFile)


def test_one_that_is_as_wanted_is_left_alone_and_stays(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_text("hello\n")
    lab = lab_of(file(path))
    assert decide(LIVE, lab, host) == []
    assert decide(LIVE, lab, host, destroy=True) == []


def test_an_edit_by_hand_is_drift_and_what_was_before_stays_known(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_text("before")
    lab = lab_of(file(path))
    settle(LIVE, lab, host)
    path.write_text("by hand")
    (change,) = settle(LIVE, lab, host)
    assert told(change)[:2] == [
        "~ content changed on the host",
        "content: 'by hand' -> 'hello\\n' (changed on the host)",
    ]
    settle(LIVE, lab, host, destroy=True)
    assert path.read_text() == "before"


def test_a_removed_one_is_made_again(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_text("before")
    lab = lab_of(file(path))
    settle(LIVE, lab, host)
    path.unlink()
    assert [change.action for change in settle(LIVE, lab, host)] == [Action.CREATE]
    path.unlink()
    settle(LIVE, lab, host, destroy=True)
    assert path.read_text() == "before"


def test_what_somebody_wrote_since_is_kept_in_the_state_folder(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    lab = lab_of(file(path))
    settle(LIVE, lab, host)
    path.write_text("by hand")
    (change,) = settle(LIVE, lab, host, destroy=True)
    assert change.warnings == (f"somebody has changed {path} since; a copy is kept in labspec's state folder",)
    assert not path.exists()
    (kept,) = host.state.lab("tp").glob("kept-*")
    assert kept.read_text() == "by hand"
    host.state.forget("tp")
    assert kept.exists()


def test_a_destroy_that_was_cut_off_once_a_file_was_back_keeps_no_copy_of_it(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    path.write_text("before")
    settle(LIVE, lab_of(file(path)), host)
    path.write_text("before")
    (change,) = settle(LIVE, lab_of(), host)
    assert change.warnings == ()
    assert list(host.state.lab("tp").iterdir()) == []


def test_a_mode_that_leaves_the_spec_becomes_what_it_was(tmp_path: Path, host: Host) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before")
    old.chmod(0o604)
    settle(LIVE, lab_of(file(old, mode="0600"), file(new, mode="0600")), host)
    settle(LIVE, lab_of(file(old), file(new)), host)
    assert [path.stat().st_mode & 0o777 for path in (old, new)] == [0o604, 0o644]
    assert decide(LIVE, lab_of(file(old), file(new)), host) == []


def test_a_mode_that_the_spec_never_had_is_the_hosts_own(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "motd"
    lab = lab_of(file(path))
    settle(LIVE, lab, host)
    path.chmod(0o600)
    assert decide(LIVE, lab, host) == []


def test_content_that_not_everybody_may_read_is_not_shown(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "key"
    path.write_text("sesame")
    path.chmod(0o600)
    (change,) = decide(LIVE, lab_of(file(path)), host)
    assert "sesame" not in str(change.diffs) + str(change.before)
    settle(LIVE, lab_of(file(path)), host)
    assert decide(LIVE, lab_of(file(path)), host) == []
    (change,) = decide(LIVE, lab_of(), host)
    assert change.warnings == ()


def test_owners_are_names_or_numbers(tmp_path: Path, host: Host) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path = tmp_path / "motd"
    for owner, group in (("root", "root"), ("0", "0"), ("nobody", "nogroup"), ("4711", "4712")):
        lab = lab_of(file(path, owner=owner, group=group))
        settle(LIVE, lab, host)
        assert decide(LIVE, lab, host) == []
    assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4712)


def test_a_symlink_in_its_place_is_refused_but_taken_for_drift_later(tmp_path: Path, host: Host) -> None:
    path, other = tmp_path / "motd", tmp_path / "other"
    other.write_text("mine")
    path.symlink_to(other)
    lab = lab_of(file(path))
    with pytest.raises(LabError, match=f"{path} is not a file that labspec can manage: it is a symlink"):
        decide(LIVE, lab, host)
    path.unlink()
    settle(LIVE, lab, host)
    path.unlink()
    path.symlink_to(other)
    settle(LIVE, lab, host)
    assert not path.is_symlink()
    assert other.read_text() == "mine"


def test_nothing_is_read_for_nothing(host: Host) -> None:
    assert look(LIVE, lab_of(), host) == {}


def test_what_is_in_the_way_is_told(tmp_path: Path, host: Host) -> None:
    lab = lab_of(file(tmp_path / "no" / "motd"), file(tmp_path / "motd", owner="nobody-there"))
    changes = decide(LIVE, lab, host)
    said = [f"{problem.message} = {problem.hint}" for problem in LIVE.problems(changes, lab, host)]
    assert [line for line in said if "only root" not in line] == [
        f"file.{tmp_path}/motd: this host has no user nobody-there = add it to 'host.users'",
    ]


@given(content=st.binary(max_size=200), mode=st.integers(0o400, 0o777))
def test_any_content_and_mode_come_back(tmp_path_factory: pytest.TempPathFactory, content: bytes, mode: int) -> None:
    folder = tmp_path_factory.mktemp("any")
    host = Host(state=StateFolder(folder / "state"))
    path = folder / "x"
    path.write_bytes(content)
    path.chmod(mode | 0o400)
    lab = lab_of(file(path, b"other\n\n\n", mode="0644"))
    settle(LIVE, lab, host)
    settle(LIVE, lab, host, destroy=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (content, mode | 0o400)


@pytest.mark.parametrize(
    ("path", "fields", "name"),
    [
        ("/etc/motd", {}, None),
        ("/srv/notes", {"mode": "0644"}, None),
        ("/srv/run", {"mode": "4755"}, "root-files"),
        ("/etc/sudoers.d/lab", {}, "root-files"),
        ("/etc/cron.d/lab", {}, "root-files"),
        ("/etc/ld.so.preload", {}, "root-files"),
        ("/etc/systemd/system/x.service", {}, "root-files"),
        ("/boot/grub/grub.cfg", {}, "root-files"),
        ("/root/.ssh/authorized_keys", {}, "root-files"),
        ("/home/vagrant/.ssh/authorized_keys", {}, "root-files"),
        ("/home/vagrant/.bashrc", {}, "root-files"),
        ("/etc/passwdx", {}, None),
        ("/bin/sh", {}, "root-files"),
    ],
)
def test_files_that_the_host_lives_from_are_dangers(path: str, fields: dict[str, str], name: str | None) -> None:
    found = [danger.name for danger in LIVE.dangers(file(Path(path), **fields))]
    assert found == ([name] if name else [])


def test_a_danger_is_seen_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/etc/cron.d")
    assert [danger.name for danger in LIVE.dangers(file(tmp_path / "x" / "job"))] == ["root-files"]


def test_steps_say_what_they_do() -> None:
    assert str(WriteFile("/a", b"12", "0644", "root", None)) == "write /a: 2 bytes, mode 0644, owner root:"
    assert str(RestoreFile("/a")) == "remove /a"


def test_a_folder_that_is_gone_needs_no_removal(tmp_path: Path, host: Host) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    lab = lab_of(file(folder / "a"))
    settle(LIVE, lab, host)
    (folder / "a").unlink()
    folder.rmdir()
    settle(LIVE, lab, host, destroy=True)
    assert host.journal("tp").entries() == {}
    with pytest.raises(LabError, match=f"there is no folder {folder}"):
        RestoreFile(str(folder / "a"), "").run(host)
