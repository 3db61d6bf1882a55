"""The `build` section of a compose service as an image of the lab."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Resource
from labspec.kinds.compose.project import Project
from labspec.kinds.image.build import compose_build
from labspec.kinds.image.buildx import BuildImage, arguments
from labspec.kinds.image.live import LIVE, unmakeable
from labspec.kinds.secret.model import SECTION as SECRETS_SECTION
from labspec.spec.loader import load

PLATFORM = "linux/arm64"


class Builds:
    """A section whose entries are `build` sections."""

    name = "builds"
    kind = "image"

    def check(self, *_: Any) -> bool:
        return True

    def resources(self, name: str, entry: Any, scope: Any) -> Iterable[Resource]:
        made = compose_build(f"image.{name}", Project.of_lab(scope), ("builds", name), f"tp-{name}", entry, PLATFORM)
        return [made] if made else []

    def schema(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("labspec.spec.loader.sections", lambda: (Builds(), SECRETS_SECTION))
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM x AS one\nARG A\nARG B\nCOPY page /\n")
    (tmp_path / "web" / "page").write_text("hello")
    (tmp_path / "Special").write_text("FROM y\n")
    return tmp_path


SECRETS = "secrets: {tok: {file: web/page}, env: {environment: TOKEN}, far: {external: true}, key: {file: /root/k}}\n"


def build(folder: Path, section: str) -> Resource:
    (folder / "lab.yaml").write_text(f"labspec: 1\nlab: {{name: tp}}\nbuilds:\n  web: {section}\n{SECRETS}")
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
        "extra_hosts": ["db:10.0.0.1", "v6:::1"],
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


def test_the_rest_is_passed_on_too(folder: Path) -> None:
    made = build(
        folder,
        "{context: web, secrets: [tok, {source: env, target: e}], ssh: [default, 'k=/root/key'],"
        " tags: [b/c, 'tp-web', x:2], cache_to: [type=inline, 'type=local,dest=cache'], shm_size: 1m,"
        " ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}, isolation: default, privileged: true,"
        " entitlements: [network.host]}",
    )
    assert made.desired["build"] == {
        "shm_size": 2**20,
        "ulimits": {"nofile": {"soft": 5, "hard": 5}, "nproc": {"soft": 1, "hard": 2}},
    }
    assert made.desired["tags"] == ["b/c:latest", "x:2"]
    request = json.loads(BuildImage.of("tp", made).request)
    words = arguments(made.name, request, Path("/Dockerfile"))
    assert words[-2:] == ["--", str(folder / "web")]
    assert [word for word in words if not word.startswith(("--label", "--file", "--builder", "--p"))][1:-2] == [
        "--allow=network.host",
        "--allow=security.insecure",
        "--cache-to=type=inline",
        f"--cache-to=type=local,dest={folder}/cache",
        f"--secret=id=tok,src={folder}/web/page",
        "--secret=id=e,env=TOKEN",
        "--shm-size=1048576",
        "--ssh=default",
        "--ssh=k=/root/key",
        "--tag=tp-web:latest",
        "--tag=b/c:latest",
        "--tag=x:2",
        "--ulimit=nofile=5:5",
        "--ulimit=nproc=1:2",
    ]
    assert str(BuildImage.of("tp", made)) == (
        f"build image tp-web:latest, b/c:latest, x:2 with secret tok from {folder}/web/page, secret e from $TOKEN, "
        f"ssh default, ssh k from /root/key, its cache to type=inline, its cache to type=local,dest={folder}/cache"
    )


@pytest.mark.parametrize(
    ("section", "dangers"),
    [
        ("{context: web, ssh: [default]}", {"ssh": "a build step may use your SSH agent"}),
        ("{context: web, ssh: {k: /etc/key}}", {"ssh": "a build step may use the SSH key /etc/key"}),
        ("{context: web, privileged: true}", {"privileged": "a build step has all privileges on the host"}),
        ("{context: web, entitlements: [network.host]}", {"host-network": "a build step has the host's network"}),
        ("{context: web, secrets: [key]}", {"host-mount": "a build step may read /root/k of the host"}),
        (
            "{context: web, cache_to: ['type=local,dest=/o']}",
            {"host-mount": "a build writes its cache to /o of the host"},
        ),
        ("{context: web, secrets: [tok, env], cache_to: ['type=local,dest=o'], isolation: default}", {}),
    ],
)
def test_dangers(folder: Path, section: str, dangers: dict[str, str]) -> None:
    assert {found.name: found.message for found in LIVE.dangers(build(folder, section))} == dangers


def test_what_a_build_is_given_must_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("TOKEN", raising=False)
    made = build(folder, "{context: web, secrets: [env, key, tok], ssh: {default: null, k: /nowhere/key}}")
    assert [found.message for found in unmakeable(made)] == [
        "image.web: secret 'env' of its build: the environment has no variable TOKEN",
        "image.web: secret 'key' of its build: there is no file /root/k that you may read",
        "image.web: its build uses the SSH agent, and there is none",
        "image.web: there is no SSH key /nowhere/key that you may read",
    ]
    monkeypatch.setenv("TOKEN", "x")
    assert list(unmakeable(build(folder, "{context: web, secrets: [env, tok]}"))) == []


def test_of_several_platforms_the_services_is_built(folder: Path) -> None:
    assert build(folder, "{context: web, platforms: [linux/amd64, linux/arm64]}").desired["platform"] == "linux/arm64"
    assert "platform" not in build(folder, "{context: web, platforms: [linux/amd64, linux/386]}").desired


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
        ("{context: web, sbom: true}", "lab.yaml:4:23: labspec cannot build with 'sbom'"),
        ("{context: web, ssh: ['k=../key']}", "lab.yaml:4:29: '../key' is outside"),
        ("{context: web, secrets: [tik]}", "lab.yaml:4:33: there is no secret 'tik'"),
        ("{context: web, secrets: [{source: far}]}", "lab.yaml:4:42: a build cannot be given secret 'far'"),
        ("{context: web, tags: [ok, A]}", "lab.yaml:4:34: 'A' is not a tag"),
        ("{context: web, entitlements: [device]}", "lab.yaml:4:38: a build cannot be allowed 'device'"),
        ("{context: web, shm_size: 1x}", "lab.yaml:4:33: '1x' is not a size"),
        ("{context: wep}", "lab.yaml:4:18: there is no folder 'wep' in the lab's folder"),
        ("{context: web, args: [A]}", "lab.yaml:4:30: the build argument 'A' has no value"),
        ("{context: web, args: {A: null}}", "lab.yaml:4:33: the build argument 'A' has no value"),
        ("{context: web, target: on}", "lab.yaml:4:31: there is no stage 'on'"),
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
