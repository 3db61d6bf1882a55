"""Copies of a spec with its keys in another order, by indentation alone: nothing here is what fmt does."""

from __future__ import annotations

import random

from labspec.spec.order import Shape


def shuffled(text: str, shape: Shape, seed: int) -> str:
    """Return a spec with the keys of its mappings in any order, each with the comments and blank lines above it.

    Only mappings of which the schema knows the order are shuffled, and only those that stand on lines of their own.
    """
    lines = text.splitlines(keepends=True)
    made = _shuffled(lines, 0, shape, random.Random(seed))
    return "".join(made).lstrip("\n")


def _shuffled(lines: list[str], column: int, shape: Shape, rng: random.Random) -> list[str]:
    """Return the lines of a mapping, whose keys stand in `column`, shuffled; what follows the last key stays last."""
    chunks: list[tuple[str, list[str], list[str]]] = []
    loose: list[str] = []
    for line in lines:
        content = line.strip()
        indent = len(line) - len(line.lstrip())
        if not content or (content.startswith("#") and indent <= column):
            loose.append(line)
        elif indent == column and not content.startswith("-"):
            chunks.append((content.partition(":")[0], [*loose, line], []))
            loose = []
        else:
            chunks[-1][2].extend([*loose, line])
            loose = []
    made = []
    for key, above, below in chunks:
        made.append([*above, *_inside(below, column, shape.inside(key.strip("\"'")), rng)])
    if shape.keys:
        rng.shuffle(made)
    return [*(line for chunk in made for line in chunk), *loose]


def _inside(lines: list[str], column: int, shape: Shape, rng: random.Random) -> list[str]:
    first = next((line for line in lines if line.strip() and not line.strip().startswith("#")), "")
    indent = len(first) - len(first.lstrip())
    key = first.strip().partition(":")[0]
    if indent <= column or first.strip().startswith("-") or not key.replace("-", "").replace("_", "").isalnum():
        return lines
    return _shuffled(lines, indent, shape, rng)
