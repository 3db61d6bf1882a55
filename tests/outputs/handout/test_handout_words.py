"""The sheet's own words are there in both languages, and dates and numbers are as each writes them."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from labspec.outputs.handout.words import NARROW, NO_BREAK, WORDS, Tongue
from labspec.spec.head import LANGUAGES

TEMPLATES = sorted((Path(__file__).parents[3] / "generators" / "handout").glob("*.j2"))
EN, FR = Tongue("en"), Tongue("fr")


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_there_in_every_language(word: str) -> None:
    assert set(WORDS[word]) == set(LANGUAGES)
    assert placeholders(WORDS[word]["en"]) == placeholders(WORDS[word]["fr"])


@pytest.mark.parametrize("word", WORDS)
def test_french_keeps_its_spaces(word: str) -> None:
    said = WORDS[word]["fr"]
    assert "'" not in said
    assert not re.search(rf"[^{NARROW}][;!?»]|«[^{NARROW}]|[^{NO_BREAK}]:$|[^{NO_BREAK}]: ", f" {said}"[1:].strip(":"))


def test_every_word_is_used() -> None:
    code = (Path(__file__).parents[3] / "labspec" / "outputs" / "handout").glob("*.py")
    used = "".join(path.read_text() for path in [*TEMPLATES, *code])
    # Once where it is written down, once more where it is said.
    assert [word for word in WORDS if len(re.findall(rf"[\"']{word}[\"']", used)) < 2] == []


@pytest.mark.parametrize(
    ("written", "english", "french"),
    [
        ("2026-11-24T22:05:00Z", "24\u00a0November 2026, 22:05", "24\u00a0novembre 2026 à 22\u00a0h\u00a005"),
        ("2018-09-01", "1\u00a0September 2018", "1er\u00a0septembre 2018"),
        ("2018-08", "August 2018", "août 2018"),
        ("2018", "2018", "2018"),
        ("2018-13", "2018-13", "2018-13"),
        ("2018-02-31", "2018-02-31", "2018-02-31"),
        ("<b>", "<b>", "<b>"),
    ],
)
def test_dates(written: str, english: str, french: str) -> None:
    assert EN.date(written) == english
    assert FR.date(written) == french


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        (1234.5, "1,234.5", "1\u202f234,5"),
        (2, "2", "2"),
        (0.25, "0.25", "0,25"),
        (1000000, "1,000,000", "1\u202f000\u202f000"),
    ],
)
def test_numbers(number: float, english: str, french: str) -> None:
    assert EN.number(number) == english
    assert FR.number(number) == french


def test_one_and_many() -> None:
    counts = (0, 1, 1.5, 2)
    assert [EN.points(count) for count in counts] == [
        "0\u00a0points",
        "1\u00a0point",
        "1.5\u00a0points",
        "2\u00a0points",
    ]
    assert [FR.points(count) for count in counts] == ["0\u00a0point", "1\u00a0point", "1,5\u00a0point", "2\u00a0points"]
