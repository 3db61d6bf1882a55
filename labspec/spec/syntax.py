"""What the YAML parser finds wrong with a text, in plain words."""

from __future__ import annotations

import re
from typing import NamedTuple

from yaml import MarkedYAMLError


class _Words(NamedTuple):
    pattern: str
    message: str
    hint: str | None = None
    at_context: bool = False
    """The place to mend is where the thing began, not where the parser gave up."""


_QUOTE = "put text that has ': ' or ' #' in it, or begins with one of []{}&*!|>%@`'\", in quotes"
_LOOKUP = 'inside of [] and {}, a lookup needs quotes: "${{ vars.name }}"'
_INDENT = "lines of one mapping or list begin in the same column"
_TABLE = (
    _Words("tab", "a tab cannot indent a line", "use spaces"),
    _Words("cannot start any token", "text cannot begin with this character", "put it in quotes"),
    _Words("mapping values are not allowed", "a ':' is not allowed here", f"{_QUOTE}; or mend the indentation"),
    _Words("block sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own"),
    _Words("block mapping.* not allowed|mapping keys are not allowed", "a key cannot stand here", _INDENT),
    _Words("expected ':'", "this is neither a key with ':' nor a list item", "write 'key: value'", at_context=True),
    _Words("expected key|expected <block end>", "this does not continue what stands above it", _INDENT),
    _Words("expected '-' indicator", "this line is no item of the list above it", f"begin it with '- '; {_INDENT}"),
    _Words("expected ',' or ']'", "this list lacks a ',' or its ']'", _QUOTE, at_context=True),
    _Words("expected ',' or '}'", "this mapping lacks a ',' or its '}'", _QUOTE, at_context=True),
    _Words(
        "unexpected (end of stream|document)",
        "this quoted text has no closing quote",
        "a quote like the first one ends it",
        at_context=True,
    ),
    _Words("document start", "the document has ended above this line", "a spec is one document: mend the indentation"),
    _Words("escape", "this escape is not known", "write \\\\ for a backslash, or use single quotes"),
    _Words(
        "comment or line break|block scalar|chomping|indentation indicator",
        "this is no good head of a text block",
        "write '|' or '>'",
    ),
    _Words("undefined tag handle", "this tag is not known", "put text that begins with '!' in quotes"),
    _Words("directive|version|incompatible", "this directive is not known", "remove the line that begins with '%'"),
    _Words("anchor|alias|alphabetic", "an anchor or alias needs a name of letters and digits", _QUOTE),
    _Words("node content", "here a value, or a closing bracket, is missing", _QUOTE),
)


def plain_words(error: MarkedYAMLError, text: str) -> tuple[int, int, str, str | None]:
    """Return line and column, both from 1, message and hint for the parser's refusal of a text."""
    problem = str(error.problem or error)
    at = error.problem_mark
    if at and any(line[at.column :].startswith("\t") for line in text.splitlines()[at.line : at.line + 1]):
        problem = "tab"
    known = next((words for words in _TABLE if re.search(words.pattern, problem)), _Words("", f"not YAML: {problem}"))
    mark = error.context_mark if known.at_context and error.context_mark else at or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if known.at_context and known.hint == _QUOTE and "${{" in text.splitlines()[line - 1 : line][0]:
        return line, column, known.message, _LOOKUP
    return line, column, known.message, known.hint
