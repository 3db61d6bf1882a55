"""Steps as a Dockerfile: what it says, and that no value can add, hide or change an instruction."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from labspec.kinds.image.dockerfile import dockerfile_text, label_instruction
from labspec.kinds.image.model import Image

STEPS = [
    {"arg": {"LISTEN": "8888", "DEBUG": None}},
    {"arg": "LATER"},
    {"env": {"PORT": "${LISTEN}", "QUOTED": 'a "b" \\ c', "DOLLAR": "\\$5", "ON": True}},
    {"run": "apt-get update"},
    {"run": ["/bin/echo", "a b"]},
    {"run": "set -e\necho $HOME\n"},
    {"run": "cat <<EOF\nhello\nEOF\n"},
    {"run": {"cmd": "make", "network": "none", "mount": [{"type": "cache", "target": "/root/.cache"}]}},
    {"workdir": "/my folder"},
    {"copy": {"src": "test.html", "dest": "/web"}},
    {"copy": {"src": ["a b", "c*.txt"], "dest": "/web/", "chown": "1:1", "chmod": "0644", "link": True}},
    {"add": {"src": "https://example.org/x.tar", "dest": "/x/", "checksum": "sha256:abc"}},
    {"expose": [80, "53/udp", "$PORT"]},
    {"volume": ["/data", "/my data"]},
    {"label": {"a.b/c": 1}},
    {"shell": ["/bin/bash", "-c"]},
    {"onbuild": {"run": "one\ntwo"}},
    {"onbuild": {"copy": {"src": ".", "dest": "/src"}}},
    {"stopsignal": "SIGTERM"},
    {"comment": "two\nlines\\"},
    {"user": "nagini:nagini"},
    {"healthcheck": {"cmd": ["true"], "interval": "1m30s", "start_period": "5s", "retries": 3}},
    {"entrypoint": "exec httpd -p $PORT"},
    {"cmd": ["-f"]},
    {"from": {"image": "base", "as": "tool", "platform": "linux/amd64"}},
    {"copy": {"from": "first", "src": "/a", "dest": "/a"}},
    {"copy": {"from": "other", "src": "/b", "dest": "/b"}},
    {"from": "tool"},
    {"healthcheck": "none"},
]

TEXT = r"""FROM debian AS first
ARG LISTEN="8888" DEBUG
ARG LATER
ENV PORT="${LISTEN}" QUOTED="a \"b\" \\ c" DOLLAR="\$5" ON="true"
RUN apt-get update
RUN ["/bin/echo", "a b"]
RUN <<EOF
set -e
echo $HOME
EOF
RUN cat <<EOF
hello
EOF
RUN --mount=type=cache,target=/root/.cache --network=none make
WORKDIR /my folder
COPY test.html /web
COPY --chown=1:1 --chmod=0644 --link ["a b", "c*.txt", "/web/"]
ADD --checksum=sha256:abc https://example.org/x.tar /x/
EXPOSE 80 53/udp $PORT
VOLUME ["/data", "/my data"]
LABEL "a.b/c"="1"
SHELL ["/bin/bash", "-c"]
ONBUILD RUN ["/bin/bash", "-c", "one\ntwo"]
ONBUILD COPY . /src
STOPSIGNAL SIGTERM
# two
# lines\
USER nagini:nagini
HEALTHCHECK --interval=1m30s --start-period=5s --retries=3 CMD ["true"]
ENTRYPOINT exec httpd -p $PORT
CMD ["-f"]

FROM --platform=linux/amd64 lab/base:latest AS tool
COPY --from=first /a /a
COPY --from=lab/other:latest /b /b

