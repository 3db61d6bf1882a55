"""What fuzzing has found: specs of which something else than a lab or a refusal came."""

from __future__ import annotations

from typing import Any

import pytest
from injections import BUSYBOX, loaded


@pytest.mark.parametrize(
    "more",
    [
        {"env_file": [{"path": "a.env", "required": "falqe"}]},
        {"depends_on": {"b": {"condition": "service_started", "required": "falqe"}}},
        {"depends_on": {"b": {"condition": "service_started", "restart": "falqe"}}},
    ],
)
def test_it_is_refused(more: dict[str, Any]) -> None:
    assert loaded({"services": {"a": {"image": BUSYBOX, **more}, "b": {"image": BUSYBOX}}}) is None


@pytest.mark.parametrize("section", ["networks", "volumes"])
def test_an_object_of_a_stack_that_is_a_text(section: str) -> None:
    assert loaded({"stacks": {"s": {"services": {"a": {"image": BUSYBOX}}, section: {"b": "text"}}}}) is None
