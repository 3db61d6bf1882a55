"""Units as files: what render writes is what systemd would read on the host."""

from __future__ import annotations

from pathlib import Path

from example_labs import copied

from labspec.outputs.render import render
from labspec.spec.loader import load


def rendered(example: str, folder: Path) -> dict[str, str]:
    lab = load(copied(example, folder), variables={}, variable_files=[])
    out = folder / "out"
    return {str(path.relative_to(out)): path.read_text() for path in render(lab, out) if path.is_file()}


def test_a_unit_from_sections_and_one_from_a_file(tmp_path: Path) -> None:
    files = rendered("unit-timer", tmp_path)
    assert files["units/tidy.timer"] == (
        "[Timer]\nOnCalendar=hourly\nRandomizedDelaySec=5min\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )
    assert files["units/tidy.service"] == (tmp_path / "unit-timer" / "tidy.service").read_text()


def test_a_drop_in_lies_in_its_folder_and_state_alone_is_no_file(tmp_path: Path) -> None:
    files = rendered("unit-dropin", tmp_path)
    units = {name: text.splitlines() for name, text in files.items() if name.startswith("units/")}
    assert units == {
        "units/docker.service.d/more-files.conf": [
            "[Service]",
            "LimitNOFILE=65536",
            "Environment=",
            "Environment=TMPDIR=/var/tmp",
        ]
    }
