"""labspec fmt: which files it takes, what it writes and prints, how it exits."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Result

Labspec = Callable[..., "Result"]
BEFORE = "lab: {name: a}\nlabspec: 1\n"
AFTER = "labspec: 1\nlab: {name: a}\n"


def write(text: str = BEFORE, name: str = "lab.yaml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class TestFiles:
    """What is taken."""

    def test_the_spec_of_the_folder(self, labspec: Labspec) -> None:
        path = write()
        assert labspec("fmt") == (0, "lab.yaml\n", "")
        assert path.read_text() == AFTER
        assert labspec("fmt") == (0, "", "")

    def test_includes_of_a_folder(self, labspec: Labspec) -> None:
        write("include: [more/a.yaml, more/b.yaml]\nlabspec: 1\n", "tp/lab.yaml")
        write("services: {a: {init: true, image: i}}\ninclude: [more/c.yaml]\n", "tp/more/a.yaml")
        write("services: {b: {image: i}}\n", "tp/more/b.yaml")
        write("vars: {}\n'include': []\n", "tp/more/c.yaml")
        write("services: {d: {init: true, image: i}}\n", "tp/more/d.yaml")
        assert labspec("fmt", "tp").out.split() == ["tp/lab.yaml", "tp/more/a.yaml", "tp/more/c.yaml"]
        assert labspec("fmt", "tp/more/d.yaml", "tp/more/d.yaml").out.split() == ["tp/more/d.yaml"]

    def test_none(self, labspec: Labspec) -> None:
        code, out, err = labspec("fmt")
        assert (code, out) == (1, "")
        assert "there is no lab.yaml" in err
        assert "there is no x.yaml" in labspec("fmt", "x.yaml").err

    def test_mistakes_of_one_file_do_not_keep_others(self, labspec: Labspec) -> None:
        good, bad = write(), write("a: [\n", "bad.yaml")
        code, _, err = labspec("fmt", "bad.yaml", "lab.yaml")
        assert code == 1
        assert "bad.yaml:2:1" in err or "bad.yaml:1:4" in err
        assert (good.read_text(), bad.read_text()) == (AFTER, "a: [\n")


class TestWriting:
    """What is written, and how."""

    def test_check(self, labspec: Labspec) -> None:
        path = write()
        assert labspec("fmt", "--check") == (1, "lab.yaml\n", "")
        assert path.read_text() == BEFORE
        path.write_text(AFTER)
        assert labspec("fmt", "--check") == (0, "", "")

    def test_diff(self, labspec: Labspec) -> None:
        path = write()
        said = "--- lab.yaml\n+++ lab.yaml\n@@ -1,2 +1,2 @@\n+labspec: 1\n lab: {name: a}\n-labspec: 1\n"
        assert labspec("fmt", "--diff") == (0, said, "")
        assert labspec("fmt", "--diff", "--check") == (1, said, "")
        assert path.read_text() == BEFORE

    def test_json(self, labspec: Labspec) -> None:
        write()
        asked = labspec("fmt", "--check", "--json")
        files = [{"file": "lab.yaml", "changed": True}]
        assert (asked.code, json.loads(asked.out)) == (1, {"format": 1, "written": False, "files": files})
        assert json.loads(labspec("fmt", "--json").out) == {"format": 1, "written": True, "files": files}

    def test_input(self, labspec: Labspec, monkeypatch: pytest.MonkeyPatch) -> None:
        def given(text: str) -> None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

        given(BEFORE)
        assert labspec("fmt", "-") == (0, AFTER, "")
        given(BEFORE)
        assert labspec("fmt", "--check", "-") == (1, "-\n", "")
        given("a: b: c\n")
        code, out, err = labspec("fmt", "-")
        assert (code, out) == (1, "")
        assert "<stdin>:1:5: error: a ':' is not allowed here" in err

    def test_mode_and_symlink_stay(self, labspec: Labspec) -> None:
        path = write(name="real/lab.yaml")
        path.chmod(0o640)
        link = Path("lab.yaml")
        link.symlink_to("real/lab.yaml")
        assert labspec("fmt", "lab.yaml").code == 0
        assert (link.is_symlink(), path.read_text(), path.stat().st_mode & 0o777) == (True, AFTER, 0o640)
        assert [item.name for item in Path("real").iterdir()] == ["lab.yaml"]

    def test_unchanged_files_are_not_touched(self, labspec: Labspec) -> None:
        path = write(AFTER)
        before = path.stat()
        labspec("fmt")
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
