"""What a spec may say of an image, what it gives, and how mistakes in it are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from labspec.core.resource import Resource
from labspec.kinds.image.context import context_files, refreshed
from labspec.kinds.image.model import SECTION

LoadImages = Callable[[Mapping[str, Any]], dict[str, Resource]]
Refusals = Callable[[Mapping[str, Any]], list[str]]
BASE = {"from": "debian"}


def with_steps(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"a": {**BASE, "steps": list(steps), **more}}


def test_what_decides_an_image_of_steps(images: LoadImages, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("x")
    section = with_steps(
        {"arg": "PORT"},
        {"copy": {"src": "page", "dest": "/"}},
        build_args={"PORT": 9999},
        labels=["a=b", "c"],
        platform="linux/amd64",
        no_cache=True,
    )
    image = images(section)["image.a"]
    assert image.name == "tp/a:latest"
    assert {name: value for name, value in image.desired.items() if name != "context"} == {
        "tag": "tp/a:latest",
        "dockerfile": "FROM debian\nARG PORT\nCOPY page /\n",
        "build_args": {"PORT": "9999"},
        "labels": {"a": "b", "c": ""},
        "platform": "linux/amd64",
    }
    assert context_files(image) == [("page", str(tmp_path / "page"))]
    assert image.options["no_cache"] is True
    assert json.loads(json.dumps([image.desired, image.options])) == [image.desired, image.options]


def test_a_stored_image_sees_its_files_change(images: LoadImages, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("x")
    before = images(with_steps({"copy": {"src": "*.txt", "dest": "/"}}))["image.a"]
    assert refreshed(before) == before
    (tmp_path / "two.txt").write_text("x")
    after = refreshed(before)
    assert [name for name, _ in context_files(after)] == ["one.txt", "two.txt"]
    assert after.desired["context"] != before.desired["context"]


def test_references_to_other_images(images: LoadImages) -> None:
    section = {
        "base": {"from": "debian", "tag": "My.registry:5000/base"},
        "tool": {"from": {"image": "base", "as": "tool"}},
        "debian": {"from": "debian:latest"},
        "a": {
            "from": "base",
            "steps": [
                {"copy": {"from": "tool", "src": "/x", "dest": "/x"}},
                {"copy": {"from": "elsewhere", "src": "/y", "dest": "/y"}},
                {"run": {"cmd": "true", "mount": [{"type": "bind", "from": "debian", "target": "/d"}]}},
            ],
        },
    }
    found = images(section)
    assert found["image.a"].needs == ("image.base", "image.debian", "image.tool")
    assert "COPY --from=tp/tool:latest /x /x\nCOPY --from=elsewhere /y /y" in found["image.a"].desired["dockerfile"]
    assert found["image.tool"].desired["dockerfile"] == "FROM My.registry:5000/base:latest AS tool\n"
    assert found["image.debian"].needs == ()


def test_a_dockerfile_that_starts_from_a_tag_of_the_lab(images: LoadImages, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG V=latest\nFROM tp/base:$V\nFROM base\n")
    found = images({"base": BASE, "a": {"dockerfile": "Dockerfile"}})
    assert found["image.a"].needs == ("image.base",)
    assert found["image.a"].options["context"] == str(tmp_path)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"a": {}},
            ["\"a\": {}: image 'a' comes from nowhere (give it one of from, dockerfile, archive, rootfs, external)"],
        ),
        (
            {"a": {"from": "x", "archive": "y"}},
            ['"archive": "y": image \'a\' has both from and archive (keep one of them)'],
        ),
        (
            {"a": {"archive": "y", "build_args": {"A": "1"}}},
            ['"build_args": {: build_args has no meaning for an image with archive (remove it)'],
        ),
        (
            with_steps({"runn": "x"}),
            ["\"runn\": \"x\": unknown key 'runn' in 'steps' of image 'a' (did you mean 'run'?)"],
        ),
        (
            with_steps({"run": "x", "user": "y"}),
            ["{: a step is one instruction; this one has run, user: begin each with a '-' of its own"],
        ),
        (with_steps({"user": None}), ["{: the instruction user says nothing: give it a value"]),
        (
            with_steps({"user": "a\\"}),
            ['"a\\\\": a backslash at the end would swallow the next instruction: remove it'],
        ),
        (with_steps({"user": "a\nUSER root"}), ["this is one line: join its lines"]),
        (with_steps({"run": "--security=insecure x"}), ["would be read as an option of the instruction"]),
        (with_steps({"copy": {"src": "a", "dest": "/a", "chown": "a b"}}), ["'a b' is not one plain word"]),
        (with_steps({"copy": {"src": "a", "dset": "/a"}}), ["did you mean 'dest'?", "lacks the key 'dest'"]),
        (with_steps({"copy": {"src": "tset.html", "dest": "/"}}), ["did you mean 'test.html'?"]),
        (with_steps({"copy": {"src": ["test.html", "../x"], "dest": "/"}}), ["is outside of the lab's folder"]),
        (with_steps({"copy": {"src": "*.css", "dest": "/"}}), ["\"*.css\": no file of the lab matches '*.css'"]),
        (with_steps({"label": {"io.labspec.lab": "x"}}), ["is for labspec and compose to set"]),
        (with_steps({"expose": "80/icmp"}), ["'80/icmp' is not a port such as 80, 53/udp or $PORT"]),
        (with_steps({"healthcheck": {"cmd": "true", "interval": "1x"}}), ["'1x' is not a duration"]),
        (with_steps({"env": {"A B": "1"}}), ["'A B' is not the name of a variable"]),
        (
            with_steps({"arg": "PORT"}, build_args={"PORTT": "1"}),
            ["\"PORTT\": \"1\": nothing takes the build argument 'PORTT' (did you mean 'PORT'?)"],
        ),
        (with_steps({"from": {"image": "x", "as": "last"}}, target="lost"), ["there is no stage 'lost' (did you mean"]),
        ({"a": {"from": "x", "tag": "Big/Name"}}, ["'Big/Name' is not a tag"]),
        ({"a": {"from": "-x"}}, ["'-x' is not the name of an image"]),
        ({"a..b": BASE}, ["'tp/a..b:latest' cannot be the name of an image (give it a 'tag')"]),
        ({"a": BASE, "b": {**BASE, "tag": "tp/a"}}, ["has the name tp/a:latest on the host, and so has image.a"]),
        ({"a": {"from": "b"}, "b": {"from": "a"}}, ["these need each other: image.a -> image.b -> image.a"]),
        ({"a": {"dockerfile": "Dockerfil"}}, ["there is no file 'Dockerfil' in the lab's folder"]),
        ({"a": {"dockerfile": "web/Dockerfile"}}, ["line 3 copies 'missing.txt', and the context has no such file"]),
        ({"a": {"external": True, "labels": ["a=b"]}}, ["labels has no meaning for an image with external"]),
        ({"a": {"archive": "y", "secrets": ["s"]}}, ["secrets has no meaning for an image with archive"]),
        ({"a": {**BASE, "secrets": ["s"]}}, ["\"s\": there is no secret 's' (define it under 'secrets:')"]),
        ({"a": {**BASE, "tags": ["A"]}}, ["'A' is not a tag"]),
        ({"a": {**BASE, "ulimits": {"nofile": {"soft": 1}}}}, ["lacks the key 'hard'"]),
        ({"a": {**BASE, "entitlements": ["all"]}}, ["expected network.host or security.insecure"]),
        ({"a": {"rootfs": {"debootstrap": "--help"}}}, ["'--help' is not the name of a release"]),
        ({"a": {"rootfs": {"debootstrap": "sid", "packages": ["a,b"]}}}, ["'a,b' is not the name of a Debian package"]),
    ],
)
def test_mistakes_are_told_in_place(
    refusals: Refusals, tmp_path: Path, section: Mapping[str, Any], said: list[str]
) -> None:
    (tmp_path / "test.html").write_text("x")
    (tmp_path / "y").write_text("x")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM x\n\nCOPY missing.txt /\n")
    found = refusals(section)
    for part in said:
        assert any(part in message for message in found), found


def test_an_image_that_the_lab_only_uses(images: LoadImages) -> None:
    found = images({"debian": {"external": True}, "b": {"external": True, "tag": "x/y"}, "c": {"from": "debian"}})
    assert {address: (item.name, item.desired["tag"], item.needs) for address, item in found.items()} == {
        "image.debian": ("debian:latest", "debian:latest", ()),
        "image.b": ("x/y:latest", "x/y:latest", ()),
        "image.c": ("tp/c:latest", "tp/c:latest", ("image.debian",)),
    }
    assert found["image.debian"].options["external"]


def test_every_key_has_a_description() -> None:
    schema = SECTION.schema()
    described = [schema, *schema["$defs"].values()]
    lacking = [
        key for model in described for key, value in model.get("properties", {}).items() if "description" not in value
    ]
    assert lacking == []
    assert {"from", "copy", "onbuild"} <= set(schema["$defs"]["Step"]["properties"])
