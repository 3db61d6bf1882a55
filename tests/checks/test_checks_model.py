"""Checks in a spec: their canonical form, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.spec.loader import load

LAB = """
labspec: 1
lab: {name: tp, languages: [en, fr]}
services:
  web:
    image: debian
    ports: ["127.0.0.1:8080:80", "9000-9002:9000-9002"]
  db: {image: debian}
host:
  groups: {students: {members: [root]}}
checks:
"""


def lab(tmp_path: Path, checks: str, **files: str) -> Lab:
    (tmp_path / "lab.yaml").write_text(LAB + checks.replace("\n        ", "\n"))
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(dedent(text))
    return load(tmp_path, variables={}, variable_files=[])


def checks(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab(tmp_path, text).parts["checks"]
    return found


def mistakes(tmp_path: Path, text: str) -> list[tuple[int, int, str, str | None]]:
    with pytest.raises(LabError) as caught:
        lab(tmp_path, text)
    first = LAB.count("\n")
    return [(one.at.line - first, one.at.column, one.message, one.hint) for one in caught.value.diagnostics if one.at]


def test_every_default_is_filled_in(tmp_path: Path) -> None:
    (check,) = checks(tmp_path, "- {id: web, http: {url: 'http://localhost:8080/', status: 200}}\n")
    assert check == {
        "id": "web",
        "title": "",
        "hint": "",
        "kind": "http",
        "points": 1,
        "audience": ["student", "teacher"],
        "reveal": True,
        "needs": [],
        "for": 0.0,
        "every": 0.5,
        "timeout": 5.0,
        "about": ["service.web"],
        "what": {"url": "http://localhost:8080/", "in": "host", "status": {"equals": 200}},
    }


def test_what_a_check_depends_on(tmp_path: Path) -> None:
    found = checks(
        tmp_path,
        """
        - {id: a, tcp: {port: 9001}}
        - {id: b, tcp: {host: service.db, port: 5432, in: service.web}}
        - {id: c, api: {path: "/containers/{service.db}/json"}}
        - {id: d, group: {name: students}}
        - {id: e, about: [service.db], tcp: {port: 1, open: false}}
        - {id: f, http: {url: "http://service.web:80", in: service.db}}
        """,
    )
    assert {check["id"]: sorted(check["about"]) for check in found} == {
        "a": ["service.web"],
        "b": ["service.db", "service.web"],
        "c": ["service.db"],
        "d": ["group.students"],
        "e": ["service.db"],
        "f": ["service.db", "service.web"],
    }


def test_sizes_and_durations_are_numbers(tmp_path: Path) -> None:
    (check,) = checks(
        tmp_path,
        "- {id: a, retry: {for: 1m, every: 250ms}, timeout: 2s, cgroup: {in: service.web, memory: {less: 1m}}}\n",
    )
    assert (check["for"], check["every"], check["timeout"]) == (60.0, 0.25, 2.0)
    assert check["what"] == {"in": "service.web", "memory": {"less": 1048576}}


def test_an_included_file_goes_on_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("checks:\n- {id: b, tcp: {port: 1, in: service.wep}}\n")
    (tmp_path / "lab.yaml").write_text("include: [more.yaml]\n" + LAB.strip() + "\n- {id: a, tcp: {port: 1}}\n")
    with pytest.raises(LabError) as caught:
        load(tmp_path, variables={}, variable_files=[])
    (mistake,) = caught.value.diagnostics
    assert str(mistake.at) == f"{tmp_path}/more.yaml:2:30"


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        (
            "- {id: a, tcp: {port: 1, in: service.wep}}",
            1,
            30,
            "the lab has no 'service.wep'",
            "did you mean 'service.web'?",
        ),
        (
            "- {id: a, http: {url: 'http://service.bd/'}}",
            1,
            23,
            "the lab has no 'service.bd'",
            "did you mean 'service.db'?",
        ),
        ("- {id: a, api: {path: '/containers/{service.wen}/json'}}", 1, 23, "the lab has no 'service.wen'", None),
        ("- {id: a, unit: {name: unit.web}}", 1, 24, "the lab has no 'unit.web'", None),
        ("- {id: a, container: {in: group.students, field: Id, is: 1}}", 1, 27, "'group.students' is no service", None),
        ("- {id: a, about: [service.x1], tcp: {port: 1}}", 1, 19, "the lab has no 'service.x1'", None),
        ("- {id: a}", 1, 3, "check 'a' says nothing to look at", None),
        ("- {id: a, tcp: {port: 1}, group: {name: a}}", 1, 3, "check 'a' looks at tcp and group", None),
        ("- {id: a, tcp: {port: 1}}\n- {id: a, tcp: {port: 1}}", 2, 8, "there are two checks 'a'", "rename one"),
        ("- {id: a, needs: [b], tcp: {port: 1}}", 1, 19, "there is no check 'b'", None),
        ("- {id: a, needs: [a], tcp: {port: 1}}", 1, 18, "these checks need each other: a -> a", None),
        ("- {id: a, title: {en: A}, tcp: {port: 1}}", 1, 18, "the text is not there in fr", None),
        ("- {id: a, file: {path: x}}", 1, 24, "expected text of the form", None),
        ("- {id: a, file: {path: /x, size: 3q}}", 1, 34, "'3q' is not a size", None),
        ("- {id: a, file: {path: /x, content: {matches: '('}}}", 1, 47, "'(' is no regular expression", None),
        ("- {id: a, api: {path: /info, query: 'a['}}", 1, 37, "'a[' is no JMESPath expression", None),
        ("- {id: a, api: {path: /v1.41/info}}", 1, 23, "'/v1.41/info' names a version of the API", None),
        ("- {id: a, retry: {for: soon}, tcp: {port: 1}}", 1, 24, "'soon' is not a duration", None),
        ("- {id: a, timeout: 9h, tcp: {port: 1}}", 1, 20, "9h is no time to wait", None),
        ("- {id: a, http: {url: 'file:///etc/passwd'}}", 1, 23, "expected text of the form", None),
        (
            "- {id: a, http: {url: 'http://x/', body: {contain: a}}}",
            1,
            43,
            "unknown key 'contain'",
            "did you mean 'contains'?",
        ),
        ("- {id: a, command: {run: ls}}", 1, 26, "expected a list, found text 'ls'", None),
        ("- {id: a, namespace: {in: service.web, isolated: [pod]}}", 1, 51, "expected cgroup,", None),
        ("  a: {tcp: {port: 1}}", 1, 3, "'checks' is a list", None),
    ],
)
def test_mistakes(tmp_path: Path, text: str, line: int, column: int, message: str, hint: str | None) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found[:2] == (line, column)
    assert found[2].startswith(message)
    if hint:
        assert found[3] == hint
