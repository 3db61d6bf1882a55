"""Every mistake that the language refuses, as it is printed: refusals/*.txt holds specs, refusals/*.out the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from labs import HEAD, Load

from labspec.core.diagnostic import LabError
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

HERE = Path(__file__).parent / "refusals"


def cases(name: str) -> list[tuple[str, str]]:
    """Return title and text of each case in a file."""
    return [
        (title, text)
        for part in (HERE / f"{name}.txt").read_text().split("### ")[1:]
        for title, _, text in [part.partition("\n")]
    ]


def answers(name: str) -> dict[str, str]:
    """Return the expected answer of each case in a file."""
    return {
        title: text.rstrip("\n")
        for part in (HERE / f"{name}.out").read_text().split("### ")[1:]
        for title, _, text in [part.partition("\n")]
    }


def answer(name: str, text: str, load: Load) -> str:
    """Return what is printed for a spec."""
    if name == "yaml":
        report = Report()
        parse(text.encode(), "lab.yaml", report)
        return "\n".join(map(str, report.diagnostics))
    with pytest.raises(LabError) as caught:
        load(HEAD + text if name == "lookups" else text)
    return str(caught.value)


def all_cases() -> Iterator[object]:
    for name in ("yaml", "top", "lookups"):
        expected = answers(name)
        for title, text in cases(name):
            yield pytest.param(name, text, expected.get(title, ""), id=f"{name}-{title}")


@pytest.mark.parametrize(("name", "text", "expected"), list(all_cases()))
def test_refused(name: str, text: str, expected: str, load: Load) -> None:
    assert answer(name, text, load) == expected
    assert expected, "a case of this file is refused"
