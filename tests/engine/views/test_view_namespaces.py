"""Namespaces compared with the host's, and with each other's."""

from __future__ import annotations

import pytest

from labspec.engine.views.model import size
from labspec.engine.views.namespaces import compared, inode_of

HOST = {"mnt": 1, "net": 2, "uts": 3, "time": 4}


def test_whose_a_namespace_is() -> None:
    web = {"mnt": 10, "net": 11, "uts": 3, "time": 4}
    side = {"mnt": 20, "net": 11, "uts": 3, "time": 4}
    found = compared({"service.web": web, "service.side": side}, HOST)
    assert [(one.type, one.verdict) for one in found["service.web"]] == [
        ("mnt", "isolated"),
        ("net", "isolated; shared with service.side"),
        ("uts", "shared with the host"),
        ("time", "shared with the host"),
    ]
    assert found["service.side"][1].others == ("service.web",)


def test_a_kernel_without_a_type_has_none() -> None:
    found = compared({"service.web": {"net": 11}}, {"net": 2})
    assert [one.type for one in found["service.web"]] == ["net"]


def test_a_link_names_its_inode() -> None:
    assert inode_of("net:[4026531840]") == 4026531840


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (104857600, "100 MiB"),
        (1610612736, "1.5 GiB"),
        (1048575, "1 MiB"),
        (2**50, "1 PiB"),
    ],
)
def test_sizes_are_for_people(number: int | None, text: str) -> None:
    assert size(number) == text
