"""Picture files of the lab as data: URIs: what they say that they are, and nothing that runs or is loaded."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from labspec.core.diagnostic import LabError

LARGEST = 4 * 2**20
"""Bytes of one file."""
SVG = "image/svg+xml"
_HEADS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_SPACE = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_UNWANTED = frozenset({"script", "foreignObject", "handler", "listener", "iframe", "animate", "set", "audio", "video"})
_EMBEDDED = re.compile(r"\s*data:image/(png|jpeg|gif|webp);base64,", re.IGNORECASE)


def lab_picture(root: str, path: str) -> str:
    """Return a picture file of the lab's folder as a data: URI.

    Raises LabError where it is none, is not inside the folder (symlinks resolved), is too large, or is an SVG with
    what runs or is loaded.
    """
    return data_uri(_read(root, path), path)


def data_uri(content: bytes, name: str) -> str:
    """Return a picture as a data: URI. Raises LabError as `lab_picture` does; `name` is what messages call it."""
    kind = _kind(content)
    if kind is None:
        raise LabError(f"{name} is no picture that a sheet can have", hint="use png, jpg, gif, webp or svg")
    if kind == SVG:
        complaint = next(_complaints(content), None)
        if complaint:
            hint = "a sheet's pictures are only seen: save it as plain SVG, or as png"
            raise LabError(f"the picture {name} {complaint}", hint=hint)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _read(root: str, path: str) -> bytes:
    real = os.path.realpath(Path(root, path))
    folder = os.path.realpath(root)
    if not real.startswith(f"{folder}{os.sep}"):
        raise LabError(f"the picture {path} is not inside the lab's folder", hint="copy it into the folder")
    file = Path(real)
    if not file.is_file():
        raise LabError(f"the picture {path} is not there", hint=f"it is looked for in {root}")
    if file.stat().st_size > LARGEST:
        raise LabError(f"the picture {path} is too large: a sheet takes up to {LARGEST // 2**20} MiB a picture")
    try:
        return file.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error


def _kind(content: bytes) -> str | None:
    for head, kind in _HEADS:
        if content.startswith(head):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return SVG if b"<svg" in content[:4096] else None


def _complaints(content: bytes) -> Iterator[str]:
    """Yield what is wrong with an SVG."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield "is not UTF-8"
        return
    if re.search(r"<!(DOCTYPE|ENTITY)|<\?xml-stylesheet", text, re.IGNORECASE):
        yield "has a document type, an entity or a style sheet of its own"
        return
    try:
        tree = ElementTree.fromstring(text)  # noqa: S314  no document type, so no entity
    except ElementTree.ParseError as error:
        yield f"is no SVG: {error}"
        return
    if tree.tag != f"{_SPACE}svg":
        yield "is no SVG: its first element is another one"
    for element in tree.iter():
        yield from _of_element(element)


def _of_element(element: ElementTree.Element) -> Iterator[str]:
    name = element.tag.removeprefix(_SPACE)
    if name in _UNWANTED or name.startswith("{http://www.w3.org/1999/xhtml}"):
        yield f"has an element <{name.rpartition('}')[2]}>"
    if name == "style" and _loads(element.text or ""):
        yield "loads something in its <style>"
    for key, value in element.attrib.items():
        bare = key.rpartition("}")[2].lower()
        if bare.startswith("on"):
            yield f"has an attribute {bare}"
        elif key == _XLINK or bare in ("href", "src"):
            if not value.strip().startswith("#") and not _EMBEDDED.match(value):
                yield f"leads to {value[:60]!r}"
        elif _loads(value):
            yield f"loads something in its attribute {bare}"


def _loads(style: str) -> bool:
    """Return whether a style sheet or a value of one names something outside the picture."""
    plain = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    if "\\" in plain or "@import" in plain.lower() or "javascript:" in plain.lower():
        return True
    return any(not target.startswith("#") for target in re.findall(r"url\(\s*['\"]?\s*([^)]*)", plain, re.IGNORECASE))
