"""Thousands of random labs with random histories on the simulated host: no rule is broken, and planted bugs are found.

LABSPEC_SEED=N runs that one history; `tests/faults/simulate N` tells it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import MUTANTS, Mutant
from simulated_run import Violation
from simulation import simulate_all

RUNS = 10_000
SHARD = 250
ENOUGH = 1000
"""Histories in which a planted bug must show."""

CHOSEN = os.environ.get("LABSPEC_SEED")
_FIRSTS = [int(CHOSEN)] if CHOSEN else list(range(0, RUNS, SHARD))


@pytest.mark.parametrize("first", _FIRSTS)
def test_no_rule_is_broken(first: int) -> None:
    counts = simulate_all(range(first, first + (1 if CHOSEN else SHARD)))
    if not CHOSEN:
        assert counts.crashes > SHARD // 4
        assert counts.failures > SHARD // 8


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_planted_bug_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises(Violation, match="seed"):
        simulate_all(range(ENOUGH))


def test_a_seed_tells_the_same_history_everywhere() -> None:
    program = "from simulation import simulate\nfor seed in range(30): simulate(seed, print)"
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent)]), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0].count("\n") > 60
    assert told[0] == told[1]
