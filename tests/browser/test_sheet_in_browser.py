"""A reader opens hints, copies commands, changes the theme, and comes everywhere by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import sheets
from playwright.sync_api import Page, expect
from sheets import block, section
from visits import Open, Visit

from labspec.outputs.handout import render

CONTRAST = (Path(__file__).parent / "contrast.js").read_text().partition("\n")[2].rstrip().rstrip(";")
EDITIONS = ("student", "teacher")
THEMES = ("light", "dark")
HINT = "#b-why-hint"


@pytest.fixture(autouse=True)
def quiet(visit: Visit) -> Iterator[None]:
    """Fail where a page said or asked for something."""
    yield
    assert visit.said == []
    assert [url for url in visit.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in visit.asked if url.startswith("file:")]) >= 1


def expect_ground(page: Page, colour: str) -> None:
    expect(page.locator("html")).to_have_css("background-color", colour)


def test_a_hint_opens_by_mouse_and_by_keyboard(opened: Open) -> None:
    page = opened()
    words = page.locator(f"{HINT} .prose")
    expect(words).to_be_hidden()
    page.locator(f"{HINT} summary").click()
    expect(words).to_be_visible()
    page.locator(f"{HINT} summary").press("Enter")
    expect(words).to_be_hidden()


def test_a_link_into_a_hint_opens_it(opened: Open) -> None:
    page = opened()
    page.evaluate(f"location.hash = '{HINT}'")
    expect(page.locator(f"{HINT} .prose")).to_be_visible()


def test_a_command_is_copied_without_prompt_and_line_end(opened: Open) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("#b-member button.copy")
    button.click()
    assert page.evaluate("navigator.clipboard.readText()") == "usermod -aG docker vagrant\nsu - vagrant"
    expect(page.locator(".spoken")).to_have_text("Copié")
    expect(button).to_have_text("Copié")
    expect(button).to_be_focused()
    page.locator("#b-dockerfile button.copy").press("Enter")
    assert str(page.evaluate("navigator.clipboard.readText()")).startswith("FROM debian:latest\nARG ")


def test_a_command_is_copied_where_there_is_no_clipboard(opened: Open) -> None:
    page = opened(permissions=["clipboard-read"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("#b-ps button.copy").click()
    expect(page.locator(".spoken")).to_have_text("Copié")


@pytest.mark.parametrize("system", THEMES)
def test_the_theme_is_the_systems_until_another_is_chosen(opened: Open, system: str) -> None:
    page = opened(color_scheme=system)
    button = page.locator("button.theme")
    grounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}
    other = THEMES[1 - THEMES.index(system)]
    expect_ground(page, grounds[system])
    expect(button).to_have_attribute("aria-pressed", str(system == "dark").lower())
    button.click()
    expect_ground(page, grounds[other])
    expect(button).to_have_attribute("aria-pressed", str(other == "dark").lower())
    page.reload()
    expect_ground(page, grounds[other])
    button.click()
    expect_ground(page, grounds[system])


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_keyboard_comes_everywhere_in_order_and_is_seen(opened: Open, edition: str) -> None:
    page = opened(edition, viewport={"width": 1280, "height": 900})
    wanted = page.locator("a[href], button, summary, [tabindex='0']").evaluate_all(
        "all => all.filter(each => each.checkVisibility() && getComputedStyle(each).pointerEvents !== 'none').length"
    )
    places = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        places.append(
            page.evaluate(
                """() => {
                  const now = document.activeElement;
                  const order = [...document.querySelectorAll("*")].indexOf(now);
                  const style = getComputedStyle(now);
                  return [order, now.className, style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
        )
    assert places[0][1] == "skip"
    assert places[1][1] == "theme"
    assert all(before[0] < after[0] for before, after in pairwise(places))
    assert all(style == "solid" and width >= 2 for _, name, style, width in places), places


def test_the_first_key_leads_past_the_contents(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("edition", EDITIONS)
def test_nothing_is_wider_than_the_window(opened: Open, edition: str, width: int) -> None:
    page = opened(edition, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    output = page.locator("#b-ps pre")
    assert output.evaluate("each => each.scrollWidth > each.clientWidth"), "the sample has a wide output"
    expect(output).to_have_attribute("tabindex", "0")
    expect(output).to_have_attribute("aria-label", "Sortie")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_text_has_contrast(opened: Open, edition: str, theme: str) -> None:
    page = opened(edition, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    seen = page.evaluate(CONTRAST)
    assert seen["found"] == []
    assert seen["looked"] > 200


def test_a_long_output_is_cut_until_all_is_asked_for(opened: Open) -> None:
    page = opened()
    button = page.locator("#b-inspect button.all")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert page.locator("#b-inspect .cut pre").evaluate("each => each.clientHeight < each.scrollHeight / 2")
    expect(button).to_have_text(re.compile(r"Afficher les 4\d"))
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#b-inspect .cut")).to_have_count(0)
    button.click()
    expect(page.locator("#b-inspect .cut")).to_have_count(1)


def test_the_contents_say_what_is_being_read(opened: Open) -> None:
    page = opened(viewport={"width": 1280, "height": 700})
    current = page.locator("nav.contents [aria-current=location]")
    expect(current).to_have_attribute("href", "#s-docker")
    page.locator("#s-isolation").evaluate("each => each.scrollIntoView({behavior: 'instant'})")
    expect(current).to_have_attribute("href", "#s-isolation")
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    expect(current).to_have_attribute("href", "#s-image")
    assert page.locator("nav.contents").evaluate("each => each.getBoundingClientRect().top >= 0")


def test_on_a_narrow_screen_the_contents_are_folded(opened: Open) -> None:
    page = opened(viewport={"width": 360, "height": 800})
    expect(page.locator("nav.contents ol")).to_be_hidden()
    page.locator("nav.contents summary").click()
    page.locator("nav.contents a").last.click()
    expect(page.locator("nav.contents ol")).to_be_hidden()
    expect(page.locator("#s-image h2")).to_be_in_viewport()


def test_print_has_all_and_no_buttons(opened: Open) -> None:
    page = opened(color_scheme="dark")
    page.locator("button.theme").click()
    page.locator("button.theme").click()
    page.emulate_media(media="print")
    expect_ground(page, "rgb(255, 255, 255)")
    assert page.locator("button").evaluate_all("all => all.some(each => each.checkVisibility())") is False
    for place in (f"{HINT} .prose", "#b-why .answer i:nth-child(4)", "#b-inspect .output"):
        box = page.locator(place).first.bounding_box()
        assert box is not None, place
        assert box["height"] > 8, place
    whole = page.locator("#b-inspect pre").first
    assert whole.evaluate("each => each.scrollHeight <= each.clientHeight + 1")
    assert whole.evaluate("each => each.scrollWidth <= each.clientWidth + 1")


def test_without_scripts_all_is_there(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    expect(page.locator("#b-inspect samp").first).to_contain_text("io.labspec.number29")
    assert page.locator("button:visible").count() == 0
    page.locator(f"{HINT} summary").click()
    expect(page.locator(f"{HINT} .prose")).to_be_visible()


def test_the_policy_stops_what_is_not_the_sheets_own(opened: Open, visit: Visit) -> None:
    page = opened()
    page.evaluate(
        """() => {
          window.stopped = [];
          const note = (event) => window.stopped.push(event.violatedDirective);
          document.addEventListener("securitypolicyviolation", note);
          const script = document.createElement("script");
          script.textContent = "window.evil = 1";
          const picture = document.createElement("img");
          picture.src = "https://evil.example/x.png";
          picture.setAttribute("onerror", "window.evil = 2");
          const style = document.createElement("style");
          style.textContent = "body { display: none }";
          document.body.append(script, picture, style);
        }"""
    )
    page.wait_for_function("window.stopped.length >= 3")
    assert page.evaluate("window.evil") is None
    assert {"script-src-elem", "img-src", "style-src-elem"} <= set(page.evaluate("window.stopped"))
    visit.said.clear()
    visit.asked[:] = [url for url in visit.asked if "evil" not in url]


def test_a_stranger_gets_nothing_to_run(opened: Open, tmp_path: Path, visit: Visit) -> None:
    evil = (
        "<script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)></svg>"
        "</script></style></pre><iframe srcdoc='<script>alert(4)</script>'></iframe> [x](javascript:alert(5))"
        " ![x](https://evil.example/x.png) <a href='javascript:alert(6)' autofocus onfocus=alert(7)>y</a>"
    )
    run = block("run", "run", command=evil, title=evil, place="host", exit=[0])
    texts = [block("text", "text", text=f"{evil}\n\n{evil}"), block("hint", "hint", title=evil, text=evil)]
    lab = sheets.lab_with(tmp_path, [section("one", evil, run, *texts)])
    captures = sheets.captures({"run": sheets.capture(evil, evil)})
    file = tmp_path / "evil.html"
    file.write_bytes(render(lab, captures, edition="student", format="html", language="en"))
    page = opened(file)
    page.locator("summary").last.click()
    for link in page.locator("main a").all():
        assert str(link.get_attribute("href")).startswith("https://")
    assert page.locator("img, iframe, svg:not([aria-hidden])").count() == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert visit.said == []
