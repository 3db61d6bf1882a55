"""Captures as a file: what was written is read, and what a stranger wrote is refused or made harmless."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.core.diagnostic import LabError
from labspec.engine.capture_file import missing, read_captures, stale, write_captures
from labspec.sheet.captures import LARGEST_OUTPUT, Capture, Captures, Origin, captures_path, clean, dump
from labspec.sheet.sheet import sheet_of
from labspec.spec.loader import load

ORIGIN = Origin("2026-11-24T23:00:12Z", "d1", "0.1", "Debian 12", "6.1", "26.1.5", {"image.web": "sha256:1"})
ONE = Capture(("id", "-u"), "host", "root", ".", 0, "0\n", "", 0.123, "d2")
SPEC = """labspec: 1
lab: {name: t}
services: {web: {image: "debian:latest", command: [sleep, "9"]}}
volumes: {v: {}}
handout:
  sections:
    - title: One
      blocks:
        - {run: [id], in: service.web, id: inside}
        - {run: [uptime], id: host}
        - {run: [df], needs: [volume.v], id: disk}
"""


def file(text: str, folder: Path) -> Path:
    path = folder / "x.captures.yaml"
    path.write_text(text)
    return path


texts = st.text(st.characters(codec="utf-8")).map(clean)


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, texts), max_size=3), texts)
def test_what_is_written_is_read(streams: list[tuple[str, str]], command: str) -> None:
    blocks = {
        f"b{number}": replace(ONE, command=command if number % 2 else ("sh", "-c", command), stdout=out, stderr=err)
        for number, (out, err) in enumerate(streams)
    }
    captures = Captures(ORIGIN, blocks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.captures.yaml")
        write_captures(captures, path)
        found = read_captures(path)
    assert found is not None
    assert [(one.command, one.stdout, one.stderr) for one in found.blocks.values()] == [
        (one.command, one.stdout, one.stderr) for one in blocks.values()
    ]
    assert dump(captures) == dump(captures)


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.captures.yaml"
    text = replace(ONE, command="id -u | cat", user="", cwd="", stdout="a\n  b\n", stderr="no\n")
    captures = Captures(ORIGIN, {"one": replace(ONE, seconds=0.1), "two": replace(text, seconds=0.1)})
    write_captures(captures, path)
    assert read_captures(path) == captures
    assert path.read_text().split("blocks:\n")[1] == (
        "  one:\n    command: [id, -u]\n    place: host\n    user: root\n    cwd: .\n    exit: 0\n    seconds: 0.1\n"
        "    depends: d2\n    stdout: |\n      0\n\n"
        '  two:\n    command: "id -u | cat"\n    place: host\n    exit: 0\n    seconds: 0.1\n    depends: d2\n'
        "    stdout: |\n      a\n        b\n    stderr: |\n      no\n"
    )
    assert not [other for other in tmp_path.iterdir() if other != path]


def test_none_is_none(tmp_path: Path) -> None:
    assert read_captures(tmp_path / "no.yaml") is None


HEAD = (
    "format: 1\ncaptured: {date: a, spec: b, labspec: c, system: d, kernel: e, docker: f, images: {}}\nblocks:\n"
    "  one: {command: [id], place: host, exit: 0, seconds: 1, depends: x"
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "expected a mapping"),
        ("format: 2\n", 1, "expected 1"),
        (HEAD + ", color: red}\n", 4, "unknown key 'color'"),
        (HEAD + ', stdout: "a\\u001b[2J"}\n', 4, "control character"),
        (HEAD + ', stderr: "a\\u009bb"}\n', 4, "control character"),
        (HEAD.replace("exit: 0", "exit: 900") + "}\n", 4, "at most 255"),
        (HEAD.replace("exit: 0", "exit: x") + "}\n", 4, "expected a whole number"),
        (HEAD.replace("one:", "'../x':") + "}\n", 4, "text of the form"),
        (HEAD + f", stdout: {'x' * (LARGEST_OUTPUT + 200)}}}\n", 4, "at most"),
        (HEAD + "}\nblocks: {}\n", 5, "is here twice"),
        ("a: &a [x, x]\nb: [*a, *b]\n", 2, "no anchor"),
        ("!!python/object:os.system {}\n", 1, "tag"),
    ],
)
def test_what_is_refused(text: str, line: int, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabError) as refused:
        read_captures(file(text, tmp_path))
    found = refused.value.diagnostics
    assert any(said in one.message and one.at and one.at.line == line for one in found), found


def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="larger than 16 MiB"):
        read_captures(file("#" * (16 * 1024 * 1024 + 1), tmp_path))


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        ("a\x00b\x08c\x9bd\u202ee\ufefff", "abcdef"),
        ("a\ufffe\nb\uffff\n", "a\nb\n"),
        ("a\tb  \nc\u2028d", "a       b\ncd"),
        ("a\n\n\n", "a\n"),
        ("\n\n", ""),
        ("naïve → 漢字 🦊", "naïve → 漢字 🦊"),
    ],
)
def test_output_is_harmless(printed: str, kept: str) -> None:
    assert clean(printed) == kept
    assert clean(kept) == kept


def test_output_is_bounded() -> None:
    found = clean("line\n" * LARGEST_OUTPUT)
    assert len(found) <= LARGEST_OUTPUT + 10
    assert found.endswith("line\n[...]\n")


def captured(spec: str, folder: Path, **changes: Capture) -> tuple[list[str], list[str]]:
    """Return the messages of what is missing and of what is stale, for captures that fit SPEC but for `changes`."""
    from labspec.engine.capture import captured_blocks, depends_on

    (folder / "lab.yaml").write_text(SPEC)
    lab = load(folder, variables={}, variable_files=())
    blocks = {
        block.id: Capture(block.command, block.place, "root", ".", 0, "", "", 0.1, depends_on(block, lab))
        for block in captured_blocks(sheet_of(lab.parts["handout"]))
    }
    captures = Captures(ORIGIN, {**blocks, **changes})
    (folder / "lab.yaml").write_text(spec)
    lab = load(folder, variables={}, variable_files=())
    sheet = sheet_of(lab.parts["handout"])
    assert all(found.at and found.source for found in (*missing(sheet, captures), *stale(sheet, captures, lab)))
    return (
        [found.message for found in missing(sheet, captures)],
        [found.message for found in stale(sheet, captures, lab)],
    )


def test_captures_that_fit(tmp_path: Path) -> None:
    assert captured(SPEC, tmp_path) == ([], [])


def test_a_block_without_capture_is_missing(tmp_path: Path) -> None:
    found = captured(SPEC + "        - run: docker ps | wc -l\n", tmp_path)
    assert found == (["no output was captured for 'docker ps | wc -l'"], [])


def test_a_capture_of_another_command_does_not_count(tmp_path: Path) -> None:
    found, _ = captured(SPEC.replace("run: [id]", "run: [id, -u]"), tmp_path)
    assert found == ["what was captured for 'id -u' is the output of 'id'"]
    found, _ = captured(SPEC.replace("id: host", "id: host, user: vagrant"), tmp_path)
    assert found == ["what was captured for 'uptime' is the output of 'uptime'"]


def test_a_service_that_changed_makes_its_captures_stale_and_those_of_the_host(tmp_path: Path) -> None:
    _, old = captured(SPEC.replace('"9"', '"8"'), tmp_path)
    assert [message.split("'")[1] for message in old] == ["id", "uptime"]


def test_a_volume_that_changed_makes_stale_what_needs_it(tmp_path: Path) -> None:
    _, old = captured(SPEC.replace("v: {}", "v: {labels: {a: b}}"), tmp_path)
    assert [message.split("'")[1] for message in old] == ["uptime", "df"]


def test_what_only_lays_out_makes_nothing_stale(tmp_path: Path) -> None:
    assert captured(SPEC.replace("id: disk", "id: disk, lines: 2, title: T"), tmp_path) == ([], [])


def test_the_lab_may_be_in_another_folder(tmp_path: Path) -> None:
    from labspec.engine.capture import captured_blocks, depends_on

    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lab.yaml").write_text(SPEC.replace('["9"]', '["9"], volumes: [".:/x"]'))
        lab = load(tmp_path / name, variables={}, variable_files=())
        digests.append([depends_on(block, lab) for block in captured_blocks(sheet_of(lab.parts["handout"]))])
        assert captures_path(lab).name == "lab.captures.yaml"
    assert digests[0] == digests[1]
