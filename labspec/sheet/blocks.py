"""The blocks of a sheet: what each kind of them says, checked against the lab, and as sheet.py reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.provider import Scope
from labspec.kinds.refused import is_refused
from labspec.sheet.findings import Findings, Path
from labspec.sheet.sheet import HOST, TOPOLOGY

ARTIFACTS: Mapping[str, tuple[str, ...]] = {
    "lab": ("compose",),
    "image": ("dockerfile",),
    "service": ("compose",),
    "volume": ("compose",),
    "network": ("compose",),
    "stack": ("compose",),
    "daemon": ("daemon.json",),
    "file": ("content",),
    "unit": ("unit",),
    "rkt": ("command", "unit", "quadlet"),
    "bundle": ("config.json",),
    "machine": ("nspawn", "unit"),
}
"""Kind of object -> what the sheet can print of it, what it prints unless told otherwise first."""
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
LARGEST_PICTURE = 4 * 1024 * 1024


class Blocks:
    """Reads the blocks of one handout, whose form is good already, and reports what is wrong with them."""

    def __init__(
        self, scope: Scope, resources: Sequence[Resource], parts: Mapping[str, Any], findings: Findings
    ) -> None:
        self._scope = scope
        self._findings = findings
        self._kinds = _kinds_of(resources)
        self._checks = None if parts.get("checks", ()) is None else [check["id"] for check in parts.get("checks", ())]
        """The ids of the lab's checks; None where there are mistakes in these."""

    def read(self, kind: str, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Return what a block of a kind says.

        Beside it `spoken`, what it is called after, and `contents`, what it is known by where that is not all of it.
        """
        self._findings.texts(block, ("title", "text", "question", "hint", "solution", "alt"), path)
        said: dict[str, Any] = getattr(self, f"_{kind}")(block, path)
        return said

    def _text(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:  # noqa: ARG002  as all of them
        return {"text": block["text"], "spoken": ""}

    def _hint(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:  # noqa: ARG002  as all of them
        return {"text": block["hint"], "spoken": ""}

    def _solution(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:  # noqa: ARG002  as all of them
        return {"text": block["solution"], "spoken": ""}

    def _question(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:  # noqa: ARG002  as all of them
        lines = block.get("answer_lines")
        return {"text": block["question"], "answer_lines": 3 if lines is None else lines, "spoken": ""}

    def _run(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        command, place = block["run"], block.get("in") or HOST
        if place != HOST:
            self._address(place, (*path, "in"), ("service",), "a command runs on the host or in a service")
        for index, address in enumerate(block.get("needs") or ()):
            self._address(address, (*path, "needs", index))
        codes = block.get("exit", 0)
        who = {"command": command, "place": place, **{key: block.get(key) for key in ("user", "cwd", "stdin")}}
        kept = {key: block[key] for key in ("timeout", "wait", "lines", "prompt") if block.get(key) is not None}
        return {
            **who,
            **kept,
            "exit": [0] if codes is None else codes if isinstance(codes, list) else [codes],
            "volatile": block.get("volatile") or [],
            "unordered": bool(block.get("unordered")),
            "hidden": bool(block.get("hidden")),
            "needs": block.get("needs") or [],
            "recorded": self._recorded(block.get("recorded"), (*path, "recorded")),
            "spoken": command if isinstance(command, str) else " ".join(command),
            "contents": who,
        }

    def _recorded(self, recorded: Mapping[str, Any] | None, path: Path) -> dict[str, Any] | None:
        if recorded is None:
            return None
        self._findings.texts(recorded, ("host", "why"), path)
        output, file = recorded.get("output"), recorded.get("file")
        if output is not None and file is not None:
            self._findings.error((*path, "file"), "the output is there and in a file", "keep one of them", key=True)
        absolute = self._scope.file((*path, "file"), file) if file is not None else None
        if absolute is not None:
            try:
                output = self._scope.read(absolute).decode(errors="replace")
            except LabError as error:
                self._findings.error((*path, "file"), str(error))
        self._findings.failed |= file is not None and absolute is None
        return {**{key: recorded[key] for key in ("host", "date", "why")}, "output": output or ""}

    def _artifact(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        address = block["artifact"]
        kind = "lab" if address == "lab" else self._address(address, (*path, "artifact"))
        forms = ARTIFACTS.get(kind or "", ())
        form = block.get("as") or next(iter(forms), "")
        if kind and not forms:
            self._findings.error(
                (*path, "artifact"), f"there is no file or command line for {address}", "show it by 'run'"
            )
        elif kind and form not in forms:
            hint = did_you_mean(form, forms) or f"it can be printed as {' or '.join(forms)}"
            self._findings.error((*path, "as"), f"{address} cannot be printed as '{form}'", hint)
        return {"address": address, "form": form, "spoken": f"{address} {form}"}

    def _show(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        view, address, query = block["show"], block["of"], block.get("query")
        if address != HOST and not (view == "api" and address.startswith("/")):
            self._address(address.partition("/")[0], (*path, "of"))
        if query is not None and view != "api":
            self._findings.error((*path, "query"), f"the view {view} takes no query", "only 'api' does", key=True)
        said = {"view": view, "address": address, "query": query}
        return {**said, "spoken": f"{view} {address}"}

    def _check(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        wanted = block["check"]
        if self._checks is not None and wanted not in self._checks:
            hint = did_you_mean(wanted, self._checks) or f"checks of the lab: {', '.join(self._checks) or 'none'}"
            self._findings.error((*path, "check"), f"there is no check '{wanted}'", hint)
        return {"check": wanted, "spoken": wanted}

    def _figure(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        figure, alt = block["figure"], block.get("alt") or ""
        if figure == TOPOLOGY:
            return {"figure": figure, "file": "", "alt": alt, "spoken": figure}
        absolute = None
        if PurePosixPath(figure).suffix.lower() not in PICTURES:
            hint = did_you_mean(figure, [TOPOLOGY]) or f"a picture ends in {', '.join(PICTURES)}"
            self._findings.error((*path, "figure"), f"'{figure}' is no picture", hint)
        else:
            absolute = self._scope.file((*path, "figure"), figure)
            self._findings.failed |= absolute is None
        if not alt:
            self._findings.error(path, "the picture has no 'alt'", "say in a sentence what is to be seen on it")
        digest = self._picture(absolute, (*path, "figure")) if absolute else ""
        said = {"figure": figure, "file": absolute or "", "alt": alt, "spoken": figure}
        return {**said, "contents": {"figure": figure, "sha256": digest}}

    def _picture(self, absolute: str, path: Path) -> str:
        """Return the digest of a picture, which is read so that the lab is known to depend on it."""
        try:
            content = self._scope.read(absolute)
        except LabError as error:
            self._findings.error(path, str(error))
            return ""
        if len(content) > LARGEST_PICTURE:
            self._findings.error(
                path, f"the picture is too large: more than {LARGEST_PICTURE // 1024**2} MiB", "make it smaller"
            )
        return hashlib.sha256(content).hexdigest()

    def _address(self, address: str, path: Path, kinds: tuple[str, ...] = (), message: str = "") -> str | None:
        """Return the kind of the object at an address; None, and a report, where there is none, or of another kind."""
        kind = self._kinds.get(address)
        wanted = [known for known, its in self._kinds.items() if not kinds or its in kinds]
        if kind is None and is_refused(address, self._kinds, self._scope):
            return None
        if kind is None:
            hint = did_you_mean(address, wanted) or f"{'/'.join(kinds) or 'objects'}: {', '.join(wanted[:8]) or 'none'}"
            self._findings.error(path, f"the lab has no '{address}'", hint)
            return None
        if kinds and kind not in kinds:
            self._findings.error(path, message, f"there are {', '.join(wanted[:8]) or 'none'}")
            return None
        return kind


def _kinds_of(resources: Sequence[Resource]) -> dict[str, str]:
    """Return address -> kind of all that a sheet may name: the objects, and stacks as wholes."""
    kinds = {resource.address: resource.kind for resource in resources}
    stacks = {".".join(address.split(".")[:2]) for address in kinds if address.startswith("stack.")}
    return {**kinds, **dict.fromkeys(sorted(stacks), "stack")}
