"""A text is refused, or stays a text: what Dockerfiles, units and compose files are made of it has no more lines."""

from __future__ import annotations

import json

import pytest
from injections import CASES, MARK, PAYLOADS, Place, loaded

from labspec.kinds.compose.document import execution_document
from labspec.kinds.unit.unitfile import settings_of


def test_there_are_enough() -> None:
    assert len(CASES) >= 200
    assert len(set(PAYLOADS)) == len(PAYLOADS)


@pytest.mark.parametrize(("number", "place", "text"), [(n, *case) for n, case in enumerate(CASES)][::7])
def test_nothing_is_added(number: int, place: Place, text: str) -> None:
    lab = loaded(place.spec(text, number))
    for resource in lab.resources if lab else ():
        if resource.kind == "image":
            lines = resource.desired["dockerfile"].splitlines()
            assert [line for line in lines if line.startswith("RUN")] == []
        if resource.kind == "unit":
            keys = {setting.key for setting in settings_of(resource.options["text"])}
            assert keys.isdisjoint({"ExecStartPre", "ExecStartPost", "ExecStop"})
            assert [
                line for line in resource.options["text"].splitlines() if line.startswith(("[Service", "Exec"))
            ] == [
                "[Service]",
                "ExecStart=/bin/true",
            ]
        if resource.kind == "service":
            document = execution_document(lab, resource.project) if lab else {}
            assert "privileged" not in json.dumps(document).replace("--privileged", "")
    assert MARK in "".join(PAYLOADS)
