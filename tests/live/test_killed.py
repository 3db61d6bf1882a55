"""A sample of what tests/faults/run does in full: labspec is killed at points of its work, and all is well after it."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

FAULTS = Path(__file__).parent.parent / "faults"
sys.path.insert(0, str(FAULTS))

from killing import Place, killed_after, killed_at, points, strangers  # noqa: E402
from pairs import pair  # noqa: E402
from scenarios import applies, destroys, recreate  # noqa: E402

pytestmark = pytest.mark.live

KILLS = (
    "after fsync {lab}.compose.json#1",
    "after POST /networks/create#1",
    "after start of docker compose {lab}#1",
    "before replace applied.json#1",
)
SIGNALS = (("after start of docker compose {lab}#1", "INT"), ("after DELETE /networks/ID#1", "TERM2"))


@pytest.fixture(scope="module")
def place(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    assert busybox
    found = Place(tmp_path_factory.mktemp("killed"), f"faults-test-{os.getpid()}", engine=False)
    with strangers(found):
        yield found
    found.clear()


def test_the_points_are_there(place: Place) -> None:
    found = points(place, applies(place.lab)[1])
    wanted = {point.format(lab=place.lab) for point in (*KILLS, *(point for point, _ in SIGNALS))}
    assert wanted <= set(found)


@pytest.mark.parametrize(("point", "action"), [*((point, "KILL") for point in KILLS), *SIGNALS])
def test_killed_while_it_applies(place: Place, point: str, action: str) -> None:
    trial = killed_at(place, applies(place.lab)[1], point.format(lab=place.lab), action)
    assert (trial.reached, trial.wrong) == (True, [])


def test_killed_while_it_destroys(place: Place) -> None:
    trial = killed_at(place, destroys(place.lab)[0], f"before unlink {place.lab}.compose.json#1")
    assert (trial.reached, trial.wrong) == (True, [])


def test_killed_while_containers_are_made_anew(place: Place) -> None:
    assert killed_after(place, recreate(place.lab), 0.8).wrong == []


def holding(path: Path) -> list[int]:
    """Return the processes that have a file open."""
    found = []
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if handle.readlink() == path:
                found.append(int(handle.parts[2]))
    return found


def test_a_program_that_a_killed_one_has_left_holds_the_lock(place: Place) -> None:
    scenario = applies(place.lab)[1]
    place.prepare(scenario)
    fault = f"after start of docker compose {place.lab}#1 ORPHAN"
    assert place.run("apply", "-y", LABSPEC_FAULT=fault).returncode == -signal.SIGKILL
    holders = holding(place.state / place.lab / "lock.programs")
    assert holders, "nobody holds the lock"
    try:
        for command in ("apply", "destroy"):
            refused = place.start(command, "-y").wait(60)
            said = r"is being changed by '.+', process \d+, which a labspec that was killed has left"
            assert (refused.returncode, bool(re.search(said, refused.stderr))) == (75, True), refused.stderr
    finally:
        for pid in holders:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert [place.run(*command).returncode for command in (("apply", "-y"), ("plan", "--detailed-exitcode"))] == [0, 0]
    place.clear()


@pytest.mark.parametrize("destroy", [False, True])
def test_two_at_once(place: Place, destroy: bool) -> None:
    assert pair(place, applies(place.lab)[1], destroy=destroy).wrong == []
