"""The page and the PDF: complete in themselves, valid, the same every time, and readable by all."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pypdf
import pytest
import sheets
from sheets import block, section

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.outputs.handout import paper, render
from labspec.outputs.handout.page import LONG, MOST_ON_PAPER

Made = Callable[[str, str, str], bytes]
EDITIONS = ("student", "teacher")


def parsed(html: bytes) -> Element:
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    tree: Element = parser.parse(html.decode())
    return tree


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def of_class(tree: Element, name: str) -> list[Element]:
    return [element for element in tree.iter() if name in element.get("class", "").split()]


@pytest.mark.parametrize("edition", EDITIONS)
def test_headings_are_in_order_and_ids_are_there_once(made: Made, edition: str) -> None:
    tree = parsed(made(edition, "html", "fr"))
    levels = [int(element.tag[1]) for element in tree.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    targets = [element.get("href", "")[1:] for element in tree.iter("a") if element.get("href", "").startswith("#")]
    assert set(targets) <= set(ids)
    assert [text(element) for element in tree.iter("nav")] != []


def test_the_page_says_its_language(made: Made) -> None:
    for language in ("fr", "en"):
        tree = parsed(made("student", "html", language))
        assert tree.get("lang") == language
        assert text(next(tree.iter("summary"))) == {"fr": "Sommaire", "en": "Contents"}[language]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_page_needs_nothing_from_outside(made: Made, edition: str) -> None:
    tree = parsed(made(edition, "html", "fr"))
    loading = {"src", "srcset", "data", "poster", "action", "background", "ping"}
    for element in tree.iter():
        for name in loading & set(element.attrib):
            assert element.get(name, "").startswith("data:image/")
    [style] = tree.iter("style")
    assert not re.search(r"url\(|@import|https?:", style.text or "")
    assert [element.get("href") for element in tree.iter("link")] == ["data:,"]


def test_a_terminal_says_what_was_typed_where_and_when(made: Made) -> None:
    tree = parsed(made("student", "html", "en"))
    [shown] = [element for element in tree.iter("figure") if element.get("id") == "b-ps"]
    assert text(of_class(shown, "prompt")[0]) == "$"
    assert text(next(shown.iter("code"))) == "docker ps"
    assert "ca8dadf7ab9e" in text(next(shown.iter("samp")))
    said = text(of_class(shown, "origin")[0])
    assert said == "Captured on 24 November 2026, 22:05 · Debian GNU/Linux 12 · Linux 6.18.5 · Docker 26.1.5"


def test_the_topology_is_a_picture_and_in_markdown_a_graph(made: Made) -> None:
    tree = parsed(made("student", "html", "en"))
    [shown] = [element for element in tree.iter("figure") if element.get("id") == "b-topology"]
    [picture] = shown.iter("img")
    assert picture.get("src", "").startswith("data:image/svg+xml;base64,")
    assert picture.get("alt") == "The lab: what is in it, and what hangs on what"
    assert text(next(shown.iter("figcaption"))) == f"Figure 1 {picture.get('alt')}"
    graph = made("student", "md", "en").decode().partition("```mermaid\n")[2].partition("\n```")[0]
    assert all(name in graph for name in ("web", "foo", "nagini", "1010")), graph


def test_what_was_recorded_elsewhere_is_marked(made: Made) -> None:
    tree = parsed(made("student", "html", "fr"))
    [shown] = of_class(tree, "elsewhere")
    assert text(of_class(shown, "origin")[0]) == (
        "Enregistré ailleurs CentOS 7, 24 septembre 2018 rkt n'est plus distribué depuis 2020."
    )
    assert "recorded" not in made("student", "md", "fr").decode()
    assert "> **Recorded elsewhere: CentOS 7, 24" in made("student", "md", "en").decode()


def test_an_exit_code_and_errors_are_told(made: Made) -> None:
    tree = parsed(made("student", "html", "en"))
    [shown] = [element for element in tree.iter("figure") if element.get("id") == "b-fails"]
    assert text(of_class(shown, "exit")[0]) == "exit code 1"
    assert text(of_class(shown, "stream")[0]) == "Standard error"
    assert text(next(of_class(shown, "errors")[0].iter("samp"))) == "cat: /etc/shadow: Permission denied"


def long_output(folder: Path, length: int, **values: object) -> tuple[Lab, object]:
    shown = block("run", "long", command="seq", place="host", exit=[0], **values)
    lab = sheets.lab_with(folder, [section("one", "One", shown)])
    return lab, sheets.captures(
        {"long": sheets.capture("".join(f"line {number}\n" for number in range(1, length + 1)))}
    )


def test_a_long_output_is_cut_where_it_can_be_shown(folder: Path) -> None:
    for lines, cut in ((LONG, False), (LONG + 1, True)):
        lab, captures = long_output(folder, lines)
        tree = parsed(render(lab, captures, edition="student", format="html", language="en"))
        assert bool(of_class(tree, "long")) is cut
        assert f"line {lines}" in text(next(tree.iter("samp")))
    assert of_class(tree, "long")[0].get("data-show-all") == f"Show all {LONG + 1} lines"


def test_a_sheet_may_say_how_many_lines_it_shows(folder: Path) -> None:
    lab, captures = long_output(folder, 9, lines=8)
    tree = parsed(render(lab, captures, edition="student", format="html", language="en"))
    assert text(of_class(tree, "more")[0]) == "[… 1 more line]"
    assert "line 9" not in text(tree)
    written = render(lab, captures, edition="student", format="md", language="fr").decode()
    assert "line 8\n[… 1 ligne de plus]\n```" in written


def test_paper_shows_the_beginning_of_a_very_long_output(folder: Path) -> None:
    lab, captures = long_output(folder, MOST_ON_PAPER + 2)
    content = render(lab, captures, edition="student", format="pdf", language="en")
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert f"line {MOST_ON_PAPER}\n" in pages
    assert f"line {MOST_ON_PAPER + 1}" not in pages
    assert "2 more lines" in pages


def test_hidden_output_is_not_there(folder: Path) -> None:
    lab, captures = long_output(folder, 3, hidden=True)
    for form in ("html", "md"):
        assert b"line 1" not in render(lab, captures, edition="student", format=form, language="en")


def test_a_link_leads_to_what_this_edition_has(folder: Path) -> None:
    asked = block("text", "a", text="[one](#one) [two](#two) [block](#b) [gone](#c) [none](#x)")
    kept, gone = block("text", "b", text="here"), block("text", "c", text="not here", audience="teacher")
    lab = sheets.lab_with(folder, [section("one", "One", asked), section("two", "Two", kept, gone)])
    tree = parsed(render(lab, None, edition="student", format="html", language="en"))
    prose = next(element for element in tree.iter("div") if element.get("id") == "b-a")
    assert [element.get("href") for element in prose.iter("a")] == ["#s-one", "#s-two", "#b-b"]
    assert text(prose) == "one two block gone none"
    assert "[one](#s-one)" in render(lab, None, edition="student", format="md", language="en").decode()


def test_the_same_sheet_is_the_same_bytes(made: Made, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import sheets\n"
        "from labspec.outputs.handout import render\n"
        "lab = sheets.sample(pathlib.Path(sys.argv[2])); out = pathlib.Path(sys.argv[2])\n"
        "for form in ('md', 'html', 'pdf'):\n"
        "    content = render(lab, sheets.SAMPLE_CAPTURES, edition='student', format=form, language='fr')\n"
        "    (out / form).write_bytes(content)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LABSPEC_CACHE": "off"}
    subprocess.run(
        [sys.executable, "-c", code, str(Path(sheets.__file__).parent), str(tmp_path)], check=True, env=environment
    )
    for form in ("md", "html", "pdf"):
        assert (tmp_path / form).read_bytes() == made("student", form, "fr"), form


def outline(entries: list[Any]) -> Iterator[str]:
    """Yield the titles of a PDF's bookmarks, those below others too."""
    for entry in entries:
        yield from outline(entry) if isinstance(entry, list) else [str(entry.title)]


def test_a_pdf_is_tagged_and_has_bookmarks_and_page_numbers(made: Made) -> None:
    reader = pypdf.PdfReader(io.BytesIO(made("student", "pdf", "fr")))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "fr"
    assert reader.metadata is not None
    assert reader.metadata.title == "Conteneurs et isolation"
    assert [title for title in outline(reader.outline) if title[0].isdigit()] == [
        "1 Pourquoi pas en root ?",
        "2 Espaces de noms et cgroups",
        "3 Une image à soi",
    ]
    pages = [page.extract_text() for page in reader.pages]
    assert f"2 / {len(pages)}" in pages[1]
    assert "Conteneurs et isolation" in pages[1]


def test_without_weasyprint_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, sample: Lab) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(LabError, match="a PDF needs weasyprint") as refused:
        render(sample, None, edition="student", format="pdf", language="fr")
    assert refused.value.diagnostics[0].hint == "pip install 'labspec[pdf]'"


def test_without_pango_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LabError, match="cannot load library libpango") as refused:
        paper.paper(None, None)  # type: ignore[arg-type]
    assert "apt-get install libpango" in str(refused.value.diagnostics[0].hint)