FROM tool
HEALTHCHECK NONE
"""


def resolve(name: str) -> str:
    return f"lab/{name}:latest" if name in ("base", "other") else name


def test_every_instruction() -> None:
    base = {"image": "debian", "as": "first"}
    Image.model_validate({"from": base, "steps": STEPS}, strict=True)
    assert dockerfile_text(base, STEPS, resolve) == TEXT


@pytest.mark.parametrize("step", [{"user": "a\nUSER b"}, {"user": "a\\"}, {"env": {"A": "\n"}}, {"run": "a\x00\nb"}])
def test_text_that_fits_no_instruction_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"control character|backslash"):
        dockerfile_text("x", [step])


def test_labels_are_taken_as_they_are() -> None:
    assert label_instruction({"b": '"$X\\', "a": "1"}) == r'LABEL "a"="1" "b"="\"\$X\\"'


NASTY = [
    *["\\", '"', "'", "$", "${X}", "$X", "`", "#", " ", "\t", "\n", "\r", "\x00", "\u2028", "[", "]", ",", "--", "é"],
    *[
        "<<EOF",
        "<<",
        "<<-EOF",
        "3<<E",
        "<<'EOF'",
        "EOF",
        "EOF1",
        "\nEOF\n",
        "\nUSER 99\n",
        "USER 99",
        "# escape=`",
        "x",
    ],
]
values = st.lists(st.sampled_from(NASTY), max_size=8).map("".join)
lists = st.lists(values, min_size=1, max_size=3)
plain_steps = st.one_of(
    st.fixed_dictionaries({"env": st.dictionaries(st.sampled_from("AB"), values, min_size=1)}),
    st.fixed_dictionaries({"label": st.dictionaries(st.sampled_from("AB"), values, min_size=1)}),
    st.fixed_dictionaries({"arg": st.dictionaries(st.sampled_from("AB"), values, min_size=1)}),
    st.fixed_dictionaries({"run": values | lists}),
    st.fixed_dictionaries({"run": st.fixed_dictionaries({"cmd": values | lists, "network": st.just("none")})}),
    st.fixed_dictionaries({"copy": st.fixed_dictionaries({"src": values | lists, "dest": values})}),
    st.fixed_dictionaries({"cmd": values | lists}),
    st.fixed_dictionaries({"entrypoint": values | lists}),
    st.fixed_dictionaries({"healthcheck": st.fixed_dictionaries({"cmd": values | lists, "retries": st.just(1)})}),
    st.fixed_dictionaries({"user": values}),
    st.fixed_dictionaries({"workdir": values}),
    st.fixed_dictionaries({"stopsignal": values}),
    st.fixed_dictionaries({"volume": values | lists}),
    st.fixed_dictionaries({"expose": values}),
    st.fixed_dictionaries({"shell": lists}),
)
steps = plain_steps | st.fixed_dictionaries({"onbuild": plain_steps}) | st.fixed_dictionaries({"comment": values})


@given(st.lists(steps, max_size=12))
def test_steps_of_good_form_are_just_their_instructions(candidates: list[dict[str, Any]]) -> None:
    chosen = [step for step in candidates if is_good(step)]
    assert keywords(dockerfile_text("x", chosen)) == ["FROM", *expected(chosen)]


@given(steps)
def test_unchecked_text_is_refused_or_one_instruction(step: dict[str, Any]) -> None:
    assume(not {"copy", "onbuild"} & set(step))  # their words are checked by the model
    try:
        text = dockerfile_text("x", [step, {"user": "7"}])
    except ValueError:
        return
    assert keywords(text) == ["FROM", *expected([step]), "USER"]


@given(values.filter(lambda value: value.isprintable() and "$" not in value))
def test_values_of_the_environment_survive(value: str) -> None:
    line = dockerfile_text("x", [{"env": {"A": value}}]).splitlines()[1]
    assert unquoted(line.removeprefix("ENV A=")) == value


def is_good(step: dict[str, Any]) -> bool:
    try:
        Image.model_validate({"from": "x", "steps": [step]}, strict=True)
    except ValidationError:
        return False
    return True


def expected(chosen: list[dict[str, Any]]) -> list[str]:
    """Return the keywords that steps stand for."""
    found = []
    for step in chosen:
        ((keyword, value),) = step.items()
        if keyword == "onbuild":
            found += ["ONBUILD"] * len(expected([value]))
        elif keyword in ("env", "label", "arg"):
            found += [keyword.upper()] * bool(value)
        elif keyword != "comment":
            found.append(keyword.upper())
    return found


def keywords(text: str) -> list[str]:
    """Return the keywords of a Dockerfile's instructions, cut up as BuildKit's parser does it (parser.Parse)."""
    lines = text.split("\n")
    assert not re.match(r"#\s*\w+\s*=", lines[0]), "a parser directive"
    found = []
    while lines:
        line = lines.pop(0).strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        while re.search(r"([^\\])\\[ \t]*$|^\\[ \t]*$", line):
            following = lines.pop(0)
            line = re.sub(r"\\[ \t]*$", "", line) + ("" if following.strip().startswith("#") else following)
        keyword, _, rest = line.partition(" ")
        found.append(keyword)
        inner = rest.lstrip().partition(" ") if keyword == "ONBUILD" else (keyword, "", rest)
        arguments = re.sub(r"^(--[a-z-]+(=\S*)?\s+)*", "", inner[2])
        if inner[0] in ("RUN", "COPY", "ADD") and not arguments.startswith("["):
            for word in words(rest):
                heredoc = re.fullmatch(r"\d*<<(-?)([^<]*)", word)
                if heredoc and heredoc[2]:
                    end = heredoc[2].strip("\"'")
                    while (lines.pop(0).lstrip("\t") if heredoc[1] else lines.pop(0)) != end:
                        pass
    return found


def words(line: str) -> list[str]:
    """Return the words of a line, cut at blanks outside of quotes, the quotes kept; none where one is not closed."""
    word = r"""(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+"""
    return re.findall(word, line) if re.fullmatch(rf"(?:{word}|\s)*+", line) else []


def unquoted(text: str) -> str:
    assert re.fullmatch(r'"(\\.|[^"\\])*"', text), text
    return re.sub(r"\\(.)", r"\1", text[1:-1])
