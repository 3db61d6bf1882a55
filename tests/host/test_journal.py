"""The journal: the first 'before' stays, an empty one is no file, a broken one stops everything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.host import Host
from labspec.host.journal import Journal
from labspec.host.state import StateFolder


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(StateFolder(tmp_path), "tp1")


def test_what_was_there_first_is_what_is_put_back(journal: Journal) -> None:
    journal.record("file.motd", {"kind": "file", "before": {"content": "old"}, "applied": {"content": "1"}})
    journal.record("file.motd", {"kind": "file", "before": {"content": "labspec's"}, "applied": {"content": "2"}})
    assert journal.entries() == {
        "file.motd": {"kind": "file", "before": {"content": "old"}, "applied": {"content": "2"}},
    }


def test_nothing_left_is_no_file(journal: Journal, tmp_path: Path) -> None:
    journal.record("a", {})
    journal.record("b", {})
    journal.forget("a")
    assert (tmp_path / "tp1" / "journal.json").stat().st_mode & 0o777 == 0o600
    journal.forget("b")
    journal.forget("b")
    assert list((tmp_path / "tp1").iterdir()) == []
    assert journal.entries() == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 2, "entries": {}}', '{"format": 1, "entries": {"a": 1}}']
)
def test_a_broken_one_is_not_an_empty_one(journal: Journal, tmp_path: Path, content: str) -> None:
    (tmp_path / "tp1").mkdir()
    (tmp_path / "tp1" / "journal.json").write_text(content)
    with pytest.raises(LabError, match="cannot be read"):
        journal.entries()
    with pytest.raises(LabError, match="cannot be read"):
        journal.record("a", {})


def test_steps_that_run_side_by_side_lose_nothing(tmp_path: Path) -> None:
    host = Host(state=StateFolder(tmp_path))
    names = [f"unit.{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: host.journal("tp1").record(name, {}), names))
        assert sorted(host.journal("tp1").entries()) == sorted(names)
        list(pool.map(lambda name: host.journal("tp1").forget(name), names))
    assert host.journal("tp1").entries() == {}
