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

from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.diagnostic import did_you_mean
from labspec.core.resource import Resource
from labspec.core.wording import in_language
from labspec.kinds.provider import Scope
from labspec.kinds.section import check_model, model_schema
from labspec.sheet.blocks import Blocks
from labspec.sheet.findings import Findings, Path
from labspec.sheet.forms import FORMS, Handout, Section
from labspec.sheet.ids import block_id, slug, unique
from labspec.sheet.sheet import BOTH, TEACHER

MOST_BLOCKS = 1000


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
        self._findings = Findings(scope)
        self._blocks = Blocks(scope, resources, parts, self._findings)
        self._section_ids: set[str] = set()
        self._block_ids: set[str] = set()

    def handout(self, value: Any) -> dict[str, Any] | None:
        """Return the sheet, None where there are mistakes."""
        path: Path = ("handout",)
        shell = {**value, "sections": []} if isinstance(value, dict) and "sections" in value else value
        good = check_model(Handout, shell, path, "the handout", self._scope)
        written = value.get("sections") if isinstance(value, dict) else None
        if written is None:
            return None
        self._findings.texts(value, ("title", "subtitle", "intro"), path)
        path = (*path, "sections")
        if not isinstance(written, list):
            self._findings.error(path, "expected a list of sections", "write - title: ..., and below it blocks:")
            return None
        if not all([self._is_section(section, (*path, index)) for index, section in enumerate(written)]):  # noqa: C419
            return None
        if sum(len(section.get("blocks") or ()) for section in written) > MOST_BLOCKS:
            self._findings.error(path, f"the sheet has more than {MOST_BLOCKS} blocks", "make two labs of it")
            return None
        self._take_ids(written, path)
        sections = [self._section(section, (*path, index)) for index, section in enumerate(written)]
        if self._findings.failed or not good:
            return None
        about = {key: value.get(key) or "" for key in ("title", "subtitle", "intro")}
        return {**about, "sections": sections}

    def _is_section(self, section: Any, path: Path) -> bool:
        """Report what is wrong with the form of a section and its blocks, and return whether nothing is."""
        shell = {**section, "blocks": []} if isinstance(section, dict) else section
        if not check_model(Section, shell, path, "the section", self._scope):
            return False
        self._findings.texts(section, ("title",), path)
        blocks = section.get("blocks")
        if blocks is None:
            return True
        if not isinstance(blocks, list):
            self._findings.error(
                (*path, "blocks"), "expected a list of blocks", "begin each with '- text:', '- run:' or the like"
            )
            return False
        return all([self._is_block(block, (*path, "blocks", index)) for index, block in enumerate(blocks)])  # noqa: C419

    def _is_block(self, block: Any, path: Path) -> bool:
        known = ", ".join(FORMS)
        if not isinstance(block, dict):
            self._findings.error(path, "a block is a mapping", f"write - KIND: ..., where KIND is one of {known}")
            return False
        kinds = [kind for kind in FORMS if kind in block]
        if not kinds:
            near = next((hint for hint in (did_you_mean(key, FORMS) for key in block) if hint), None)
            self._findings.error(path, "the block does not say what it is", near or f"it has one of the keys {known}")
            return False
        if len(kinds) > 1:
            message = f"the block is both {kinds[0]} and {kinds[1]}"
            self._findings.error((*path, kinds[1]), message, "make two blocks of it", key=True)
            return False
        return check_model(FORMS[kinds[0]], block, path, f"block '{kinds[0]}'", self._scope)

    def _take_ids(self, sections: Sequence[Mapping[str, Any]], path: Path) -> None:
        """Take every id that the spec names, before those that follow from contents."""
        for number, section in enumerate(sections):
            here = (*path, number)
            self._take(section.get("id"), self._section_ids, "section", (*here, "id"))
            for index, block in enumerate(section.get("blocks") or ()):
                self._take(block.get("id"), self._block_ids, "block", (*here, "blocks", index, "id"))

    def _take(self, wanted: str | None, taken: set[str], what: str, path: Path) -> None:
        if wanted in taken:
            self._findings.error(
                path, f"there is another {what} with the id '{wanted}'", "an id is there once in the sheet"
            )
        elif wanted is not None:
            taken.add(wanted)

    def _section(self, section: Mapping[str, Any], path: Path) -> dict[str, Any]:
        title = section["title"]
        spoken = title if isinstance(title, str) else in_language(title, next(iter(title), ""))
        named = section.get("id") or unique(slug(spoken) or "section", self._section_ids)
        blocks = [
            self._block(block, (*path, "blocks", index)) for index, block in enumerate(section.get("blocks") or ())
        ]
        return {"id": named, "title": title, "blocks": blocks}

    def _block(self, block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        kind = next(kind for kind in FORMS if kind in block)
        audience = block.get("audience") or (TEACHER if kind == "solution" else BOTH)
        if kind == "solution" and audience != TEACHER:
            hint = "remove 'audience', or make a hint of it"
            self._findings.error((*path, "audience"), "a solution is for the teacher alone", hint)
        said = self._blocks.read(kind, block, path)
        spoken, contents = said.pop("spoken"), said.pop("contents", said)
        found = block.get("id") or unique(block_id(kind, spoken, contents), self._block_ids)
        made = {"id": found, "kind": kind, "audience": audience, "title": block.get("title") or "", **said}
        at = self._scope.position(path)
        return {**made, "at": [at.file, at.line, at.column]} if at else made


PART = HandoutPart()
