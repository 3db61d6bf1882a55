"""From files to resources: what is found, what is refused, and that all mistakes come in one run."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labs import HEAD, Load, refusals

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.spec.loader import load as load_spec


def load_path(path: str | None) -> Lab:
    return load_spec(None if path is None else Path(path), variables={}, variable_files=())


def test_a_lab(load: Load, folder: Path) -> None:
    lab = load(
        "labspec: 1\nlab: {name: tp1, title: Conteneurs, language: fr, duration: 3h, authors: [a], description: x}\n"
        "things:\n  b: {needs: [volume.foo]}\n  a:\nvolumes: {foo: {tmpfs: {size: 10m}}}\nnetworks:\n"
    )
    assert (lab.name, lab.title, lab.language) == ("tp1", "Conteneurs", "fr")
    assert (lab.root, lab.file) == (str(folder), str(folder / "lab.yaml"))
    assert [item.address for item in lab.resources] == ["volume.foo", "thing.b", "thing.a"]
    assert lab.resources[0].desired["options"]["o"] == "size=10m"
    assert str(lab.resources[0].at) == "lab.yaml:6:11"


class TestFinding:
    """Which file is the spec."""

    def test_ways_to_name_it(self, load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        load(HEAD + "volumes: {v: }")
        monkeypatch.chdir(folder.parent)
        for path, shown in [
            ("lab", "lab/lab.yaml:3:11"),
            ("lab/lab.yaml", "lab/lab.yaml:3:11"),
            ("./lab/../lab", "lab/lab.yaml:3:11"),
            (str(folder), "lab/lab.yaml:3:11"),
        ]:
            lab = load_path(path)
            assert (lab.root, lab.file) == (str(folder), str(folder / "lab.yaml"))
            assert str(lab.resources[0].at) == shown
        (folder.parent / "elsewhere").mkdir()
        monkeypatch.chdir(folder.parent / "elsewhere")
        assert str(load_path("../lab").resources[0].at) == f"{folder}/lab.yaml:3:11"

    def test_another_name(self, load: Load, folder: Path) -> None:
        load(HEAD, {"tp2.yaml": HEAD.replace("tp1", "tp2")})
        assert load_path("tp2.yaml").name == "tp2"
        assert load_path("tp2.yaml").root == str(folder)

    @pytest.mark.parametrize(
        ("path", "message", "hint"),
        [
            (None, "there is no lab.yaml here", "'labspec init' writes one to begin with"),
            ("none", "there is no none", "'labspec init' writes one to begin with"),
            ("sub", "there is no lab.yaml in the folder sub", "'labspec init' writes one to begin with"),
            ("/dev/null", "/dev/null is not a regular file", None),
        ],
    )
    def test_none(self, path: str | None, message: str, hint: str | None, folder: Path) -> None:
        (folder / "sub").mkdir()
        with pytest.raises(LabError) as caught:
            load_path(path)
        (found,) = caught.value.diagnostics
        assert (found.message, found.hint, found.at) == (message, hint, None)

    def test_too_large(self, load: Load) -> None:
        assert refusals(load, b"#" * (16 * 2**20 + 1)) == ["lab.yaml is too large (a YAML file has at most 16 MiB)"]


class TestAmongResources:
    """What must hold among all resources."""

    @pytest.mark.parametrize(
        ("text", "messages"),
        [
            (
                "things:\n  a: {host: x}\n  b: {host: x}\nvolumes:\n  v: {name: x}\n  w: {name: x}\n",
                [
                    "5:3: thing.b has the name x on the host, and so has thing.a (give one another name; the first is "
                    "at lab.yaml:4:3)",
                    "8:3: volume.w has the name x on the host, and so has volume.v (give one another name; the first "
                    "is at lab.yaml:7:3)",
                ],
            ),
            ("things:\n  a: {extra: [b]}\n  b:\n", ["5:3: thing.b is there twice (the first is at lab.yaml:4:3)"]),
            ("things:\n  a: {needs: [thing.x]}\n", ["4:3: thing.a needs thing.x, which the spec does not have"]),
            (
                "things:\n  c: {needs: [thing.a]}\n  b: {needs: [thing.c]}\n  a: {needs: [thing.b, thing.d]}\n  d:\n",
                [
                    "6:3: these need each other: thing.a -> thing.b -> thing.c -> thing.a (take one of the references "
                    "out)"
                ],
            ),
            (
                "things:\n  a: {needs: [thing.a]}\n  b: {needs: [thing.c]}\n  c: {needs: [thing.b]}\n",
                [
                    "4:3: these need each other: thing.a -> thing.a (take one of the references out)",
                    "5:3: these need each other: thing.b -> thing.c -> thing.b (take one of the references out)",
                ],
            ),
            ("things:\n  a: {raise: oh no}\n  b: 1\n", ["4:3: oh no (do not)", "5:6: a thing is a mapping"]),
        ],
    )
    def test_refused(self, text: str, messages: list[str], load: Load) -> None:
        assert refusals(load, HEAD + text) == messages

    def test_fine(self, load: Load) -> None:
        text = "things:\n  a: {host: x, external: true}\n  b: {host: x, needs: [thing.a, thing.a]}\n"
        text += "volumes: {a: {name: x}}\n"
        assert len(load(HEAD + text).resources) == 3


def test_all_mistakes_of_a_run(load: Load) -> None:
    text = """labspec: 1
