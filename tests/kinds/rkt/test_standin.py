"""The stand-in for rkt answers what the real one was recorded to answer."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from rktpods import RECORDINGS, STANDINS

RECORDED = re.findall(r"(?ms)^\$ (rkt[^\n]*)\n(.*?)^\[rc=(\d+)\]$", (RECORDINGS / "grammar.txt").read_text())


@pytest.mark.parametrize(("line", "said", "code"), RECORDED, ids=range(len(RECORDED)))
def test_refuses_as_recorded(line: str, said: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "images").write_text("coreos.com/rkt/stage1-fly:1.29.0\n")
    words = [str(STANDINS / "rkt"), *shlex.split(line)[1:]]
    environment = {**os.environ, "RKT_STANDIN": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout + done.stderr, str(done.returncode)) == (said, code)
