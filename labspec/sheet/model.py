"""What a spec says of the lab's sheet: the part `handout`, checked and made into what sheet.py reads.

    handout:
      title, subtitle, intro        # texts for people: one, or {fr: ..., en: ...}
      sections:
        - id, title
          blocks:
            - text: Markdown
            - run: [curl, -s, "http://127.0.0.1:1010"]        # text instead of a list: sh reads it
              in: service.web                                   # where; user, cwd, stdin, exit, timeout, ...
            - artifact: image.nagini                            # its Dockerfile; `as:` where there are several
            - show: namespaces                                  # what `labspec show` says
              of: service.web
            - question: ... / hint: ... / solution: ...         # Markdown; a solution is the teacher's alone
            - check: web                                        # the id of a check
            - figure: topology                                  # or a picture of the lab, with `alt`

A block has one kind key, and besides it what its kind takes (forms.py) and `id`, `audience` and `title`. Decided:

- `run` takes a list as it is, and a text as input of `sh -c`: nothing else is ever read by a shell.
- A command of the solution is a `run` with `audience: teacher` behind it; a solution itself is Markdown only.
- `recorded` stands in for a command that cannot run: it is printed with its host, date and reason.
- What follows from the spec alone (artifact, figure) is made when the sheet is; run, show and check are captured.
- A text that lacks a language of the lab is a mistake, wherever it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Resource
from labspec.core.wording import in_language
from labspec.kinds.provider import Scope
from labspec.kinds.refused import is_refused
from labspec.kinds.section import check_languages, check_model, model_schema
from labspec.sheet.forms import FORMS, Handout, Section
from labspec.sheet.ids import block_id, slug, unique
from labspec.sheet.sheet import BOTH, HOST, TEACHER, TOPOLOGY

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
MOST_BLOCKS = 1000

Path = tuple[str | int, ...]


class HandoutPart:
    """The part `handout`."""

    name = "handout"

    def read(
        self, value: Any, scope: Scope, resources: Sequence[Resource], parts: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the sheet as JSON, as `sheet.sheet_of` reads it; None, and reports, where there are mistakes."""
        return _Reader(scope, resources, parts).handout(value)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the part."""
        return model_schema(Handout)


class _Reader:
    """Checks one handout, and collects the ids of what it has read."""

    def __init__(self, scope: Scope, resources: Sequence[Resource], parts: Mapping[str, Any]) -> None:
        self._scope = scope
        self._kinds = _kinds_of(resources)
        self._checks = None if parts.get("checks", ()) is None else [check["id"] for check in parts.get("checks", ())]
        """The ids of the lab's checks; None where there are mistakes in these."""
        self._failed = False
        self._sections: set[str] = set()
        self._blocks: set[str] = set()

    def handout(self, value: Any) -> dict[str, Any] | None:
        """Return the sheet, None where there are mistakes."""
        path: Path = ("handout",)
        shell = {**value, "sections": []} if isinstance(value, dict) and "sections" in value else value
        good = check_model(Handout, shell, path, "the handout", self._scope)
        written = value.get("sections") if isinstance(value, dict) else None
        if written is None:
            return None
        self._texts(value, ("title", "subtitle", "intro"), path)
        path = (*path, "sections")
        if not isinstance(written, list):
            self._error(path, "expected a list of sections", "write - title: ..., and below it blocks:")
            return None
        if not all([self._is_section(section, (*path, index)) for index, section in enumerate(written)]):  # noqa: C419
            return None
        if sum(len(section.get("blocks") or ()) for section in written) > MOST_BLOCKS:
            self._error(path, f"the sheet has more than {MOST_BLOCKS} blocks", "make two labs of it")
            return None
        self._take_ids(written, path)
        sections = [self._section(section, (*path, index)) for index, section in enumerate(written)]
        if self._failed or not good:
            return None
        about = {key: value.get(key) or "" for key in ("title", "subtitle", "intro")}
        return {**about, "sections": sections}

    def _is_section(self, section: Any, path: Path) -> bool:
        """Report what is wrong with the form of a section and its blocks, and return whether nothing is."""
        shell = {**section, "blocks": []} if isinstance(section, dict) else section
        if not check_model(Section, shell, path, "the section", self._scope):
            return False
        self._texts(section, ("title",), path)
        blocks = section.get("blocks")
        if blocks is None:
            return True
        if not isinstance(blocks, list):
            self._error(
                (*path, "blocks"), "expected a list of blocks", "begin each with '- text:', '- run:' or the like"
            )
            return False
        return all([self._is_block(block, (*path, "blocks", index)) for index, block in enumerate(blocks)])  # noqa: C419

    def _is_block(self, block: Any, path: Path) -> bool:
        known = ", ".join(FORMS)
        if not isinstance(block, dict):
            self._error(path, "a block is a mapping", f"write - KIND: ..., where KIND is one of {known}")
            return False
        kinds = [kind for kind in FORMS if kind in block]
        if not kinds:
            near = next((hint for hint in (did_you_mean(key, FORMS) for key in block) if hint), None)
            self._error(path, "the block does not say what it is", near or f"it has one of the keys {known}")
            return False
        if len(kinds) > 1:
            message = f"the block is both {kinds[0]} and {kinds[1]}"
            self._error((*path, kinds[1]), message, "make two blocks of it", key=True)
            return False
        return check_model(FORMS[kinds[0]], block, path, f"block '{kinds[0]}'", self._scope)

    def _take_ids(self, sections: Sequence[Mapping[str, Any]], path: Path) -> None:
        """Take every id that the spec names, before those that follow from contents."""
        for number, section in enumerate(sections):
            here = (*path, number)
            self._take(section.get("id"), self._sections, "section", (*here, "id"))
            for index, block in enumerate(section.get("blocks") or ()):
                self._take(block.get("id"), self._blocks, "block", (*here, "blocks", index, "id"))

    def _take(self, wanted: str | None, taken: set[str], what: str, path: Path) -> None:
        if wanted in taken:
            self._error(path, f"there is another {what} with the id '{wanted}'", "an id is there once in the sheet")
        elif wanted is not None:
            taken.add(wanted)

    def _section(self, section: Mapping[str, Any], path: Path) -> dict[str, Any]:
        title = section["title"]
        spoken = title if isinstance(title, str) else in_language(title, next(iter(title), ""))
        named = section.get("id") or unique(slug(spoken) or "section", self._sections)
        blocks = [
            self._block(block, (*path, "blocks", index)) for index, block in enumerate(section.get("blocks") or ())
        ]
        return {"id": named, "title": title, "blocks": blocks}

    def _block(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        kind = next(kind for kind in FORMS if kind in block)
        audience = block.get("audience") or (TEACHER if kind == "solution" else BOTH)
        if kind == "solution" and audience != TEACHER:
            hint = "remove 'audience', or make a hint of it"
            self._error((*path, "audience"), "a solution is for the teacher alone", hint)
        self._texts(block, ("title", "text", "question", "hint", "solution", "alt"), path)
        said = getattr(self, f"_{kind}")(block, path)
        spoken, contents = said.pop("spoken"), said.pop("contents", said)
        found = block.get("id") or unique(block_id(kind, spoken, contents), self._blocks)
        made = {"id": found, "kind": kind, "audience": audience, "title": block.get("title") or "", **said}
        at = self._scope.position(path)
        return {**made, "at": [at.file, at.line, at.column]} if at else made

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
        self._texts(recorded, ("host", "why"), path)
        output, file = recorded.get("output"), recorded.get("file")
        if output is not None and file is not None:
            self._error((*path, "file"), "the output is there and in a file", "keep one of them", key=True)
        absolute = self._scope.file((*path, "file"), file) if file is not None else None
        if absolute is not None:
            try:
                output = self._scope.read(absolute).decode(errors="replace")
            except LabError as error:
                self._error((*path, "file"), str(error))
        self._failed |= file is not None and absolute is None
        return {**{key: recorded[key] for key in ("host", "date", "why")}, "output": output or ""}

    def _artifact(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        address = block["artifact"]
        kind = "lab" if address == "lab" else self._address(address, (*path, "artifact"))
        forms = ARTIFACTS.get(kind or "", ())
        form = block.get("as") or next(iter(forms), "")
        if kind and not forms:
            self._error((*path, "artifact"), f"there is no file or command line for {address}", "show it by 'run'")
        elif kind and form not in forms:
            hint = did_you_mean(form, forms) or f"it can be printed as {' or '.join(forms)}"
            self._error((*path, "as"), f"{address} cannot be printed as '{form}'", hint)
        return {"address": address, "form": form, "spoken": f"{address} {form}"}

    def _show(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        view, address, query = block["show"], block["of"], block.get("query")
        if address != HOST and not (view == "api" and address.startswith("/")):
            self._address(address.partition("/")[0], (*path, "of"))
        if query is not None and view != "api":
            self._error((*path, "query"), f"the view {view} takes no query", "only 'api' does", key=True)
        said = {"view": view, "address": address, "query": query}
        return {**said, "spoken": f"{view} {address}"}

    def _check(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        wanted = block["check"]
        if self._checks is not None and wanted not in self._checks:
            hint = did_you_mean(wanted, self._checks) or f"checks of the lab: {', '.join(self._checks) or 'none'}"
            self._error((*path, "check"), f"there is no check '{wanted}'", hint)
        return {"check": wanted, "spoken": wanted}

    def _figure(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        figure, alt = block["figure"], block.get("alt") or ""
        if figure == TOPOLOGY:
            return {"figure": figure, "file": "", "alt": alt, "spoken": figure}
        absolute = None
        if PurePosixPath(figure).suffix.lower() not in PICTURES:
            hint = did_you_mean(figure, [TOPOLOGY]) or f"a picture ends in {', '.join(PICTURES)}"
            self._error((*path, "figure"), f"'{figure}' is no picture", hint)
        else:
            absolute = self._scope.file((*path, "figure"), figure)
            self._failed |= absolute is None
        if not alt:
            self._error(path, "the picture has no 'alt'", "say in a sentence what is to be seen on it")
        digest = self._picture(absolute, (*path, "figure")) if absolute else ""
        said = {"figure": figure, "file": absolute or "", "alt": alt, "spoken": figure}
        return {**said, "contents": {"figure": figure, "sha256": digest}}

    def _picture(self, absolute: str, path: Path) -> str:
        """Return the digest of a picture, which is read so that the lab is known to depend on it."""
        try:
            content = self._scope.read(absolute)
        except LabError as error:
            self._error(path, str(error))
            return ""
        if len(content) > LARGEST_PICTURE:
            self._error(
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
            self._error(path, f"the lab has no '{address}'", hint)
            return None
        if kinds and kind not in kinds:
            self._error(path, message, f"there are {', '.join(wanted[:8]) or 'none'}")
            return None
        return kind

    def _texts(self, value: Mapping[str, Any], keys: Sequence[str], path: Path) -> None:
        """Report where a text is not there in a language of the lab."""
        for key in keys:
            words = value.get(key)
            if isinstance(words, Mapping):
                self._failed |= any(language not in words for language in self._scope.languages)
                check_languages(words, (*path, key), self._scope)

    def _error(self, path: Path, message: str, hint: str | None = None, *, key: bool = False) -> None:
        self._failed = True
        self._scope.error(path, message, hint, key=key)


def _kinds_of(resources: Sequence[Resource]) -> dict[str, str]:
    """Return address -> kind of all that a sheet may name: the objects, and stacks as wholes."""
    kinds = {resource.address: resource.kind for resource in resources}
    stacks = {".".join(address.split(".")[:2]) for address in kinds if address.startswith("stack.")}
    return {**kinds, **dict.fromkeys(sorted(stacks), "stack")}


PART = HandoutPart()
