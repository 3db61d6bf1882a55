"""Sheets in Debian's Chromium, which may ask for nothing but the file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sheets
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from visits import Open, Visit

from labspec.outputs.handout import render

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the browser."""
    if shutil.which(CHROMIUM) is None:
        if "CI" in os.environ:
            pytest.fail(".ci/browser installs Chromium")
        pytest.skip("there is no Chromium: .ci/browser installs it")
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, nor in most containers.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the sample's page for each edition."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABSPEC_CACHE", "off")
        lab = sheets.sample(folder)
    made = {}
    for edition in ("student", "teacher"):
        made[edition] = folder / f"{edition}.html"
        made[edition].write_bytes(render(lab, sheets.SAMPLE_CAPTURES, edition=edition, format="html", language="fr"))
    return made


@pytest.fixture
def visit() -> Visit:
    """Return the record of what pages did that they should not have done."""
    return Visit()


@pytest.fixture
def opened(browser: Browser, pages: dict[str, Path], visit: Visit) -> Iterator[Open]:
    """Return a function that opens a page (an edition's, or a file's), with the options of a context."""
    contexts: list[BrowserContext] = []

    def open_page(what: str | Path = "student", **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        path = what if isinstance(what, Path) else pages[what]
        page.on("console", lambda message: visit.said.append(message.text))
        page.on("pageerror", lambda error: visit.said.append(str(error)))
        page.on("dialog", lambda dialog: (visit.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: visit.asked.append(request.url))
        page.route("**/*", lambda route: route.continue_() if route.request.url == path.as_uri() else route.abort())
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
