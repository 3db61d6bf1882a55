"""A lab from a stranger: whatever is in its texts and in what was captured, a sheet has it as text alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pypdf
import pytest
import sheets
from markdown_it import MarkdownIt
from sheets import block, section

from labspec.core.resource import Lab
from labspec.outputs.handout import render
from labspec.outputs.handout.page import policy

CORPUS = [
    "<script>alert('evil-1')</script>",
    "</script><script>alert('evil-2')</script>",
    "</style><style>*{background:url(//evil.example)}</style>",
    "<img src=x onerror=alert('evil-3')>",
    "<svg/onload=alert('evil-4')>",
    "<svg><script href=data:,alert('evil-5')></script></svg>",
    "<iframe srcdoc='<script>parent.evil=6</script>'></iframe>",
    "<a href=javascript:alert('evil-7')>x</a>",
    "[x](javascript:alert('evil-8'))",
    "[x](JaVaScRiPt&#58;alert('evil-9'))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:evil)",
    "[x](<java\tscript:alert('evil-10')>)",
    "[x](file:///etc/passwd)",
    "![x](javascript:alert('evil-11'))",
    "![x](https://evil.example/pixel.png)",
    "![x](//evil.example/pixel.png)",
    "![x](data:image/svg+xml,<svg onload=alert('evil-12')>)",
    "<https://evil.example/\"onmouseover=alert('evil-13')>",
    '[x](https://evil.example "\\" onclick=alert(14)")',
    '[x]: javascript:alert("evil-15")\n\n[x]',
    "<javascript:alert('evil-16')>",
    '" onmouseover="alert(17)" x="',
    "' autofocus onfocus='alert(18)",
    "<!--><script>alert('evil-19')</script>-->",
    "<![CDATA[<script>alert('evil-20')</script>]]>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example>",
    "<form action=https://evil.example><input name=x></form>",
    "<details open ontoggle=alert('evil-21')>",
    "</pre></code></samp></div></main><script>alert('evil-22')</script>",
    "```x onload=alert(23)\n<script>evil</script>\n```",
    "    <script>alert('evil-24')</script>",
    "{{ ''.__class__.__mro__ }} {% for x in range(9) %}evil{% endfor %} {# gone #}",
    "${{ vars.x }} $HOME ${HOME} `id`",
    "<x style='position:fixed' class=head id=sheet>",
    "| a | b |\n| --- | --- |\n| <script>evil</script> | [x](javascript:evil) |",
    "# <script>evil</script>",
    "\u202egnp.exe \ufeff",
    "&lt;script&gt;alert('evil-25')&lt;/script&gt;",
    "</details></summary><script>alert('evil-26')</script>",
]
ELEMENTS_OF_MARKDOWN = {
    "blockquote",
    "em",
    "s",
    "hr",
    "br",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "ul",
    "li",
    "p",
    "pre",
    "code",
}
LINK = re.compile(r"#[\w-]+|https?://|mailto:")


def words(text: str) -> dict[str, str]:
    return sheets.both(text, text)


def hostile(folder: Path, text: str) -> tuple[Lab, Any]:
    """Return a lab and captures with a text wherever a stranger can put one."""
    line = text.replace("\n", " ")
    recorded = {"host": words(line), "date": line, "why": words(line), "output": text}
    run = {"place": "host", "exit": [0]}
    sections = [
        section(
            "one",
            words(line),
            block("text", "text", title=words(line), text=words(text)),
            block("question", "question", title=words(line), text=words(text), answer_lines=1),
            block("hint", "hint", title=words(line), text=words(text)),
            block("solution", "solution", title=words(line), text=words(text), audience="teacher"),
            block("run", "run", title=words(line), command=text, prompt=line, **run),
            block("run", "words", command=["echo", text], **run),
            block("run", "recorded", command=text, recorded=recorded, **run),
            block("figure", "figure", title=words(line), figure="pixel.png", file="pixel.png", alt=words(line)),
            block("check", "check", check="web"),
        )
    ]
    check = {**sheets.CHECKS[0], "id": line, "title": words(line), "what": {"url": text, "status": {"equals": text}}}
    lab = sheets.lab_with(folder, sections, [check])
    lab.parts["handout"]["sections"][0]["blocks"][-1]["check"] = line
    about = {"title": words(line), "subtitle": words(line), "intro": words(text)}
    lab = lab._replace(parts={**lab.parts, "handout": {**lab.parts["handout"], **about}})
    output = sheets.capture(text, text, exit=3)
    return lab, sheets.captures(dict.fromkeys(("run", "words", "check"), output))


def parsed(html: bytes) -> Element:
    """Return the page as browsers read it. Raises where it is not valid."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    tree: Element = parser.parse(html.decode())
    return tree


