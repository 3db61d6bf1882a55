"""Which files decide an image: just those that its Dockerfile copies, as BuildKit finds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labspec.kinds.image.context import content_digest, select
from labspec.kinds.image.parse import Source, entitlements, instructions, outside_images, sources, stages
from labspec.kinds.image.patterns import NOTHING, Ignore

DOCKERFILE = r"""# escape=\
ARG SITE=site
FROM debian:$TAG AS Base
ARG SITE
ENV EXTRA="more files"
COPY --chown=1:1 $SITE/*.html \
  # a comment in between

  ${EXTRA} /web/
COPY ["a b", "/x"]
COPY --from=base /etc/passwd /p
COPY --from=ghcr.example/tool:1 /t /t
COPY <<EOF inline.txt /y
COPY not-copied /z
EOF
ADD https://example.org/x.tar git@example.org:x.git local.tar /add/
RUN --mount=type=bind,source=scripts,target=/s --mount=type=cache,target=/c --network=host sh /s/run
RUN <<-'END'
	COPY nor-this /z
	END
COPY $UNKNOWN /u
ONBUILD COPY later /later
FROM base
RUN --mount=from=other,target=/o true
"""


def test_what_a_dockerfile_takes() -> None:
    found = instructions(DOCKERFILE)
    assert [item.path for item in sources(found, {"SITE": "web"})] == [
        *["web/*.html", "more files", "a b", "inline.txt", "local.tar", "scripts", "."],
    ]
    assert [item.line for item in sources(found, {})][:3] == [6, 6, 10]
    assert list(outside_images(found, {})) == [(12, "ghcr.example/tool:1"), (24, "other")]
    assert list(outside_images(instructions("ARG TAG=a\nFROM debian:${TAG}\n"), {"TAG": "b"})) == [(2, "debian:b")]
    assert [(stage.image, stage.name) for stage in stages(found)] == [("debian:$TAG", "base"), ("base", "")]
    assert entitlements(found) == ["network.host"]


def test_another_escape_character() -> None:
    found = instructions("# escape=`\nFROM x\nCOPY a `\n  b /c\\\nUSER 1\n")
    assert [(item.keyword, item.words()) for item in found][1:] == [("COPY", ["a", "b", "/c\\"]), ("USER", ["1"])]


def picked(folder: Path, *paths: str, ignore: str = "") -> list[str]:
    rules = Ignore.of(ignore) if ignore else NOTHING
    return [name for name, _ in select(str(folder), [Source(1, path) for path in paths], rules).files]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "c.log", "web/index.html", "web/css/x.css", "web/css/y.log", "[odd]/f"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "web" / "empty").mkdir()
    return tmp_path


def test_paths_and_patterns(tree: Path) -> None:
    assert picked(tree, "a.txt") == ["a.txt"]
    assert picked(tree, "/../web/./css") == ["web/css/x.css", "web/css/y.log"]
    assert picked(tree, "*.txt", "a.*") == ["a.txt", "b.txt"]
    assert picked(tree, "[^a].txt", "?.log") == ["b.txt", "c.log"]
    assert picked(tree, "w*/c??/*.css") == ["web/css/x.css"]
    assert picked(tree, "web") == ["web/css/x.css", "web/css/y.log", "web/empty/", "web/index.html"]
    assert picked(tree, "\\[odd]/*", "[") == ["[odd]/f"]
    assert len(picked(tree, ".")) == 8


def test_missing_sources_are_told(tree: Path) -> None:
    wanted = [Source(3, "none"), Source(4, "*.none"), Source(5, "a.txt"), Source(6, "a.txt"), Source(7, "*.log")]
    assert select(str(tree), wanted, Ignore.of("*.log")).missing == (wanted[0], wanted[1], wanted[4])


def test_ignored_files(tree: Path) -> None:
    assert picked(tree, ".", ignore="# all logs\n**/*.log\nweb\n!web/css\n/[[]odd]\n") == [
        *["a.txt", "b.txt", "web/css/x.css", "web/css/y.log"],
    ]
    assert picked(tree, "web", ignore="web/css/\nweb/em*") == ["web/index.html"]
    assert picked(tree, ".", ignore="*\n!*.txt\n") == ["a.txt", "b.txt"]
    assert picked(tree, "web", ignore="**/css\n!**/x.css\n**/empty") == ["web/css/x.css", "web/index.html"]


def test_links_stay_inside(tree: Path) -> None:
    (tree / "link").symlink_to("web/css")
    (tree / "web" / "up").symlink_to("../a.txt")
    (tree / "out").symlink_to("/etc/passwd")
    (tree / "round").symlink_to("round")
    assert picked(tree, "link/x.css") == ["link", "web/css/x.css"]
    assert picked(tree, "web/up") == ["a.txt", "web/up"]
    assert "web/up" in picked(tree, "web")
    assert picked(tree, "out") == ["out"]
    assert [source.path for source in select(str(tree), [Source(1, "out"), Source(1, "round")]).missing] == [
        "out",
        "round",
    ]


def test_a_pipe_does_not_hang_it(tree: Path) -> None:
    os.mkfifo(tree / "web" / "pipe")
    assert "web/pipe" not in picked(tree, "web")


def test_what_changes_the_digest(tree: Path) -> None:
    def digest_now() -> str:
        return content_digest(select(str(tree), [Source(1, "web")]).files)

    known = [digest_now()]

    def changed() -> bool:
        known.append(digest_now())
        return known[-1] != known[-2]

    page = tree / "web" / "index.html"
    os.utime(page, (1, 1))
    (tree / "a.txt").write_text("other")
    page.chmod(0o600)
    assert not changed()
    page.chmod(0o755)
    assert changed()
    page.write_text("more")
    assert changed()
    page.rename(tree / "web" / "home.html")
    assert changed()
    (tree / "web" / "link").symlink_to("one")
    assert changed()
    (tree / "web" / "link").unlink()
    (tree / "web" / "link").symlink_to("two")
    assert changed()
    (tree / "web" / "void").mkdir()
    assert changed()
