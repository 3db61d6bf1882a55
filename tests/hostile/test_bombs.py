"""Every bomb is refused, in a second of the processor's time and 200 MB."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

import pytest
from bombs import BOMBS

from labspec.core.diagnostic import LabError
from labspec.spec.loader import load

SECONDS, MEGABYTES, PATIENCE = 1.0, 200, 30


def measured(folder: Path) -> dict[str, object]:
    """Return what loading the lab of a folder said and cost, in a process of its own that may not live long."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        started = time.process_time()
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # with all that the tests before have left
        try:
            load(folder, variables={}, variable_files=())
            said = ""
        except LabError as error:
            said = f"refused: {str(error)[:200]}"
        except BaseException as error:  # whatever it is, the test is to tell it
            said = f"{type(error).__name__}: {str(error)[:200]}"
        spent = {
            "seconds": time.process_time() - started,
            "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - own,
        }
        os.write(writer, json.dumps({"said": said, **spent}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    found: dict[str, object] = json.loads(told) if told else {"said": "it was killed"}
    return found


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str, tmp_path: Path) -> None:
    BOMBS[name](tmp_path)
    found = measured(tmp_path)
    if float(str(found.get("seconds", 0))) >= SECONDS:  # a busy machine makes a process slower
        found = min(
            (measured(tmp_path) for _ in range(3)), key=lambda found: float(str(found.get("seconds", PATIENCE)))
        )
    assert str(found["said"]).startswith("refused: "), found
    assert float(str(found["seconds"])) < SECONDS, found
    assert int(str(found["kilobytes"])) < MEGABYTES * 1000, found
    assert not Path("pwned").exists()
