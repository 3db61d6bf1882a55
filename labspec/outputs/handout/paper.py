"""A document as a PDF of A4 pages: tagged, with bookmarks, and the same bytes every time."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.outputs.handout.document import Document
from labspec.outputs.handout.markdown import Surroundings
from labspec.outputs.handout.page import page, style_sheet

VARIANT = "pdf/ua-1"
"""PDF for readers who hear it: every part says what it is."""
_EPOCH = "SOURCE_DATE_EPOCH"
_NO_DATE = "0"


def paper(document: Document, surroundings: Surroundings) -> bytes:
    """Return the document as a PDF. Raises LabError where this machine cannot make one."""
    weasyprint = _weasyprint()
    html = page(document, surroundings, screen=False)
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
    with _quiet(), _dated():
        ground = weasyprint.HTML(string=html, url_fetcher=fetcher)
        style = weasyprint.CSS(string=style_sheet(), url_fetcher=fetcher)
        made: bytes = ground.write_pdf(stylesheets=[style], pdf_variant=VARIANT, pdf_tags=True)
    return made


def _weasyprint() -> Any:
    try:
        import weasyprint  # type: ignore[import-untyped]
    except ImportError as error:
        raise LabError("a PDF needs weasyprint", hint="pip install 'labspec[pdf]'") from error
    except OSError as error:
        hint = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
        raise LabError(f"weasyprint misses a library of the system: {error}", hint=hint) from error
    return weasyprint


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep weasyprint from telling what only screens need of the style sheet."""
    loggers = [logging.getLogger(name) for name in ("weasyprint", "fontTools")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _dated() -> Iterator[None]:
    """Give the fonts in the PDF a date: the one of the environment, or one that never changes."""
    before = os.environ.get(_EPOCH)
    os.environ.setdefault(_EPOCH, _NO_DATE)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_EPOCH]
