"""What each command costs, counted: requests to the engine, processes started, modules imported. Never the time."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from costing import PROGRAM, Cost

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker

HEAVY = ("yaml", "pydantic", "jsonschema_rs", "jinja2", "rich", "docker", "python_on_whales", "http.client", "difflib")
LATE = (
    "concurrent.futures",
    "decimal",
    "subprocess",
    "logging",
    "labspec.engine.executor",
    "labspec.kinds.service.steps",
)
"""What only an apply needs."""

LAB = """
labspec: 1
lab: {{name: {name}}}
images: {{own: {{from: "debian:latest", steps: [{{env: {{A: b}}}}]}}}}
volumes: {{data: {{}}, more: {{}}}}
networks: {{inner: {{}}}}
services:
  web: {{image: own, command: [sleep, "9000"], stop_signal: SIGKILL, volumes: ["data:/data"], networks: [inner]}}
  other: {{image: "debian:latest", command: [sleep, "9000"], stop_signal: SIGKILL, volumes: ["more:/data"]}}
stacks:
  side: {{services: {{app: {{image: "debian:latest", command: [sleep, "9000"], stop_signal: SIGKILL}}}}}}
"""


def cost(*arguments: str, looks: bool = False, folder: Path) -> Cost:
    """Run a command in a process of its own; `looks`: at the engine, so that its requests are counted."""
    command = [sys.executable, "-c", PROGRAM, "looks" if looks else "not", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return Cost.read(done.stdout)


IDLE = 'image: "debian:latest", command: [sleep, "9000"], stop_signal: SIGKILL, network_mode: none'
LAYERS = "\n".join(
    [
        "labspec: 1",
        "lab: {{name: {name}}}",
        "services:",
        *(f"  below{n}: {{{{{IDLE}}}}}" for n in range(3)),
        *(f"  above{n}: {{{{{IDLE}, depends_on: [below{n}]}}}}" for n in range(3)),
    ]
)


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a folder with a lab in it: LAB, or what a test is given."""
    text = getattr(request, "param", LAB)
    (tmp_path / "lab.yaml").write_text(text.format(name=f"labspec-cost-{uuid.uuid4().hex[:8]}"))
    return tmp_path


def test_version_imports_nothing(folder: Path) -> None:
    found = cost("--version", folder=folder)
    assert found.imported("click", "typing", "dataclasses", "pathlib", "re", *HEAVY, *LATE) == set()
    assert found.processes == []


def test_help_imports_no_command(folder: Path) -> None:
    found = cost("--help", folder=folder)
    assert found.imported("labspec.cli.plan", "labspec.spec.cache", "labspec.host.docker", *HEAVY, *LATE) == set()


def test_an_unchanged_spec_is_validated_without_parser_and_checkers(folder: Path) -> None:
    first = cost("validate", folder=folder)
    assert {"yaml", "pydantic"} <= first.modules
    again = cost("validate", folder=folder)
    assert again.imported(*HEAVY, *LATE, "labspec.host.docker", "labspec.spec.loader") == set()
    assert again.processes == first.processes == []


@pytest.fixture
def applied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Cost]]:
    """Return the folder of a lab that is applied, and what that took."""
    monkeypatch.setenv("LABSPEC_STATE_DIR", str(folder / "state"))
    engine = Docker()
    try:
        image = engine.find("/images/debian:latest/json")
    except LabError as error:
        pytest.skip(f"no Docker engine: {error.diagnostics[0].message}")
    finally:
        engine.close()
    if image is None:
        pytest.skip("debian:latest is not there")
    try:
        yield folder, cost("apply", "-y", looks=True, folder=folder)
    finally:
        assert cost("destroy", "-y", folder=folder).code == 0


@pytest.mark.live
def test_a_lab_of_ten_objects(applied: tuple[Path, Cost]) -> None:
    folder, first = applied
    assert first.code == 0
    assert sorted(first.calls) == ["build", "compose.up", "compose.up"]  # one for each project
    assert first.started == ["os.posix_spawn"]
    assert first.imported("python_on_whales", "pydantic") <= {"pydantic"}  # for the models of a spec that is new

    for command in (["plan", "--detailed-exitcode"], ["status"], ["apply", "-y"]):
        found = cost(*command, looks=True, folder=folder)
        assert found.code == 0, command
        assert found.requests <= 12, command
        assert found.calls == [], command
        # An apply that asks nothing has python-on-whales imported before it knows whether it is needed.
        assert found.started in ([], ["os.posix_spawn"] if command == ["apply", "-y"] else []), command
        assert found.imported(*HEAVY) <= {"difflib"}, command  # click has it for -y
    plan = cost("plan", looks=True, folder=folder)
    assert plan.imported(*LATE, "click") == set()
    # What else is imported counts too: this catches what creeps in.
    assert len([name for name in plan.modules if name.startswith("labspec.")]) <= 64


@pytest.mark.live
@pytest.mark.parametrize("folder", [LAYERS], indirect=True, ids=["layers"])
def test_each_layer_of_services_is_one_call_of_compose(applied: tuple[Path, Cost]) -> None:
    _, first = applied
    assert first.calls == ["compose.up"] * 2


def test_reading_containers_imports_no_dataclasses() -> None:
    program = "import labspec.engine.workflow, labspec.kinds.service.live, sys; print('dataclasses' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


def test_reading_containers_compiles_no_annotations() -> None:
    """Where a module postpones its annotations, each field of a named tuple is compiled anew in every process."""
    program = (
        "import gc, typing, labspec.engine.workflow, labspec.kinds.service.live\n"
        "print(sum(isinstance(found, typing.ForwardRef) for found in gc.get_objects()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) <= 5
