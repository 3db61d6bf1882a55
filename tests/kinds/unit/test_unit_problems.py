"""What systemd itself says of units that are only planned, told at the place in the spec where each is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from labspec.core.change import Action, Change
from labspec.core.diagnostic import Diagnostic
from labspec.core.resource import Lab
from labspec.host.host import Host
from labspec.host.system import System
from labspec.kinds.unit.problems import known_keys, unit_problems, verified
from labspec.kinds.unit.reading import booted
from labspec.spec.loader import load

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")


def lab(tmp_path: Path, units: dict[str, Any], **files: str) -> Lab:
    for name, content in files.items():
        (tmp_path / name.replace("_", ".")).write_text(content)
    (tmp_path / "lab.yaml").write_text(json.dumps({"labspec": 1, "lab": {"name": "tp"}, "units": units}, indent=1))
    return load(tmp_path, variables={}, variable_files=[])


def told(made: Lab) -> list[str]:
    """Return what is wrong, each with the text of the line that it points to."""
    return [_with_line(problem) for problem in verified(made.resources, made, System())]


def _with_line(problem: Diagnostic) -> str:
    assert problem.at is not None
    line = Path(problem.at.file).read_text().splitlines()[problem.at.line - 1]
    hint = f" = {problem.hint}" if problem.hint else ""
    return f"{line.strip().partition(':')[0].strip()} <- {problem.message}{hint}"


SERVICE = {"ExecStart": "/bin/true"}


def test_good_units_are_good_and_may_name_each_other(tmp_path: Path) -> None:
    units = {
        "lsp-a.service": {"Unit": {"Requires": "lsp-b.service"}, "Service": SERVICE},
        "lsp-b.service": {"Service": SERVICE},
        "lsp-c@.service": {"Service": {"ExecStart": "/bin/echo %i"}},
        "lsp-a.timer": {"Timer": {"OnCalendar": "daily"}, "Install": {"WantedBy": "timers.target"}},
        "lsp-d.socket": {"Socket": [{"ListenStream": 1, "ListenDatagram": 2}, {"ListenStream": 3}]},
        "lsp-d.service": {"Service": {**SERVICE, "X-Mine": "a"}, "X-Other": {"A": "b"}},
    }
    assert told(lab(tmp_path, units)) == []


def test_each_mistake_stands_at_its_key(tmp_path: Path) -> None:
    units = {
        "lsp-a.service": {
            "Unit": {"Descripton": "x"},
            "Service": {"ExecStart": "/bin/true", "Restart": "alway", "Usr": "x"},
        },
        "lsp-b.timer": {"Timer": {"OnCalendar": "never"}},
        "lsp-c.service": {"Service": {"ExecStart": "/bin/no-such"}},
        "lsp-d.service": {"Service": {"Restart": "always"}},
        "lsp-e.mount": {"Mount": {"What": "tmpfs", "Where": "/srv"}},
    }
    found = told(lab(tmp_path, units))
    assert found[0] == (
        "\"Descripton\" <- unit.lsp-a.service: systemd knows no key 'Descripton' in [Unit] "
        "= did you mean 'Description'?"
    )
    assert found[1].startswith('"Restart" <- unit.lsp-a.service: Restart: Failed to parse')
    assert found[2] == ("\"Usr\" <- unit.lsp-a.service: systemd knows no key 'Usr' in [Service] = did you mean 'User'?")
    assert found[3].startswith('"OnCalendar" <- unit.lsp-b.timer: OnCalendar: Failed to parse calendar')
    assert any(line.startswith('"ExecStart" <- unit.lsp-c.service: Command /bin/no-such') for line in found)
    assert any(line.startswith('"lsp-d.service" <- unit.lsp-d.service: Service has no ExecStart=') for line in found)
    assert any(line.startswith('"Where" <- unit.lsp-e.mount: Where= setting') for line in found)


def test_a_mistake_in_a_unit_file_stands_in_that_file(tmp_path: Path) -> None:
    made = lab(tmp_path, {"lsp-a.service": {"file": "a.service"}}, a_service="[Service]\n# x\nExecStar=/bin/true\n")
    found = told(made)
    assert found[0] == (
        "ExecStar=/bin/true <- unit.lsp-a.service: systemd knows no key 'ExecStar' in [Service] "
        "= did you mean 'ExecStart'?"
    )


def test_what_the_lab_brings_itself_is_not_missing(tmp_path: Path) -> None:
    units = {"lsp-c.service": {"Service": {"ExecStart": "/bin/no-such"}}}
    text = json.dumps({"labspec": 1, "lab": {"name": "tp"}, "units": units, "host": {"packages": ["jq"]}})
    (tmp_path / "lab.yaml").write_text(text)
    made = load(tmp_path, variables={}, variable_files=[])
    units_only = [resource for resource in made.resources if resource.kind == "unit"]
    assert list(verified(units_only, made, System())) == []


def test_systemd_tells_its_keys_itself() -> None:
    keys = known_keys(System())
    assert {"ExecStart", "User", "Restart"} <= keys["Service"]
    assert "OnCalendar" in keys["Timer"]


@pytest.mark.skipif(booted(), reason="systemd runs this machine")
def test_a_machine_without_systemd_is_told_so(tmp_path: Path) -> None:
    made = lab(tmp_path, {"lsp-a.service": {"Service": SERVICE}})
    change = Change("unit.lsp-a.service", "unit", Action.CREATE, "not on this host")
    (problem,) = unit_problems([change], made, Host())
    assert "systemd does not run this host" in problem.message
    assert "labspec sandbox up" in str(problem.hint)
