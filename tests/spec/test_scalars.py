"""Plain scalars are read as YAML 1.2's core schema has them."""

from __future__ import annotations

import math

import pytest

from labspec.spec.scalars import as_text, resolve, words

SAME = [
    "no",
    "No",
    "NO",
    "yes",
    "on",
    "off",
    "y",
    "n",
    "True1",
    "truE",
    "nULL",
    "12:30:45",
    "1:2",
    "1_000",
    "0b1",
    "0o8",
    "0x",
    "0xg",
    "1.2.3",
    "1e",
    ".e3",
    ".",
    "-",
    "+",
    "--",
    "-.",
    "+.nan",
    "-.nan",
    ".info",
    "inf",
    "nan",
    "NaN",
    "2001-01-01",
    "08:00",
    "127.0.0.1",
    "1010:9999",
    "10.0.0.0/8",
    "100m",
    "~a",
    "=",
]
VALUES = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "0": 0,
    "-0": 0,
    "+12": 12,
    "-3": -3,
    "0777": 777,
    "0o17": 15,
    "0x1F": 31,
    "18446744073709551615": 2**64 - 1,
    "-9223372036854775808": -(2**63),
    "1.": 1.0,
    ".5": 0.5,
    "-1.5": -1.5,
    "1e3": 1000.0,
    "1E-2": 0.01,
    "+.5e+1": 5.0,
    ".inf": math.inf,
    "+.Inf": math.inf,
    "-.INF": -math.inf,
}


@pytest.mark.parametrize("text", SAME)
def test_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_value(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("text", ["18446744073709551616", "-9223372036854775809", "9" * 5000, "0x" + "f" * 17, "1e400"])
def test_numbers_too_large(text: str) -> None:
    with pytest.raises(ValueError, match="is too large"):
        resolve(text)


def test_leading_zeros_do_not_make_a_number_large() -> None:
    assert resolve("0" * 4000 + "7") == 7


@pytest.mark.parametrize("text", [*VALUES, ".nan"])
def test_as_text_reads_back_alike(text: str) -> None:
    assert repr(resolve(as_text(resolve(text)))) == repr(resolve(text))


def test_words() -> None:
    found = [words(value) for value in (None, True, 1, 1.5, "x", {}, [])]
    assert found == ["nothing", "true or false", "a whole number", "a number", "text", "a mapping", "a list"]
