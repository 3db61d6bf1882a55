"""What is wrong, where, and what to try: the one form in which labspec reports a mistake."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple


class Position(NamedTuple):
    """A place in a file. Lines and columns count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(NamedTuple):
    """One mistake: `message` says what is wrong, `hint` what to try, `at` where (None: nowhere in a file)."""

    message: str
    at: Position | None = None
    hint: str | None = None
    source: str | None = None
    """The line of the file at `at`, without its line end."""

    def as_json(self) -> dict[str, Any]:
        """Return the diagnostic as a JSON object: message, and where known file, line, column, source and hint."""
        where = {"file": self.at.file, "line": self.at.line, "column": self.at.column} if self.at else {}
        rest = {key: value for key, value in (("source", self.source), ("hint", self.hint)) if value is not None}
        return {"message": self.message, **where, **rest}

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield the lines of the text form: place and message, source line with a caret, hint."""
        yield f"{self.at}: {self.message}" if self.at else self.message
        if self.at and self.source is not None:
            number = f"{self.at.line:>5}"
            yield f"{number} | {self.source}"
            lead = "".join("\t" if char == "\t" else " " for char in self.source[: self.at.column - 1])
            yield f"{'':>5} | {lead}^"
        if self.hint:
            yield f"      = {self.hint}"


class LabError(Exception):
    """A refusal that the user can act on; the command line prints it and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic] | str, hint: str | None = None) -> None:
        if isinstance(diagnostics, str):
            diagnostics = Diagnostic(diagnostics, hint=hint)
        self.diagnostics = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return "did you mean 'x'?" for the known word nearest to `word`, or None where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
