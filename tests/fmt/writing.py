"""Specs of any content and any style of YAML, written by chance."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from(
    [
        *("labspec", "lab", "name", "title", "vars", "services", "images", "image", "command", "init", "volumes"),
        *("from", "steps", "type", "target", "source", "x-own", "<", "no", "a b", "é"),
    ]
)
TEXT = st.text(
    st.characters(
        codec="utf-8",
        max_codepoint=0xFFFF,
        exclude_categories=("Cs", "Cc"),
        exclude_characters="\u2028\u2029\ufeff\ufffe\uffff",
    ),
    max_size=8,
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 9999),
    TEXT,
    st.sampled_from(["no", "12:30:45", "a\nb", "${{ vars.a }}", " x "]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
SPECS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=6)


class Writer:
    """Writes a value as YAML; every choice of style is drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.comments: list[str] = []

    def document(self, value: dict[str, Any]) -> str:
        text = "\n".join(self._mapping(value, 0)) + "\n"
        return text.replace("\n", "\r\n") if self._chance(10) else text

    def _chance(self, of: int) -> bool:
        return self._draw(st.integers(1, of)) == 1

    def _comment(self, column: int) -> list[str]:
        lines = [] if not self._chance(5) else [""]
        if self._chance(4):
            self.comments.append(f"# number {len(self.comments)}")
            lines.append(" " * column + self.comments[-1])
        return lines

    def _mapping(self, value: dict[str, Any], column: int) -> list[str]:
        lines: list[str] = []
        for key, item in value.items():
            lines += self._comment(column)
            head = " " * column + self._scalar(key, key=True) + ":"
            lines += self._entry(head, item, column)
        return lines + self._comment(column)

    def _entry(self, head: str, value: Any, column: int) -> list[str]:
        if not value or not isinstance(value, dict | list) or self._chance(3):
            return [f"{head} {self._flow(value)}" + self._beside()]
        deeper = column + self._draw(st.sampled_from([1, 2, 4]))
        if isinstance(value, dict):
            return [head + self._beside(), *self._mapping(value, deeper)]
        return [head + self._beside(), *self._list(value, column if self._chance(2) else deeper)]

    def _list(self, value: list[Any], column: int) -> list[str]:
        lines = []
        for item in value:
            lines += self._comment(column)
            if item and isinstance(item, dict) and not self._chance(3):
                inner = self._mapping(item, column + 2)
                while not inner[0].strip() or inner[0].lstrip().startswith("#"):
                    lines.append(inner.pop(0)[2:])
                lines += [" " * column + "- " + inner[0].lstrip(), *inner[1:]]
            else:
                lines.append(f"{' ' * column}- {self._flow(item)}" + self._beside())
        return lines

    def _beside(self) -> str:
        if not self._chance(6):
            return ""
        self.comments.append(f"# number {len(self.comments)}")
        return f"  {self.comments[-1]}"

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            return (
                "{"
                + ", ".join(f"{self._scalar(key, key=True)}: {self._flow(item)}" for key, item in value.items())
                + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(map(self._flow, value)) + "]"
        return self._scalar(value)

    def _scalar(self, value: Any, *, key: bool = False) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        word = value.isalpha() and value.isascii() and value.lower() not in ("null", "true", "false")
        if word and not self._chance(4):
            return value
        if value.isprintable() and self._chance(2) and value.strip():
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=not value.isprintable() or key)


@st.composite
def specs(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[str]]:
    """Draw the text of a spec, what it says, and the comments in it."""
    value = draw(SPECS)
    writer = Writer(draw)
    return writer.document(value), value, writer.comments
