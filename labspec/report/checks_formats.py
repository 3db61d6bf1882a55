"""Results of checks in the formats of test tools: JUnit's XML, and TAP (https://testanything.org/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from labspec.engine.checking import Result
from labspec.report.checks import hint_of, reasons, title_of
from labspec.report.text import printable

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"fail": "failure", "error": "error", "skip": "skipped"}


def junit(lab: str, results: Sequence[Result], language: str, audience: str | None) -> str:
    """Return the results as JUnit's XML, as CI servers read it."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    states = [result.state for result in results]
    suite = Element("testsuite", name=lab, tests=str(len(results)), time=f"{sum(one.seconds for one in results):.3f}")
    for attribute, state in (("failures", "fail"), ("errors", "error"), ("skipped", "skip")):
        suite.set(attribute, str(states.count(state)))
    for result in results:
        case = SubElement(suite, "testcase", classname=f"{lab}.{result.check['kind']}", name=result.id)
        case.set("time", f"{result.seconds:.3f}")
        if result.state in _TAGS:
            said = reasons(result, audience)
            told = SubElement(
                case, _TAGS[result.state], message=_clean(said[0] if said else title_of(result.check, language))
            )
            hint = hint_of(result, language)
            told.text = _clean("\n".join([*said, *([f"= {hint}"] if hint else [])]))
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode")


def tap_lines(results: Sequence[Result], language: str, audience: str | None) -> Iterator[str]:
    """Yield the results as TAP, version 13."""
    yield "TAP version 13"
    yield f"1..{len(results)}"
    for number, result in enumerate(results, start=1):
        title = printable(title_of(result.check, language)).replace("#", "\\#")
        skip = f" # SKIP {printable(result.message)}" if result.state == "skip" else ""
        yield f"{'not ok' if result.state in ('fail', 'error') else 'ok'} {number} - {result.id}: {title}{skip}"
        if result.state in ("fail", "error"):
            for reason in reasons(result, audience):
                yield f"# {printable(reason)}"
            hint = hint_of(result, language)
            if hint:
                yield f"# = {printable(hint)}"


def _clean(text: str) -> str:
    """Return a text without what XML has no place for."""
    return _NOT_XML.sub("?", text)
