"""Unit files as units of a spec: the same sections, keys and values in order, with the comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labspec.core.diagnostic import LabError
from labspec.imports.report import Imported
from labspec.imports.unit import import_units
from labspec.imports.writing import spec_text
from labspec.kinds.unit.model import Unit
from labspec.kinds.unit.unitfile import Setting, from_spec, settings_of, written
from labspec.spec.formatting import formatted
from labspec.spec.report import Report
from labspec.spec.yamlfile import parse

INSTALLED = [
    path
    for path in sorted(Path("/usr/lib/systemd/system").glob("*"))
    if path.suffix in (".service", ".socket", ".timer", ".path", ".mount", ".target") and not path.is_symlink()
]


WEB = r"""# Licence: none

[Unit]
; what it is
Description=a page: %n # no comment
After=a.target
After=b.target c.target
[Service]
# once
Type=oneshot
ExecStart=
# the first
ExecStart=/bin/a \
  # inside
  --b
# another
ExecStart=-/bin/c
Nice=5
RemainAfterExit=true
Environment=A=1
ExecStart=/bin/d

# when
[Install]
WantedBy=multi-user.target
# end
"""


def unit_of(made: Imported) -> dict[str, Any]:
    """Return the one unit of a spec, read back from its text."""
    text = spec_text(made)
    assert formatted(text.encode(), "lab.yaml").decode() == text
    document = parse(text.encode(), "lab.yaml", Report())
    assert document is not None
    (unit,) = document.value["units"].values()
    Unit.model_validate(unit, strict=True)
    found: dict[str, Any] = unit
    return found


def in_order(settings: tuple[Setting, ...]) -> dict[str, list[tuple[str, str]]]:
    """Return section -> keys and values in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for setting in settings:
        found.setdefault(setting.section, []).append((setting.key, setting.value))
    return found


def sections(unit: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in unit.items() if key[0].isupper()}


def test_it_reads_well(tmp_path: Path) -> None:
    path = tmp_path / "web.service"
    path.write_text(WEB)
    text = spec_text(import_units([path], "lab")).partition("units:")[2]
    assert (
        text
        == """
  web.service:
    # Licence: none
    # end
    Unit:
      # what it is
      Description: "a page: %n # no comment"
      After: [a.target, b.target c.target]
    Service:
      # once
      - Type: oneshot
        ExecStart:
          - ""
          # the first
          - /bin/a    --b
          # inside
          # another
          - "-/bin/c"
        Nice: 5
        RemainAfterExit: true
        Environment: A=1
      - ExecStart: /bin/d
    # when
    Install:
      WantedBy: multi-user.target
"""
    )


@pytest.mark.skipif(not INSTALLED, reason="systemd is not installed")
def test_units_of_this_machine() -> None:
    lost = []
    for path in INSTALLED:
        made = import_units([path], "lab")
        lost += made.losses
        before = settings_of(path.read_text(encoding="utf-8"))
        again = settings_of(written(from_spec(sections(unit_of(made)))))
        assert in_order(again) == in_order(before), path
    assert lost == []


values = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Unit", "Service"]), st.sampled_from(["A", "B", "ExecStart"]), values), min_size=1
    )
)
def test_any_settings(rows: list[tuple[str, str, str]]) -> None:
    from tempfile import TemporaryDirectory

    rows = [(section, key, value) for section, key, value in rows if not value.endswith("\\") and "${{" not in value]
    if not rows:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.service")
        path.write_text("".join(f"[{section}]\n{key}={value}\n" for section, key, value in rows))
        before = settings_of(path.read_text())
        unit = unit_of(import_units([path], "lab"))
    assert in_order(settings_of(written(from_spec(sections(unit))))) == in_order(before)


def test_tabs_inside_of_a_value_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.service"
    path.write_text("[Service]\nExecStart=/bin/sh -c 'a; \\\n\tb\t'\n")
    assert unit_of(import_units([path], "lab")) == {"Service": {"ExecStart": "/bin/sh -c 'a;  \tb\t'"}}


def test_dropins_and_losses(tmp_path: Path) -> None:
    path = tmp_path / "web.service.d" / "more.conf"
    path.parent.mkdir()
    path.write_text("[Service]\nLimitNOFILE=5\n[Socket]\nListenStream=1\n[X-Own]\nA=b\n")
    made = import_units([path], "lab")
    assert unit_of(made) == {"dropin": "more", "Service": {"LimitNOFILE": 5}, "X-Own": {"A": "b"}}
    (loss,) = made.losses
    assert (loss.name, loss.at and loss.at.line) == ("web.service [Socket] ListenStream", 4)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("web.servic", "[Unit]\nA=b\n", "'web.servic' is not the name of a unit"),
        ("a.service", "A=b\n", "'A' stands before the first section"),
        ("b.service", "[Unit]\nnothing\n", "'nothing' is no setting"),
        ("c.service", "", "has no settings in it"),
    ],
)
def test_refusals(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(LabError, match=message):
        import_units([tmp_path / name], "lab")
