"""A picture is what it says, is the lab's own, and neither runs nor loads anything."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import sheets

from labspec.core.diagnostic import LabError
from labspec.outputs.handout.pictures import LARGEST, data_uri, lab_picture

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


def svg(inside: str) -> bytes:
    return f"{HEAD}{inside}</svg>".encode()


GOOD = svg(
    "<style>.a{fill:url(#g)}</style><defs><linearGradient id='g'/></defs>"
    "<use xlink:href='#g'/><rect class='a' fill='url(#g)' width='9' height='9'/>"
)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (sheets.PIXEL, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (GOOD, "image/svg+xml"),
    ],
)
def test_a_picture_is_told_by_its_content(content: bytes, kind: str) -> None:
    assert data_uri(content, "x") == f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize("content", [b"", b"<html><script>", b"%PDF-1.7", b"\x89PNG"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(LabError, match="x is no picture"):
        data_uri(content, "x")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (svg("<script>alert(1)</script>"), "<script>"),
        (svg("<rect onload='alert(1)'/>"), "onload"),
        (svg("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"), "<foreignObject>"),
        (svg("<p xmlns='http://www.w3.org/1999/xhtml'/>"), "<p>"),
        (svg("<image href='https://evil.example/x.png'/>"), "leads to"),
        (svg("<image xlink:href='file:///etc/passwd'/>"), "leads to"),
        (svg("<a href='javascript:alert(1)'/>"), "leads to"),
        (svg("<image href='data:image/svg+xml;base64,AAAA'/>"), "leads to"),
        (svg("<use href='other.svg#x'/>"), "leads to"),
        (svg("<set attributeName='href' to='javascript:alert(1)'/>"), "<set>"),
        (svg("<style>@import 'https://evil.example'</style>"), "loads something"),
        (svg("<style>a{fill:u\\72l(https://evil.example)}</style>"), "loads something"),
        (svg("<rect style='fill:url(https://evil.example)'/>"), "loads something"),
        (svg("<rect fill='url( \"https://evil.example\" )'/>"), "loads something"),
        (b"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + svg("&x;"), "document type"),
        (b"<?xml-stylesheet href='https://evil.example'?>" + svg(""), "style sheet"),
        (svg("<rect>"), "is no SVG"),
        (b"<html><svg/></html>", "is no SVG"),
        (GOOD.decode().encode("utf-16"), "no picture"),
        (b"<svg>\xff</svg>", "not UTF-8"),
    ],
)
def test_an_svg_that_does_or_loads_something_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(LabError) as refused:
        data_uri(content, "x.svg")
    assert complaint in str(refused.value)


def test_a_picture_is_in_the_labs_folder(folder: Path) -> None:
    (folder / "in.png").write_bytes(sheets.PIXEL)
    (folder.parent / "out.png").write_bytes(sheets.PIXEL)
    (folder / "link.png").symlink_to(folder.parent / "out.png")
    assert lab_picture(str(folder), "in.png").startswith("data:image/png")
    assert lab_picture(str(folder), str(folder / "in.png")).startswith("data:image/png")
    for path in ("../out.png", "link.png", "/etc/hostname", ".", ""):
        with pytest.raises(LabError, match="not inside"):
            lab_picture(str(folder), path)
    with pytest.raises(LabError, match="not there"):
        lab_picture(str(folder), "none.png")


def test_a_picture_has_a_largest_size(folder: Path) -> None:
    with (folder / "large.png").open("wb") as file:
        file.write(sheets.PIXEL)
        file.truncate(LARGEST + 1)
    with pytest.raises(LabError, match="too large"):
        lab_picture(str(folder), "large.png")
