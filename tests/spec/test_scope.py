"""What a section is given: files inside the lab's folder, further documents, entries, and places for mistakes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from labs import HEAD, Load, refusals

from labspec.core.resource import Resource

Things = Callable[..., dict[str, Resource]]


@pytest.fixture
def tree(folder: Path) -> Path:
    """Return the lab's folder, with files, links and other things in it, and a secret beside it."""
    (folder.parent / "secret").write_text("secret")
    (folder.parent / "lab2").mkdir()
    (folder.parent / "lab2" / "x").write_text("another lab's")
    (folder / "web").mkdir()
    (folder / "web" / "index.html").write_text("hello")
    (folder / "link.html").symlink_to("web/index.html")
    (folder / "out").symlink_to("..")
    (folder / "secret").symlink_to("../secret")
    (folder / "absolute").symlink_to(folder.parent / "secret")
    (folder / "hop").symlink_to("out/secret")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("none")
    (folder / "inside").symlink_to(folder / "web")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.mark.parametrize(
    ("relative", "name"),
    [
        ("web/index.html", "web/index.html"),
        ("./web/../web/index.html", "web/index.html"),
        ("link.html", "web/index.html"),
        ("inside/index.html", "web/index.html"),
        ("../lab/web/index.html", "web/index.html"),
        ("out/lab/web/index.html", "web/index.html"),
    ],
)
def test_files(relative: str, name: str, tree: Path, things: Things) -> None:
    options = things(f"things: {{t: {{file: {relative}}}}}")["t"].options
    assert options["file"] == str(tree / name)
    assert options["content"] == "hello"


OUTSIDE = "is outside of the lab's folder (move the file into the folder of the spec)"
ABSOLUTE = "is an absolute path (a lab has its files in its own folder: write a relative path)"


@pytest.mark.parametrize(
    ("key", "relative", "message"),
    [
        ("file", "../secret", OUTSIDE),
        ("file", "secret", OUTSIDE),
        ("file", "absolute", OUTSIDE),
        ("file", "hop", OUTSIDE),
        ("file", "out/secret", OUTSIDE),
        ("file", "web/../../secret", OUTSIDE),
        ("file", "../lab2/x", OUTSIDE),
        ("file", "../../../../../../../../etc/passwd", OUTSIDE),
        ("folder", "..", OUTSIDE),
        ("folder", "out", OUTSIDE),
        ("folder", "../lab2", OUTSIDE),
        ("file", "/etc/passwd", ABSOLUTE),
        ("file", "web/index.htm", "in the lab's folder (did you mean 'index.html'?)"),
        ("file", "none/at/all", "in the lab's folder"),
        ("file", "web/index.html/x", "in the lab's folder"),
        ("file", "dangling", "in the lab's folder"),
        ("folder", "wbe", "in the lab's folder (did you mean 'web'?)"),
        ("file", "web", "is a folder, not a file"),
        ("file", "pipe", "is not a regular file"),
        ("folder", "web/index.html", "is not a folder"),
        ("document", "../secret", OUTSIDE),
        ("document", "none.yaml", "in the lab's folder"),
    ],
)
@pytest.mark.usefixtures("tree")
def test_no_files(key: str, relative: str, message: str, load: Load) -> None:
    found = refusals(load, f"{HEAD}things:\n  t: {{{key}: {relative}}}\n")
    start = "there is no " if message.startswith("in ") else ""
    what = ("folder " if key == "folder" else "file ") if start else ""
    assert found == [f"4:{9 + len(key)}: {start}{what}'{relative}' {message}"]


@pytest.mark.parametrize(("written", "shown"), [('""', "''"), ('"a\\nb"', "'a\\nb'"), ('"a\\eb"', "'a\\x1bb'")])
def test_paths_that_are_none(written: str, shown: str, load: Load) -> None:
    found = refusals(load, f"{HEAD}things:\n  t: {{file: {written}}}\n")
    assert found == [f"4:13: {shown} is no path of a file (write a path relative to the lab's folder)"]


