"""The lab's sheet as a file: Markdown, a page that is complete in itself, or a PDF."""

from __future__ import annotations

from labspec.core.resource import Lab
from labspec.sheet.captures import Captures

FORMATS = ("md", "html", "pdf")


def render(lab: Lab, captures: Captures | None, *, edition: str, format: str, language: str) -> bytes:
    """Return the sheet of a lab in an edition (student or teacher), one of FORMATS, and a language of the lab.

    What the student's edition does not have is left out before any format is made. Equal labs and captures give equal
    bytes. Raises LabError where a picture or artifact cannot be had, or a PDF cannot be made here.
    """
    from labspec.outputs.handout.markdown import Surroundings, by_path
    from labspec.outputs.handout.page import anchors, page
    from labspec.outputs.handout.pictures import lab_picture
    from labspec.outputs.handout.reading import document_of

    document = document_of(lab, captures, edition=edition, language=language)
    surroundings = Surroundings(picture=lambda path: lab_picture(lab.root, path), anchors=anchors(document))
    if format == "md":
        from labspec.outputs.handout.plain import plain

        return plain(document, by_path(surroundings)).encode()
    if format == "pdf":
        from labspec.outputs.handout.paper import paper

        return paper(document, surroundings)
    return page(document, surroundings, screen=True).encode()
