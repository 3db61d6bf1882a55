"""Results of checks as text and as JSON, for teachers and for students, who may not be told what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from labspec.core.wording import in_language
from labspec.engine.checking import Check, Result, passed
from labspec.report.text import pad, printable, seconds, width

FORMAT = 1
STUDENT = "student"
WORDS = {"ok": "ok", "fail": "FAIL", "error": "ERROR", "skip": "skip"}
COLOURS = {"ok": "green", "fail": "red", "error": "red", "skip": "yellow"}


def hidden(check: Check, audience: str | None) -> bool:
    """Return whether an audience is not told what a check expects and sees."""
    return audience == STUDENT and not check["reveal"]


def title_of(check: Check, language: str) -> str:
    """Return a check's title, or its name where it has none."""
    return in_language(check["title"], language) or str(check["id"])


def reasons(result: Result, audience: str | None) -> list[str]:
    """Return why a check did not pass, line by line, as far as an audience is told."""
    if result.state in ("ok", "skip") or not hidden(result.check, audience):
        found = [str(finding) for finding in result.findings]
        return [*found, result.message] if result.message else found
    return []


def hint_of(result: Result, language: str) -> str:
    """Return what to try where a check did not pass."""
    return (in_language(result.check["hint"], language) or result.hint) if result.state in ("fail", "error") else ""


def score(results: Sequence[Result]) -> tuple[float, float]:
    """Return the points that were got, and all that there are."""
    got = sum(result.check["points"] for result in results if result.state == "ok")
    return got, sum(result.check["points"] for result in results)


def result_lines(lab: str, results: Sequence[Result], language: str, audience: str | None) -> Iterator[str]:
    """Yield the table of results, what is wrong below each that did not pass, and the score."""
    names = [printable(result.id) for result in results]
    columns = max(map(width, names), default=0)
    for result, name in zip(results, names, strict=True):
        word = click.style(WORDS[result.state].ljust(5), fg=COLOURS[result.state], bold=result.state != "ok")
        title = printable(title_of(result.check, language))
        yield f"{word}  {pad(name, columns)}  {title if title != name else ''}".rstrip()
        for reason in reasons(result, audience):
            yield f"         {printable(reason)}"
        hint = hint_of(result, language)
        if hint:
            yield f"         = {printable(hint)}"
    got, possible = score(results)
    states = [result.state for result in results]
    counts = ", ".join(f"{states.count(state)} {WORDS[state]}" for state in WORDS if state in states)
    taken = max((result.seconds for result in results), default=0.0)
    yield ""
    yield f"Lab {lab}: {counts or 'no checks'}; {got:g} of {possible:g} points, in {seconds(taken)}."


def list_lines(checks: Sequence[Check], language: str, audience: str | None) -> Iterator[str]:
    """Yield the checks that there are."""
    columns = max((width(printable(check["id"])) for check in checks), default=0)
    for check in checks:
        name = printable(check["id"])
        title = "" if title_of(check, language) == check["id"] else printable(title_of(check, language))
        who = f"  ({' and '.join(check['audience'])} only)" if len(check["audience"]) == 1 and not audience else ""
        yield f"{pad(name, columns)}  {check['kind']:<9}  {check['points']:g}  {title}{who}".rstrip()


def results_json(lab: str, results: Sequence[Result], language: str, audience: str | None) -> dict[str, Any]:
    """Return the JSON form; docs/json.md has its fields."""
    got, possible = score(results)
    return {
        "format": FORMAT,
        "lab": lab,
        "audience": audience,
        "ok": passed(results),
        "points": got,
        "of": possible,
        "checks": [_result_json(result, language, audience) for result in results],
    }


def list_json(lab: str, checks: Sequence[Check], language: str, audience: str | None) -> dict[str, Any]:
    """Return the checks that there are as JSON."""
    return {
        "format": FORMAT,
        "lab": lab,
        "audience": audience,
        "checks": [_check_json(check, language) for check in checks],
    }


def _check_json(check: Check, language: str) -> dict[str, Any]:
    return {
        "id": check["id"],
        "title": in_language(check["title"], language),
        "kind": check["kind"],
        "points": check["points"],
        "audience": check["audience"],
        "about": check["about"],
    }


def _result_json(result: Result, language: str, audience: str | None) -> dict[str, Any]:
    shut = hidden(result.check, audience)
    findings: list[Mapping[str, str]] = [
        {"subject": found.subject, "expected": found.expected, "seen": found.seen} for found in result.findings
    ]
    return {
        **_check_json(result.check, language),
        "state": result.state,
        "findings": [] if shut else findings,
        "message": "" if shut and result.state != "skip" else result.message,
        "hint": hint_of(result, language),
        "seconds": round(result.seconds, 3),
        "looks": result.looks,
    }