@pytest.mark.usefixtures("tree")
def test_a_loop_of_links(load: Load) -> None:
    assert len(refusals(load, f"{HEAD}things: {{t: {{file: loop}}}}\n")) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tree: Path, load: Load) -> None:
    (tree / "web" / "index.html").chmod(0)
    found = refusals(load, f"{HEAD}things: {{t: {{file: web/index.html}}}}\n")
    assert found == ["3:19: the file 'web/index.html' cannot be read (look at its permissions)"]


def test_the_lab_depends_on_what_was_read(tree: Path, load: Load) -> None:
    lab = load(f"{HEAD}things: {{t: {{file: link.html, document: d.yaml}}}}\n", {"d.yaml": "a: 1"})
    assert lab.files == {
        str(tree / "d.yaml"): hashlib.sha256(b"a: 1").hexdigest(),
        str(tree / "lab.yaml"): hashlib.sha256((tree / "lab.yaml").read_bytes()).hexdigest(),
        str(tree / "web" / "index.html"): hashlib.sha256(b"hello").hexdigest(),
    }


def test_a_document_is_not_looked_up_and_has_its_own_places(load: Load, things: Things) -> None:
    content = "services:\n  web:\n    image: ${{ vars.x }}\n    <<: {ports: [80]}\n"
    text = "things:\n  t: {document: sub/d.yaml, inner: other.txt%s}\n"
    files = {"sub/d.yaml": content, "sub/other.txt": ""}
    options = things(text % "", files=files)["t"].options
    assert options["document"] == {"services": {"web": {"image": "${{ vars.x }}", "ports": [80]}}}
    assert options["inner"].endswith("/lab/sub/other.txt"), "paths in a document start from its own folder"
    wrong = ", wrong: [[services, web, ports, 0], [services, web, user]]"
    assert refusals(load, HEAD + text % wrong, files) == [
        "sub/d.yaml:2:3: wrong in the document",
        "sub/d.yaml:4:18: wrong in the document",
    ]


def test_a_document_that_is_no_yaml(load: Load) -> None:
    found = refusals(load, HEAD + "things: {t: {document: d.yaml}, u: 1}\n", {"d.yaml": "a: 1\na: 2\nb: [\n"})
    assert found[0] == "d.yaml:2:1: the key 'a' is here twice (the first is in line 1)"
    assert found[1].startswith("d.yaml:4:1: ") or found[1].startswith("d.yaml:3:4: ")
    assert found[2] == "3:36: a thing is a mapping"


def test_a_document_that_is_too_large(load: Load) -> None:
    found = refusals(load, HEAD + "things: {t: {document: d.yaml}}\n", {"d.yaml": "#" * (16 * 2**20 + 1)})
    assert found == ["3:24: d.yaml is too large (a YAML file has at most 16 MiB)"]


def test_entries_names_and_profiles(load: Load) -> None:
    text = "labspec: 1\nlab: {name: tp1, profiles: [b, a]}\nvars: {x: 1}\n"
    text += "things:\n  z: {see: a}\n  a: {value: '${{ vars.x }}'}\n  n:\n  y: {see: n}\n  x: {see: none}\n"
    seen = {item.name: item.options.get("seen") for item in load(text).resources}
    names = ["z", "a", "n", "y", "x"]
    assert seen["host-z"] == [names, {"value": 1}, ["a", "b"]]
    assert seen["host-y"] == [names, {}, ["a", "b"]]
    assert seen["host-x"] == [names, None, ["a", "b"]]


def test_places_of_mistakes(load: Load) -> None:
    text = "vars: {l: [1]}\nthings:\n  a: &a {value: [x]}\n  b: *a\n  c: {<<: *a, value: 1}\n"
    text += "  d: {value: '${{ vars.l }}'}\n"
    paths: list[Any] = [
        ["things", "b", "value", 0],
        ["things", "c", "value"],
        ["things", "d", "value", 0],
        ["things", "b"],
    ]
    paths += [["things", "none", "x"], ["volumes", "x"]]
    keys = "  k: {key: true, errors: [[things, a, value], [things, b], [things, c, value]]}\n"
    found = refusals(load, f"{HEAD}{text}  e: {{errors: {paths}}}\n{keys}")
    places = [message.removesuffix(": wrong") for message in found]
    assert places == ["1:1", "4:1", "5:6", "5:10", "5:18", "6:3", "7:15", "7:22", "8:7"]
