"""Running checks: again until they pass, what waits for others, who is shown what. They look at this very machine."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine.checking import Result, checks_of, passed, refuse_dangers, run_checks
from labspec.host.docker import Docker
from labspec.host.host import Host
from labspec.report.checks import list_lines, result_lines, results_json, score
from labspec.report.checks_formats import junit, tap_lines
from labspec.spec.loader import load


def lab_of(tmp_path: Path, *checks: str) -> Lab:
    entries = "".join(f"  - {{{check}}}\n" for check in checks)
    (tmp_path / "lab.yaml").write_text(f"labspec: 1\nlab: {{name: tp, languages: [en, fr]}}\nchecks:\n{entries}")
    return load(tmp_path, variables={}, variable_files=[])


def ran(lab: Lab, **options: float) -> list[Result]:
    return run_checks(lab, Host(Docker("unix:///nowhere.sock")), checks_of(lab), **options)


def file(name: str, path: Path, more: str = "") -> str:
    return f"id: {name}, file: {{path: {path}}}{more}"


def test_results_come_in_the_order_of_the_spec(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    lab = lab_of(tmp_path, file("a", tmp_path / "no"), file("b", there), file("c", there, ", points: 3"))
    found = ran(lab)
    assert [(one.id, one.state) for one in found] == [("a", "fail"), ("b", "ok"), ("c", "ok")]
    assert score(found) == (4, 5)
    assert not passed(found)
    assert passed(found[1:])


def test_a_check_is_looked_at_until_it_passes(tmp_path: Path) -> None:
    late = tmp_path / "late"
    lab = lab_of(tmp_path, file("a", late, ", retry: {for: 30s, every: 20ms}"), file("b", tmp_path / "never"))
    host = Host(Docker("unix:///nowhere.sock"))
    # The first round ends with the check that is not looked at again: by then the other one has failed once.
    first, second = run_checks(lab, host, checks_of(lab), lambda result: late.touch() if result.id == "b" else None)
    assert (first.state, second.state, second.looks) == ("ok", "fail", 1)
    assert first.looks > 1


def test_patience_stands_for_every_checks_time(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, file("a", tmp_path / "late", ", retry: {for: 30s, every: 20ms}"))
    (found,) = ran(lab, patience=0.0)
    assert (found.state, found.looks) == ("fail", 1)


def test_without_what_it_needs_a_check_is_skipped(tmp_path: Path) -> None:
    lab = lab_of(
        tmp_path,
        file("c", tmp_path, ", needs: [b]"),
        file("b", tmp_path, ", needs: [a]"),
        file("a", tmp_path / "no"),
        file("d", tmp_path, ", needs: [e]"),
        file("e", tmp_path),
    )
    found = ran(lab)
    assert [(one.id, one.state, one.message) for one in found] == [
        ("c", "skip", "needs b"),
        ("b", "skip", "needs a"),
        ("a", "fail", ""),
        ("d", "ok", ""),
        ("e", "ok", ""),
    ]


def test_what_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "id: a, api: {path: /info}")
    (found,) = ran(lab)
    assert found.state == "error"
    assert "nowhere.sock" in found.message


def test_programs_of_the_lab_on_this_host_must_be_allowed(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "id: a, command: {run: [echo, hello], stdout: hello}")
    with pytest.raises(LabError, match="runs echo hello on this host"):
        refuse_dangers(checks_of(lab), frozenset())
    refuse_dangers(checks_of(lab), frozenset({"host-commands"}))
    assert [one.state for one in ran(lab)] == ["ok"]


def test_a_program_that_is_not_there_ends_as_in_a_shell(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "id: a, command: {run: [no-such-program-here], exit_code: 127}")
    assert [one.state for one in ran(lab)] == ["ok"]


def test_a_program_without_end_is_ended(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "id: a, timeout: 100ms, command: {run: [sleep, '1000']}")
    (found,) = ran(lab)
    assert [str(finding) for finding in found.findings] == ["command: expected an end within 0.1 s, seen it still runs"]


def test_only_names_that_are_there(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, file("page", tmp_path))
    with pytest.raises(LabError, match="no such check") as caught:
        checks_of(lab, None, ["pge"])
    assert caught.value.diagnostics[0].hint == "did you mean 'page'?"


def test_students_are_not_told_what_is_kept_from_them(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text("SEEN")
    told = "title: {en: Open, fr: Ouvert}, hint: {en: Look, fr: Regarde}"
    lab = lab_of(
        tmp_path,
        f"id: kept, reveal: false, {told}, file: {{path: {tmp_path}/answer, content: SECRET}}",
        f"id: shown, file: {{path: {tmp_path}/answer, content: PLAIN}}",
        f"id: theirs, audience: teacher, title: TEACHER, file: {{path: {tmp_path}}}",
    )
    host = Host(Docker("unix:///nowhere.sock"))
    results = run_checks(lab, host, checks_of(lab, "student"))
    forms = {
        "text": "\n".join(result_lines("tp", results, "fr", "student")),
        "json": json.dumps(results_json("tp", results, "fr", "student")),
        "junit": junit("tp", results, "fr", "student"),
        "tap": "\n".join(tap_lines(results, "fr", "student")),
        "list": "\n".join(list_lines(checks_of(lab, "student"), "fr", "student")),
    }
    for form, text in forms.items():
        assert "SECRET" not in text, form
        assert "TEACHER" not in text, form
        assert "theirs" not in text, form
        assert "Ouvert" in text or form == "junit", form
        assert form == "list" or ("PLAIN" in text and "Regarde" in text), form
    assert sum("SEEN" in line for line in forms["text"].splitlines()) == 1
    everything = "\n".join(result_lines("tp", ran(lab), "en", "teacher"))
    assert "SECRET" in everything
    assert "TEACHER" in everything


def test_forms_hold_what_a_lab_from_a_stranger_says(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("\x1b[2J\x00<b>&\n")
    lab = lab_of(tmp_path, f"id: a, title: '<x> # y', file: {{path: {tmp_path}/a, content: b}}")
    results = ran(lab)
    case = ElementTree.fromstring(junit("tp", results, "en", None)).find(".//failure")  # noqa: S314  our own output
    assert case is not None
    assert "<b>&" in str(case.text)
    for text in (*tap_lines(results, "en", None), *result_lines("tp", results, "en", None)):
        assert click.unstyle(text).isprintable()
