"""The `build` section of a compose service as an image of the lab."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.image.build import compose_build
from labspec.spec.loader import load


class Builds:
    """A section whose entries are `build` sections."""

    name = "builds"
    kind = "image"

    def check(self, *_: Any) -> bool:
        return True

    def resources(self, name: str, entry: Any, scope: Any) -> Iterable[Resource]:
        made = compose_build(f"image.{name}", scope, ("builds", name), f"tp-{name}", entry, scope.root, "tp")
        return [made] if made else []

    def schema(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: (Builds(),))
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM x AS one\nARG A\nARG B\nCOPY page /\n")
    (tmp_path / "web" / "page").write_text("hello")
    (tmp_path / "Special").write_text("FROM y\n")
    return tmp_path


def build(folder: Path, section: str) -> Resource:
    (folder / "lab.yaml").write_text(f"labspec: 1\nlab: {{name: tp}}\nbuilds:\n  web: {section}\n")
    return load(folder, variables={}, variable_files=[]).resources[0]


def test_a_folder(folder: Path) -> None:
    made = build(folder, "web")
    assert (made.name, made.project, made.options["context"]) == ("tp-web:latest", "tp", str(folder / "web"))
    assert made.options["files"] == [["page", str(folder / "web" / "page")]]


def test_all_that_is_passed_on(folder: Path) -> None:
    made = build(
        folder,
        "{context: web, args: {A: 1, B: true}, target: one, labels: [a=b], platforms: [linux/amd64], no_cache: true,"
        " network: host, extra_hosts: ['db=10.0.0.1', 'v6:::1'], cache_from: [old],"
        " additional_contexts: {base: 'docker-image://debian', more: web}}",
    )
    assert made.desired["build_args"] == {"A": "1", "B": "true"}
    assert made.desired["build"] == {
        "network": "host",
        "extra_hosts": {"db": "10.0.0.1", "v6": "::1"},
        "contexts": {"base": "docker-image://debian", "more": str(folder / "web")},
    }
    assert (made.desired["target"], made.desired["labels"], made.desired["platform"]) == (
        "one",
        {"a": "b"},
        "linux/amd64",
    )
    assert (made.options["allow"], made.options["no_cache"], made.options["cache_from"]) == (
        ["network.host"],
        True,
        ["old"],
    )


def test_an_additional_folder_decides_too(folder: Path) -> None:
    section = "{dockerfile: Special, additional_contexts: [more=web]}"
    before = build(folder, section).desired["context"]
    (folder / "web" / "page").write_text("other")
    assert build(folder, section).desired["context"] != before


def test_another_dockerfile_and_one_inline(folder: Path) -> None:
    assert build(folder, "{context: web, dockerfile: ../Special}").desired["dockerfile"] == "FROM y\n"
    made = build(folder, "{dockerfile_inline: 'FROM z'}")
    assert (made.desired["dockerfile"], made.options["context"]) == ("FROM z", str(folder))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{context: web, ssh: [default]}", "lab.yaml:4:23: labspec cannot build with 'ssh'"),
        ("{context: wep}", "lab.yaml:4:18: there is no folder 'wep' in the lab's folder"),
        ("{context: web, args: [A]}", "lab.yaml:4:30: the build argument 'A' has no value"),
        ("{context: web, args: {A: null}}", "lab.yaml:4:33: the build argument 'A' has no value"),
        ("{context: web, target: on}", "lab.yaml:4:31: there is no stage 'on'"),
        ("{context: web, platforms: [a, b]}", "lab.yaml:4:34: the engine keeps an image for one platform"),
        ("{context: web, additional_contexts: {x: /etc}}", "lab.yaml:4:48: '/etc' is an absolute path"),
        ("https://example.org/x.git", "lab.yaml:4:8: there is no folder"),
    ],
)
def test_mistakes(folder: Path, monkeypatch: pytest.MonkeyPatch, section: str, said: str) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(LabError) as caught:
        build(folder, section)
    (found,) = caught.value.diagnostics
    assert f"{found.at}: {found.message}".replace(f"{folder}/", "").startswith(said)
