"""The sections `secrets` and `configs` of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakescope import FakeScope

from labspec.kinds.compose.parts import CONFIGS, SECRETS


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"file": "x"}, []),
        ({"environment": "X"}, []),
        ({"external": True}, []),
        ({}, ["secrets.s (key): secret 's' does not say what is in it = give it one of file or environment"]),
        (
            {"file": "x", "environment": "X"},
            ["secrets.s.environment (key): secret 's' has both file and environment = keep one of them"],
        ),
        ({"fil": "x"}, ["secrets.s.fil (key): unknown key 'fil' in secret 's' = did you mean 'file'?"]),
        ({"file": 3}, ["secrets.s.file: expected text, found the number 3 = put it in quotes"]),
        (None, ["secrets.s: expected a mapping, found nothing"]),
    ],
)
def test_a_secret(entry: Any, expected: list[str]) -> None:
    scope = FakeScope()
    assert SECRETS.check("s", entry, scope) == (not expected)
    assert scope.lines() == expected


def test_a_config() -> None:
    scope = FakeScope()
    assert CONFIGS.check("c", {"content": ""}, scope)
    assert not CONFIGS.check("c", {}, scope)
    assert scope.lines() == [
        "configs.c (key): config 'c' does not say what is in it = give it one of file, content or environment"
    ]


def test_a_missing_file_is_told_even_where_no_service_uses_it(tmp_path: Path) -> None:
    scope = FakeScope(root=tmp_path)
    assert list(SECRETS.resources("s", {"file": "none"}, scope)) == []
    assert scope.lines() == ["secrets.s.file: there is no file 'none'"]
