"""Archives of docker save: written anew with one tag and the lab's labels, and refused where they are hostile."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.kinds.image import archive
from labspec.kinds.image.archive import checked, opened, write_labelled

CONFIG = {"architecture": "amd64", "config": {"Cmd": ["sh"], "Labels": {"own": "1"}}, "rootfs": {"diff_ids": []}}


def write(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """Write a tar file of these members."""
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    member.type, member.linkname = kind, target
    return member


def image(layers: list[Any], config: str = "config.json", **more: Any) -> dict[str, Any]:
    manifest = [{"Config": config, "RepoTags": ["debian:latest", "evil:1"], "Layers": layers, **more}]
    return {"manifest.json": json.dumps(manifest).encode(), config: json.dumps(CONFIG).encode()}


def rewritten(path: Path) -> dict[str, bytes]:
    out = io.BytesIO()
    with opened(str(path)) as found:
        write_labelled(found, out, "tp/a:latest", {"io.labspec.lab": "tp"})
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.mark.parametrize("compressed", [False, True])
def test_written_anew(tmp_path: Path, compressed: bool) -> None:
    old_style: dict[str, Any] = {
        "./one/layer.tar": b"first",
        "two/layer.tar": special(tarfile.SYMTYPE, "../one/layer.tar"),
        **image(["one/layer.tar", "two/layer.tar", "three/layer.tar"]),
        "three/layer.tar": b"third",
        "../escape": b"never read",
        "repositories": b"{}",
    }
    path = write(tmp_path / "image.tar", old_style)
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    members = rewritten(path)
    (manifest,) = json.loads(members["manifest.json"])
    assert manifest["RepoTags"] == ["tp/a:latest"]
    assert [members[name] for name in manifest["Layers"]] == [b"first", b"first", b"third"]
    assert set(members) == {"manifest.json", manifest["Config"], "layer0.tar", "layer1.tar"}
    assert manifest["Config"] == sha256(members[manifest["Config"]]).hexdigest() + ".json"
    config = json.loads(members[manifest["Config"]])
    assert config["config"] == {"Cmd": ["sh"], "Labels": {"own": "1", "io.labspec.lab": "tp"}}
    assert config["rootfs"] == CONFIG["rootfs"]


def test_the_layout_of_oci(tmp_path: Path) -> None:
    members = {
        "oci-layout": b"{}",
        "index.json": b"{}",
        "blobs/sha256/aa": b"layer",
        **image(["blobs/sha256/aa"], "blobs/sha256/bb"),
    }
    assert rewritten(write(tmp_path / "image.tar", members))["layer0.tar"] == b"layer"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"index.json": b"{}"}, "has no manifest.json"),
        ({"manifest.json": b"nonsense"}, "'manifest.json' in it is not JSON"),
        ({"manifest.json": b"[" * 100_000}, "'manifest.json' in it is not JSON"),
        ({"manifest.json": b"[]"}, "holds 0 images"),
        ({"manifest.json": b"[{}, {}]"}, "holds 2 images"),
        ({"manifest.json": b"[1]"}, "not one of docker save"),
        (image("layer"), "not one of docker save"),  # type: ignore[arg-type]
        (image([7]), "not one of docker save"),
        (image(["gone"]), "'gone' is missing in it"),
        (image(["../../etc/passwd"]), "'../../etc/passwd' is missing in it"),
        ({**image(["l"]), "l": special(tarfile.SYMTYPE, "/etc/passwd")}, "'l' is missing in it"),
        ({**image(["l"]), "l": special(tarfile.SYMTYPE, "l")}, "'l' in it is not a regular file"),
        ({**image(["l"]), "l": special(tarfile.CHRTYPE)}, "'l' in it is not a regular file"),
        ({**image(["l"]), "l": special(tarfile.LNKTYPE, "/etc/passwd")}, "'l' in it is not a regular file"),
        ({**image(["l"]), "l": b"1", "./l": b"2"}, "it has 'l' twice"),
        (image(["l"] * 600), "not one of docker save"),
    ],
)
def test_what_is_refused(tmp_path: Path, members: dict[str, Any], why: str) -> None:
    with pytest.raises(LabError, match=why):
        checked(str(write(tmp_path / "image.tar", members)))


def test_no_archive_at_all(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    for content in (b"", b"not a tar file" * 100, b"\x1f\x8bnot gzip", gzip.compress(b"x" * 2000)[:-8]):
        path.write_bytes(content)
        with pytest.raises(LabError, match="it is no whole archive"):
            checked(str(path))
    with pytest.raises(LabError, match="cannot read"):
        checked(str(tmp_path / "missing.tar"))


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(make: Callable[[Path], None], why: str) -> None:
        path = tmp_path / "bomb.tar"
        make(path)
        with pytest.raises(LabError, match=why):
            checked(str(path))

    def long_name(path: Path) -> None:
        member = tarfile.TarInfo("x")
        member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2 * 2**20
        with path.open("wb") as file:
            file.write(member.tobuf(tarfile.GNU_FORMAT) + bytes(2 * 2**20 + 1024))

    refused(long_name, "an extended header is too large")
    monkeypatch.setattr(archive, "MOST_BYTES", 2**20)
    refused(lambda path: path.write_bytes(gzip.compress(bytes(3 * 2**20))) and None, "it unpacks to more than")
    refused(lambda path: write(path, {"a": bytes(2 * 2**20)}) and None, "it has more than")
