"""Every text of the corpus that labspec takes, on a real systemd and a real engine: none is run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostbox import HostBox, hostbox

sys.path.insert(0, str(Path(__file__).parent.parent / "hostile"))

from injections import CASES, MARK, batches

pytestmark = pytest.mark.live

ALLOW = tuple(f"--allow={name}" for name in ("root-files", "root-group", "docker-group", "kernel", "host-mount"))
LOOK = f"ls -d {MARK} /var/lib/docker/overlay2/*/diff{MARK} /var/lib/docker/*/overlay2/*/diff{MARK} 2>/dev/null"


@pytest.fixture(scope="module")
def box(busybox: str) -> Iterator[HostBox]:
    with hostbox(busybox) as found:
        yield found


def test_no_text_is_run(box: HostBox, tmp_path: Path) -> None:
    good, bad = batches()
    assert len(CASES) > 200
    for name, spec in (("good", good), ("bad", bad)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "lab.yaml").write_text(json.dumps(spec))
        done = box.labspec(folder, "apply", "-y", *ALLOW)
        assert name == "bad" or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        assert box.run("sh", "-c", LOOK).stdout == ""
    # It would be seen.
    box.out("touch", MARK)
    assert box.run("sh", "-c", LOOK).stdout == f"{MARK}\n"
