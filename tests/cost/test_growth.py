"""A lab with twice as many entries costs twice as much to check and to plan: counted in Python's instructions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from labspec.engine.planner import plan
from labspec.spec.loader import load

SIZES = (20, 40, 80)

Write = Callable[[int], str]
LABS: dict[str, Write] = {
    "services": lambda n: (
        f"  s{n}: {{image: debian, depends_on: [s{max(n - 1, 0)}], ports: ['{20000 + n}:80'], "
        f"environment: {{A: '{n}'}}, mem_limit: 32m}}"
    ),
    "services that build": lambda n: (
        f"  b{n}: {{build: {{context: ., dockerfile_inline: 'FROM debian:latest', args: {{A: '{n}'}}}}}}"
    ),
    "images": lambda n: f"  i{n}: {{from: 'debian:latest', steps: [{{env: {{A: '{n}'}}}}]}}",
    "networks": lambda n: f"  n{n}: {{driver_opts: {{a: '{n}'}}}}",
    "volumes": lambda n: f"  v{n}: {{labels: {{a: '{n}'}}}}",
    "stacks": lambda n: f"  k{n}: {{services: {{a: {{image: debian}}, b: {{image: debian, depends_on: [a]}}}}}}",
    "units": lambda n: f"  u{n}.service: {{Service: {{ExecStart: /bin/true}}}}",
    "files": lambda n: f"    /etc/f{n}: {{content: '{n}', owner: u{n}, group: g{n}}}",
    "users": lambda n: f"    u{n}: {{groups: [g{n}]}}",
    "groups": lambda n: f"    g{n}: {{members: [root]}}",
    "sysctls": lambda n: f"    net.x.y{n}: {n}",
}
IN_HOST = ("files", "users", "groups", "sysctls")
TOGETHER = (("services", "images"), ("services", "networks", "volumes"), ("users", "groups", "files"), ("stacks",))


def lab(sections: tuple[str, ...], number: int) -> str:
    lines = ["labspec: 1", "lab: {name: grows}"]
    lines += ["host:"] if sections[0] in IN_HOST else []
    for section in sections:
        key, *_ = section.split()
        lines.append(f"  {key}:" if key in IN_HOST else f"{key}:")
        lines += (LABS[section](index).replace("[s0]", "[]" if not index else "[s0]") for index in range(number))
    return "\n".join(lines) + "\n"


def instructions(work: Callable[[], object]) -> int:
    """Return how many instructions of Python some work takes."""
    count = 0

    def step(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def planned(file: Path, number: int) -> None:
    changes = plan(load(file, variables={}, variable_files=()), {}).changes
    assert len(changes) >= number


@pytest.mark.parametrize("sections", [*((name,) for name in LABS), *TOGETHER], ids="+".join)
def test_the_cost_is_linear(sections: tuple[str, ...], tmp_path: Path) -> None:
    found = []
    for number in (2, *SIZES):  # the first imports what is needed
        file = tmp_path / f"{number}.yaml"
        file.write_text(lab(sections, number))
        found.append(instructions(partial(planned, file, number)))
    _, small, middle, large = found
    assert large - middle < 2.3 * (middle - small), found