lab: {nam: tp1}
vars: {port: 1, port: 2, need: }
volumes:
  a: {driver: [x]}
  a: {}
  b: {size: "${{ vars.prot }}"}
network: {}
things: {x: {needs: [thing.x]}, y: {file: none}}
"""
    assert refusals(load, text, prot="3") == [
        "--var prot: the spec has no variable 'prot' (did you mean 'port'?)",
        "2:7: unknown key 'nam' in 'lab' (did you mean 'name'?)",
        "3:17: the key 'port' is here twice (the first is in line 3)",
        "3:26: variable 'need' has no value (give it one with --var need=...)",
        "5:15: expected text, found a list",
        "6:3: the key 'a' is here twice (the first is in line 5)",
        "7:7: unknown key 'size' in volume 'b' (known keys: driver, driver_opts, external, labels, name, tmpfs)",
        "7:13: there is no vars.prot (did you mean 'port'?)",
        "8:1: unknown section 'network' (did you mean 'networks'?)",
        "9:10: these need each other: thing.x -> thing.x (take one of the references out)",
        "9:43: there is no file 'none' in the lab's folder",
    ]


def test_a_long_line_is_not_repeated(load: Load) -> None:
    with pytest.raises(LabError) as caught:
        load(HEAD + f"volumes: {{v: {{x: 1}}, {', '.join(f'v{number}: {{}}' for number in range(500))}}}")
    assert caught.value.diagnostics[0].source is None


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(was_on: bool, load: Load) -> None:
    (gc.enable if was_on else gc.disable)()
    try:
        load(HEAD)
        refusals(load, "")
        assert gc.isenabled() is was_on
    finally:
        gc.enable()


def test_nothing_heavy_is_imported_for_the_loader_itself() -> None:
    program = "import sys, labspec.spec.loader; print([n for n in ('pydantic', 'docker', 'rich') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


KEYS = st.sampled_from(
    ["labspec", "lab", "vars", "include", "volumes", "networks", "things", "name", "a", "file", "needs", "x y"]
)
SCALARS = st.sampled_from(
    [1, 0, -1, 1.5, True, None, "", "a", "tp1", "${{ vars.a }}", "${{ lab.name }}", "x${{", "thing.a", ".."]
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
SPECS = st.fixed_dictionaries(
    {"labspec": st.just(1), "lab": TREES | st.just({"name": "a"})},
    optional=dict.fromkeys(("vars", "include", "volumes", "networks", "things"), TREES),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECS | TREES)
def test_any_spec_is_loaded_or_refused(folder: Path, spec: Any) -> None:
    import json

    (folder / "lab.yaml").write_text(json.dumps(spec))
    loaded_or_refused()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("ab:1 -[]{},'\"\n*&${v.}", max_size=80))
def test_any_text_is_loaded_or_refused(folder: Path, text: str) -> None:
    (folder / "lab.yaml").write_text(HEAD + text)
    loaded_or_refused()


def loaded_or_refused() -> None:
    """Load the lab here; a refusal has a place for every mistake, and anything else fails the test."""
    try:
        lab = load_path(None)
    except LabError as error:
        good = all(found.message and found.at for found in error.diagnostics)
    else:
        good = bool(lab.name)
    assert good