def shapes(tree: Element) -> Iterator[tuple[str, str]]:
    """Yield each element with each of its attributes' names, and with ''."""
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield from ((element.tag, name) for name in ("", *element.attrib))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Return the elements and attributes of a page of harmless texts."""
    found: set[tuple[str, str]] = set()
    harmless = (
        "One *em* **b** `c` [l](https://a.example 't')\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```sh\nls\n```\n\n> q"
    )
    for edition in ("student", "teacher"):
        lab, captures = hostile(tmp_path_factory.mktemp("usual"), harmless)
        html = render(lab, captures, edition=edition, format="html", language="fr")
        found |= set(shapes(parsed(html)))
    return found | {(name, "") for name in ELEMENTS_OF_MARKDOWN}


@pytest.mark.parametrize("edition", ["student", "teacher"])
@pytest.mark.parametrize("text", CORPUS)
def test_nothing_of_a_stranger_is_markup(folder: Path, usual: set[tuple[str, str]], text: str, edition: str) -> None:
    lab, captures = hostile(folder, text)
    html = render(lab, captures, edition=edition, format="html", language="fr")
    tree = parsed(html)
    assert set(shapes(tree)) <= usual
    scripts, styles = list(tree.iter("script")), list(tree.iter("style"))
    assert (len(scripts), len(styles)) == (1, 1)
    assert "evil" not in f"{scripts[0].text}{styles[0].text}"
    [said] = [each.get("content") for each in tree.iter("meta") if each.get("http-equiv")]
    assert said == policy(styles[0].text or "", scripts[0].text or "")
    for element in tree.iter():
        assert LINK.match(element.get("href", "#x")) or element.tag == "link"
        assert element.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert not any(name.startswith("on") or name == "style" for name in element.attrib)


@pytest.mark.parametrize("text", CORPUS)
def test_markdown_has_no_html_but_its_own(folder: Path, text: str) -> None:
    lab, captures = hostile(folder, text)
    written = render(lab, captures, edition="teacher", format="md", language="en").decode()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(written)
    inner = [child for token in tokens for child in token.children or ()]
    html = [token.content for token in [*tokens, *inner] if token.type in ("html_block", "html_inline")]
    own = re.compile(r'<a id="s-[\w-]+">|</(a|p)>|</?(details|summary|sub|em|strong|code)>')
    left = [own.sub("", one) for one in html]
    assert not any("<" in one for one in left), left
    links = [str(token.attrs.get("href", "")) for token in inner if token.type == "link_open"]
    assert all(LINK.match(link) for link in links), links
    images = [str(token.attrs["src"]) for token in inner if token.type == "image"]
    assert set(images) <= {"pixel.png"}


def test_a_pdf_has_no_script_and_loads_nothing(folder: Path) -> None:
    everything = "\n\n".join(CORPUS)
    lab, captures = hostile(folder, everything)
    content = render(lab, captures, edition="teacher", format="pdf", language="fr")
    reader = pypdf.PdfReader(io.BytesIO(content))
    links = [
        annotation.get_object().get("/A", {}).get("/URI")
        for page in reader.pages
        for annotation in page.get("/Annots", [])
    ]
    assert links, "the corpus has links that may be"
    assert all(link is None or LINK.match(link) for link in links)
    assert not any(name in content for name in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile"))
    assert "evil-1" in "".join(page.extract_text() for page in reader.pages)


def test_what_is_written_is_what_is_read(folder: Path) -> None:
    text = CORPUS[0]
    lab, captures = hostile(folder, text)
    tree = parsed(render(lab, captures, edition="student", format="html", language="fr"))
    outputs = ["".join(element.itertext()) for element in tree.iter("samp")]
    assert outputs.count(text) >= 3
    commands = ["".join(element.itertext()) for element in tree.iter("code")]
    assert text in commands
