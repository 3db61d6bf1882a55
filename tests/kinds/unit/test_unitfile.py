"""Unit files: what is read is what systemd reads, what is written is read back, and no value is ever two."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labspec.kinds.unit.unitfile import (
    Setting,
    UnitSyntaxError,
    from_spec,
    mistake,
    settings_of,
    to_spec,
    values_of,
    written,
)

FOLDERS = [Path("/usr/lib/systemd/system"), Path("/usr/lib/systemd/user")]
CORPUS = sorted(
    path
    for folder in FOLDERS
    if folder.is_dir()
    for path in folder.iterdir()
    if path.suffix in (".service", ".socket", ".timer", ".mount", ".path", ".target", ".slice", ".automount", ".swap")
    and path.is_file()
    and not path.is_symlink()
)

names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
values = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("a \\#;=[]%$'\"\n\r\t\x00-"), max_size=12),
).filter(lambda value: mistake(value) is None)
parts = st.dictionaries(names, st.one_of(values, st.lists(values, min_size=1, max_size=3)), max_size=4)
sections = st.dictionaries(names, st.one_of(parts, st.lists(parts, min_size=1, max_size=3)), max_size=4)


def pairs(text: str) -> list[tuple[str, str, str]]:
    return [setting[:3] for setting in settings_of(text)]


@pytest.mark.skipif(len(CORPUS) < 20, reason="this machine has no units")
def test_units_of_installed_packages_come_back_key_for_key_in_order() -> None:
    for path in CORPUS:
        text = path.read_text()
        read = pairs(text)
        spec = to_spec(settings_of(text))
        again = pairs(written(from_spec(spec)))
        # A section that comes twice is one in a spec: systemd reads them as one, too.
        sections = list(dict.fromkeys(section for section, _, _ in read))
        assert again == sorted(read, key=lambda item: sections.index(item[0])), path
        assert all(mistake(value) is None for _, _, value in read), path
    assert len(CORPUS) > 50


@given(sections)
def test_what_is_written_is_read_back_and_nothing_else(spec: dict[str, object]) -> None:
    settings = from_spec(spec)
    assert pairs(written(settings, "a remark")) == [setting[:3] for setting in settings]


@given(sections)
def test_settings_survive_the_form_that_a_spec_has(spec: dict[str, object]) -> None:
    settings = from_spec(spec)
    assert sorted(from_spec(to_spec(settings))) == sorted(settings)
    assert values_of(from_spec(to_spec(settings))) == values_of(settings)


def test_continuations_comments_and_resets_are_read_as_systemd_does() -> None:
    text = """\
# a remark
[Service]
ExecStart=/bin/echo a \\
# inside, and dropped
; so is this
    b \\
    c
ExecStartPre=
  ExecStartPre = /bin/true \\\\
Environment=A=1 B=2
Environment="C=[x] # no remark"

[Install]
WantedBy=multi-user.target
"""
    assert pairs(text) == [
        ("Service", "ExecStart", "/bin/echo a      b      c"),
        ("Service", "ExecStartPre", ""),
        ("Service", "ExecStartPre", "/bin/true \\\\"),
        ("Service", "Environment", "A=1 B=2"),
        ("Service", "Environment", "C=[x] # no remark".join('""')),
        ("Install", "WantedBy", "multi-user.target"),
    ]


def test_a_carriage_return_ends_a_line_for_systemd() -> None:
    assert pairs("[Unit]\r\nDescription=a\rAfter=b\0Before=c") == [
        ("Unit", "Description", "a"),
        ("Unit", "After", "b"),
        ("Unit", "Before", "c"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("A=1\n", 1, "before the first section"),
        ("[Unit]\n\nDescription\n", 3, "is no setting"),
        ("[Unit]\n=x\n", 2, "is no setting"),
        ("[Un it]\n", 1, "is no section"),
        ("[Unit\n", 1, "is no section"),
    ],
)
def test_what_is_no_unit_file_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(UnitSyntaxError, match=message) as caught:
        settings_of(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\nExecStartPre=/bin/sh", "line break"),
        ("a\rExecStartPre=/bin/sh", "line break"),
        ("a\x00b", "control character"),
        ("a\x1bb", "control character"),
        ("a\\", "backslash at the end"),
        ("a\\\\\\", "backslash at the end"),
        (" a", "space at the start"),
        ("a\t", "space at the start or end"),
    ],
)
def test_what_would_not_stay_one_value_is_refused(value: str, message: str) -> None:
    found = mistake(value)
    assert found
    assert message in found[0]


@pytest.mark.parametrize("value", ["", "a\\\\", "%n $X ${Y}", "#a", ";a", "[Service]", "a = b", "é 漢 🎉", "'a' \"b\""])
def test_what_stays_one_value_is_taken(value: str) -> None:
    assert mistake(value) is None
    assert pairs(written((Setting("Unit", "Description", value),))) == [("Unit", "Description", value)]


def test_keys_that_take_turns_are_a_list_in_a_spec() -> None:
    text = "[Socket]\nListenStream=1\nListenDatagram=2\nListenStream=3\nListenStream=4\n"
    spec = to_spec(settings_of(text))
    assert spec == {"Socket": [{"ListenStream": "1", "ListenDatagram": "2"}, {"ListenStream": ["3", "4"]}]}
    assert written(from_spec(spec)) == text
