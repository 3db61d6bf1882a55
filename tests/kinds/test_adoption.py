"""Adopting: which addresses a spec may name, and what the change of an adopted object is."""

from __future__ import annotations

from pathlib import Path

import pytest

from labspec.core.change import Action, Change
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.adoption.record import stand_in
from labspec.kinds.adoption.steps import RecordAdopted, adopting
from labspec.spec.loader import load_text

SPEC = """labspec: 1
lab: {name: tp}
volumes: {data: {}}
services: {web: {image: x, volumes: ["data:/d"]}}
stacks: {shop: {services: {front: {image: x}}}}
host: {files: {/etc/motd: {content: hi}}}
"""
WEB = Resource("service.web", "service", "tp-web-1", {"image": "x:latest"}, {"key": "web"}, project="tp")
LAB = Lab("tp", "/lab", "/lab/lab.yaml", (WEB,))
FOUND = Observed("service.web", "service", "1" * 64, "tp-web-1", {"image": "x:latest"}, facts={"ids": ["a", "b"]})


def adopted(text: str, folder: Path) -> list[str]:
    found: list[str] = load_text(SPEC + text, folder / "lab.yaml").parts["adopt"]
    return found


def test_addresses_and_groups(tmp_path: Path) -> None:
    assert adopted("adopt: [volume.data, service.web]\n", tmp_path) == ["service.web", "volume.data"]
    assert adopted("adopt: [stack.shop]\n", tmp_path) == ["stack.shop.network.default", "stack.shop.service.front"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adopt: service.web\n", "'adopt' is a list of addresses"),
        ("adopt: [service.wbe]\n", "did you mean 'service.web'?"),
        ("adopt: [1]\n", "expected an address"),
        ("adopt: [file./etc/motd]\n", "labspec leaves it as it is"),
    ],
)
def test_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(LabError) as raised:
        adopted(text, tmp_path)
    assert words in str(raised.value)
    assert raised.value.diagnostics[0].at is not None
    assert raised.value.diagnostics[0].at.line == 7


def test_what_is_as_it_should_be_is_only_recorded() -> None:
    change = adopting(None, WEB, FOUND, LAB)
    assert change.action is Action.ADOPT
    (step,) = change.steps
    assert isinstance(step, RecordAdopted)
    assert step.ids == ("a", "b")


def test_what_differs_is_recorded_and_changed() -> None:
    update = Change("service.web", "service", Action.UPDATE, "mem_limit changed on the host")
    change = adopting(update, WEB, FOUND, LAB)
    assert change.reason == "the spec adopts it; mem_limit changed on the host"
    assert [type(step) for step in change.make] == [RecordAdopted]


def test_what_is_made_anew_is_warned_of_and_not_recorded() -> None:
    change = adopting(Change("service.web", "service", Action.REPLACE, "image changed"), WEB, FOUND, LAB)
    assert change.warnings == ("it was not made by labspec, and the spec adopts it",)
    assert not change.steps


def test_the_labels_that_a_record_stands_for() -> None:
    assert stand_in(LAB, "service.web", {"image": "abc"}) == {
        "io.labspec.lab": "tp",
        "io.labspec.address": "service.web",
        "io.labspec.fields": '{"image": "abc"}',
        "com.docker.compose.project": "tp",
        "com.docker.compose.service": "web",
    }
