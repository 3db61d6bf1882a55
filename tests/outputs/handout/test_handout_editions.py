"""What is the teacher's alone is in no student's file, in whatever part of it."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator

import pypdf
import pytest
import sheets

from labspec.core.resource import Lab
from labspec.outputs.handout.document import Document
from labspec.outputs.handout.reading import document_of
from labspec.sheet.sheet import STUDENT, TEACHER

Made = Callable[[str, str, str], bytes]
LANGUAGES = ("fr", "en")
TEACHERS_OWN = [
    block["id"] for section in sheets.SECTIONS for block in section["blocks"] if block["audience"] == "teacher"
]
PLANTED = [sheets.SECRET, sheets.SECRET[::-1], sheets.SECRET.upper(), *TEACHERS_OWN, "s-correction", "correction"]
FORMS = ("md", "html", "pdf")


def everything(content: bytes, form: str) -> str:
    """Return all that a file says, to readers and to those who look behind it."""
    if form != "pdf":
        return content.decode()
    reader = pypdf.PdfReader(io.BytesIO(content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    return "\n".join([text, *map(repr, [reader.metadata, reader.outline]), *streams(content), *objects(reader)])


def streams(content: bytes) -> Iterator[str]:
    """Yield the streams of a PDF as text: its metadata, attachments, and the letters that are drawn."""
    yield content.decode("latin-1")
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            yield zlib.decompress(found[1]).decode("latin-1")
        except zlib.error:
            continue


def objects(reader: pypdf.PdfReader) -> Iterator[str]:
    for number in range(1, len(reader.xref.get(0, {})) + len(reader.xref_objStm) + 1):
        yield repr(reader.get_object(number))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_no_solution_is_in_a_students_file(made: Made, form: str, language: str) -> None:
    said = everything(made(STUDENT, form, language), form)
    assert [planted for planted in PLANTED if planted in said] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_words_are_found_in_the_teachers_file(made: Made, form: str, language: str) -> None:
    said = everything(made(TEACHER, form, language), form)
    assert said.count(sheets.SECRET) >= 6


def test_the_text_of_a_students_pdf_has_the_rest(made: Made) -> None:
    text = everything(made(STUDENT, "pdf", "fr"), "pdf")
    for said in ("Pourquoi pas en root", "usermod -aG docker vagrant", "Que risque-t-on", "Indice", "Le serveur"):
        assert said in text, said


def document(lab: Lab, edition: str) -> Document:
    return document_of(lab, sheets.SAMPLE_CAPTURES, edition=edition, language="en")


def test_the_document_is_cut_before_any_format(sample: Lab) -> None:
    assert sheets.SECRET not in repr(document(sample, STUDENT))
    assert sheets.SECRET in repr(document(sample, TEACHER))


def test_a_section_of_the_teacher_goes_with_its_title(sample: Lab) -> None:
    assert [part.id for part in document(sample, STUDENT).parts] == ["docker", "isolation", "image"]
    assert [part.id for part in document(sample, TEACHER).parts][-1] == "correction"


def test_a_check_for_the_teacher_is_not_in_the_students_sheet(sample: Lab) -> None:
    own = [{**check, "audience": ["teacher"]} if check["id"] == "web" else check for check in sheets.CHECKS]
    lab = sample._replace(parts={**sample.parts, "checks": own})
    students = {piece.id for part in document(lab, STUDENT).parts for piece in part.pieces}
    teachers = {piece.id for part in document(lab, TEACHER).parts for piece in part.pieces}
    assert "check-web" in teachers - students
    assert "check-volume" in students
    assert document(lab, STUDENT).points == 1.5


def test_only_the_teacher_has_a_score_table(made: Made) -> None:
    assert 'class="score"' in made(TEACHER, "html", "en").decode()
    assert 'class="score"' not in made(STUDENT, "html", "en").decode()
    assert "| **Total** | 3.5 | |" in made(TEACHER, "md", "en").decode()
    assert "**Total**" not in made(STUDENT, "md", "en").decode()


def test_the_teachers_sheet_says_that_it_is(made: Made) -> None:
    assert "Teacher's edition" in everything(made(TEACHER, "md", "en"), "md")
    assert "Édition de l\u2019enseignant" in everything(made(TEACHER, "html", "fr"), "html")
    metadata = pypdf.PdfReader(io.BytesIO(made(TEACHER, "pdf", "en"))).metadata
    assert metadata is not None
    assert metadata.title == "Containers and isolation · Teacher's edition"
    assert "Teacher" not in made(STUDENT, "html", "en").decode()
