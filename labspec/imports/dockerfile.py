"""A Dockerfile as an image of a spec: each instruction a step, with its words as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import Diagnostic, LabError, Position, did_you_mean
from labspec.imports.dockerfile_compare import differences
from labspec.imports.dockerfile_run import CannotError
from labspec.imports.dockerfile_steps import argument_pairs, arguments, escaped, stage_of, step_of
from labspec.imports.report import Imported, Loss
from labspec.kinds.image.dockerfile import dockerfile_text
from labspec.kinds.image.parse import Instruction, directives, escape_of, instructions

_KNOWN = (
    *("FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "ADD", "EXPOSE", "USER", "ENTRYPOINT", "CMD", "VOLUME", "LABEL"),
    *("SHELL", "STOPSIGNAL", "HEALTHCHECK", "ONBUILD", "MAINTAINER"),
)
_MOST = 2**20


def import_dockerfile(file: Path, image: str, lab: str) -> Imported:
    """Return the spec with the image of a Dockerfile. Raises LabError for what BuildKit refuses to read."""
    return imported(_read(file), str(file), image, lab)


def imported(text: str, file: str, image: str, lab: str) -> Imported:
    """Return the spec with the image that the text of a Dockerfile describes; `file` is for messages."""
    text = text.removeprefix("\ufeff")
    return _Importer(text.replace("\r\n", "\n"), file, carriage_returns="\r\n" in text).imported(image, lab)


def _read(file: Path) -> str:
    try:
        content = file.read_bytes()
        if len(content) > _MOST:
            raise LabError(f"{file} is too large for a Dockerfile")
        return content.decode()
    except UnicodeDecodeError as error:
        raise LabError(f"{file} is not UTF-8 text") from error
    except OSError as error:
        raise LabError(f"cannot read {file}: {error.strerror}") from error


class _Importer:
    def __init__(self, text: str, file: str, *, carriage_returns: bool) -> None:
        self._file = file
        self._carriage_returns = carriage_returns
        self._lines = text.split("\n")
        self._found = instructions(text)
        self._escape = escape_of(self._lines)
        self._losses: list[Loss] = []

    def imported(self, image: str, lab: str) -> Imported:
        self._check()
        begin = next(index for index, item in enumerate(self._found) if item.keyword == "FROM")
        entry: dict[str, Any] = {}
        for name, value, line in self._directives():
            if name == "syntax":
                entry["syntax"], *more = value.split()
                if more:
                    self._lose(f"# syntax={value}", f"only {entry['syntax']} of it names the image", line)
            elif name != "escape":
                self._lose(f"# {name}", "it tells Docker's linter what to leave out", line)
        if begin:
            entry["args"] = self._arguments(self._found[:begin])
        entry["from"] = self._stage(self._found[begin])
        steps, comments = self._steps(self._found[begin + 1 :])
        head = [line for index in range(begin + 1) for line in self._comments(index)]
        (comments[-1] if steps else head).extend(self._comment_lines(self._found[-1].end - 1, len(self._lines)))
        if steps:
            entry["steps"] = steps
        self._validate(entry, self._found[begin:])
        self._compare(entry)
        entry = escaped(entry)
        if steps:
            entry["steps"] = _commented(entry["steps"], comments)
        return Imported(lab, {"images": {image: entry}}, tuple(self._losses), comment="\n".join(head))

    def _directives(self) -> list[tuple[str, str, int]]:
        """Return the parser directives; below a line with #! there is but the one that names the syntax."""
        if not self._lines[0].startswith("#!"):
            return directives(self._lines)
        return [(name, value, line + 1) for name, value, line in directives(self._lines[1:]) if name == "syntax"]

    def _check(self) -> None:
        """Raise LabError for what no Dockerfile may have."""
        wrong = [item for item in self._found if item.keyword not in _KNOWN]
        if wrong:
            raise LabError([self._unknown(item) for item in wrong])
        first = next((item for item in self._found if item.keyword != "ARG"), None)
        if first is None or first.keyword != "FROM":
            line = first.line if first else 1
            raise LabError(self._diagnostic(line, "a Dockerfile begins with FROM", "only ARG may stand above it"))
        empty = [item for item in self._found if not item.rest]
        if empty:
            raise LabError([self._diagnostic(item.line, f"{item.keyword} says nothing") for item in empty])

    def _unknown(self, item: Instruction) -> Diagnostic:
        near = did_you_mean(item.keyword, _KNOWN)
        return self._diagnostic(item.line, f"there is no instruction {item.keyword}", near)

    def _arguments(self, found: Sequence[Instruction]) -> Any:
        """Return the arguments that are declared above the first FROM, as one."""
        pairs = []
        for item in found:
            try:
                pairs += argument_pairs(item, self._escape)
            except CannotError as error:
                raise LabError(self._diagnostic(item.line, str(error), error.hint)) from None
        return arguments(pairs)

    def _steps(self, found: Sequence[Instruction]) -> tuple[list[dict[str, Any]], list[list[str]]]:
        steps: list[dict[str, Any]] = []
        comments: list[list[str]] = []
        begin = len(self._found) - len(found)
        for index, item in enumerate(found, begin):
            comments.append(self._comments(index))
            steps.append({"from": self._stage(item)} if item.keyword == "FROM" else self._step(item))
        return steps, comments

    def _stage(self, item: Instruction) -> str | dict[str, Any]:
        try:
            return stage_of(item)
        except CannotError as error:
            raise LabError(self._diagnostic(item.line, str(error), error.hint)) from None

    def _step(self, item: Instruction) -> dict[str, Any]:
        try:
            return step_of(item, self._lines[item.line - 1 : item.end - 1], self._escape)
        except CannotError as error:
            raise LabError(self._diagnostic(item.line, str(error), error.hint)) from None

    def _comments(self, index: int) -> list[str]:
        """Return the comments above an instruction and, where it does not keep them itself, between its lines."""
        item = self._found[index]
        begin = self._found[index - 1].end - 1 if index else len(directives(self._lines))
        kept = item.heredocs or item.keyword in ("RUN", "ONBUILD")
        return self._comment_lines(begin, item.line - 1 if kept else item.end - 1)

    def _comment_lines(self, begin: int, end: int) -> list[str]:
        """Return the comments among lines, counted from 0."""
        lines = (line.strip() for line in self._lines[begin:end])
        return [line[1:].removeprefix(" ") for line in lines if line.startswith("#")]

    def _validate(self, entry: Mapping[str, Any], found: Sequence[Instruction]) -> None:
        """Raise LabError for what a spec does not let in; `found` are the instructions from the first FROM on."""
        from pydantic import ValidationError

        from labspec.kinds.image.model import Image
        from labspec.kinds.mistakes import mistakes

        try:
            Image.model_validate(entry, strict=True)
        except ValidationError as error:
            told = []
            for mistake in mistakes(error, Image, entry, "the image"):
                # The steps stand behind the first FROM, in the same order.
                index = int(mistake.path[1]) + 1 if mistake.path[:1] == ("steps",) and len(mistake.path) > 1 else 0
                told.append(self._diagnostic(found[index].line, mistake.message, mistake.hint))
            raise LabError(told) from None

    def _compare(self, entry: Mapping[str, Any]) -> None:
        """Note what the Dockerfile that the spec renders to says otherwise."""
        try:
            made = dockerfile_text(
                entry["from"], entry.get("steps", ()), args=entry.get("args"), syntax=entry.get("syntax")
            )
        except ValueError as error:
            raise LabError(self._diagnostic(1, f"a spec cannot say this: {error}")) from error
        for item in differences(self._found, instructions(made), self._escape):
            self._lose(f"{item.keyword} in line {item.line}", "the spec would say it otherwise", item.line)
        for item in self._found:
            if item.heredocs and self._carriage_returns:
                reason = "the lines of its heredoc end with a carriage return, and in the spec they do not"
                self._lose(f"{item.keyword} in line {item.line}", reason, item.line)

    def _lose(self, name: str, reason: str, line: int) -> None:
        self._losses.append(Loss(name, reason, Position(self._file, line, 1), self._lines[line - 1]))

    def _diagnostic(self, line: int, message: str, hint: str | None = None) -> Diagnostic:
        return Diagnostic(message, Position(self._file, line, 1), hint, self._lines[line - 1])


def _commented(steps: Sequence[Mapping[str, Any]], comments: Sequence[Sequence[str]]) -> Any:
    """Return steps with the comments above them, as ruamel has them."""
    from ruamel.yaml.comments import CommentedSeq

    made = CommentedSeq(steps)
    for index, lines in enumerate(comments):
        if lines:
            made.yaml_set_comment_before_after_key(index, before="\n".join(_printable(lines)), indent=6)
    return made


def _printable(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in line)
