"""Files that a spec includes: merged, with mistakes told where they are."""

from __future__ import annotations

from pathlib import Path

from labs import HEAD, Load, refusals


def test_sections_are_merged(load: Load) -> None:
    lab = load(
        HEAD + "include: [more.yaml, parts/vars.yaml]\nthings:\n  a: {needs: [thing.b], value: '${{ vars.x }}'}\n",
        {
            "more.yaml": "include: [parts/c.yaml]\nthings:\n  b: {value: '${{ vars.x }}'}\nvolumes:\n",
            "parts/c.yaml": "volumes:\n  c: {tmpfs: {size: '${{ vars.size }}'}}\n",
            "parts/vars.yaml": "vars: {x: 1, size: 1m}\n",
        },
    )
    assert {item.address: str(item.at) for item in lab.resources} == {
        "volume.c": "parts/c.yaml:2:3",
        "thing.a": "lab.yaml:5:3",
        "thing.b": "more.yaml:3:3",
    }
    assert [item.desired.get("value") for item in lab.resources] == [None, 1, 1]
    assert {Path(file).name for file in lab.files} == {"lab.yaml", "more.yaml", "c.yaml", "vars.yaml"}


def test_an_empty_file_is_fine(load: Load) -> None:
    assert load(HEAD + "include: [empty.yaml]\n", {"empty.yaml": "# nothing\n"}).resources == ()
    assert load(HEAD + "include:\n").resources == ()


def test_paths_start_from_the_labs_folder(load: Load) -> None:
    files = {"sub/a.yaml": "include: [sub/b.yaml]\nthings: {a: {file: sub/b.yaml}}", "sub/b.yaml": "volumes: {b: }"}
    assert {item.address for item in load(HEAD + "include: [sub/a.yaml]", files).resources} == {"thing.a", "volume.b"}


def test_mistakes_are_told_where_they_are(load: Load) -> None:
    found = refusals(
        load,
        HEAD + "include: [a.yaml, none.yaml, a.yaml, ../far.yaml, bad.yaml, list.yaml, self.yaml, /etc/motd, b.ymal]\n"
        "volumes: {v: {drivr: x}}\n",
        {
            "a.yaml": "volumes:\n  v: {}\n  w: {nam: x}\nlab: {}\nlabspec: 1\nvolums: {}\n"
            "things: {t: {value: '${{ vars.x }}'}}\n",
            "bad.yaml": "volumes: !x {}",
            "list.yaml": "- 1",
            "self.yaml": "include: [lab.yaml, b.yaml]",
            "b.yaml": "include: [self.yaml]\nvolumes: [1]",
        },
    )
    assert found == [
        "a.yaml:2:3: volumes.v is in two files (the first is at lab.yaml:4:11)",
        "a.yaml:3:7: unknown key 'nam' in volume 'w' (did you mean 'name'?)",
        "a.yaml:4:1: 'lab' in an included file (only the spec itself has it)",
        "a.yaml:5:1: 'labspec' in an included file (only the spec itself has it)",
        "a.yaml:6:1: unknown section 'volums' (did you mean 'volumes'?)",
        "a.yaml:7:21: there is no vars.x (write it under 'vars:')",
        "b.yaml:1:11: the file includes itself: self.yaml -> b.yaml -> self.yaml",
        "b.yaml:2:10: section 'volumes' is a mapping of names, found a list (write 'volumes:', and below it "
        "'name: ...', indented)",
        "bad.yaml:1:10: the tag !x is not known (remove it, or put text that begins with '!' in quotes)",
        "3:19: there is no file 'none.yaml' in the lab's folder (did you mean 'self.yaml'?)",
        "3:30: 'a.yaml' is included twice (remove one of the two)",
        "3:38: '../far.yaml' is outside of the lab's folder (move the file into the folder of the spec)",
        "3:83: '/etc/motd' is an absolute path (a lab has its files in its own folder: write a relative path)",
        "3:94: there is no file 'b.ymal' in the lab's folder (did you mean 'b.yaml'?)",
        "4:15: unknown key 'drivr' in volume 'v' (did you mean 'driver'?)",
        "list.yaml:1:1: expected a mapping of sections, found a list (write sections such as 'services:' in it)",
        "self.yaml:1:11: the file includes itself: lab.yaml -> self.yaml -> lab.yaml",
    ]


def test_forms(load: Load) -> None:
    for value in ("a.yaml", "[1]", "{a: b}", "[[a]]"):
        assert refusals(load, f"{HEAD}include: {value}\n") == [
            "3:10: 'include' is a list of files (write include: [file.yaml])"
        ]


def test_the_same_variable_twice(load: Load) -> None:
    found = refusals(load, HEAD + "include: [v.yaml]\nvars: {x: 1}\n", {"v.yaml": "vars:\n  x: 2\n"})
    assert found == ["v.yaml:2:3: vars.x is in two files (the first is at lab.yaml:4:8)"]


def test_a_symlink_to_the_spec_is_a_cycle(load: Load, folder: Path) -> None:
    (folder / "link.yaml").symlink_to("lab.yaml")
    assert refusals(load, HEAD + "include: [link.yaml]\n") == ["3:11: the file includes itself: lab.yaml -> lab.yaml"]
