"""The tutorial says what its commands print: those that need no engine are run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CAPTURE = Path(__file__).parents[2] / "docs" / "capture"


def test_the_commands_print_what_the_page_says() -> None:
    done = subprocess.run(
        [sys.executable, str(CAPTURE), "--check"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
