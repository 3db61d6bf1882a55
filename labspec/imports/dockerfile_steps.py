"""One instruction of a Dockerfile as a step of a spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from labspec.imports.dockerfile_run import CannotError, Step, is_script, ordered, refuse_flags, run_of
from labspec.kinds.image.parse import Instruction, instructions
from labspec.kinds.image.words import listed, plain, split

_COPY_ORDER = (
    *("src", "content", "expand", "dest", "from", "chown", "chmod", "link", "parents", "exclude"),
    *("checksum", "keep_git_dir"),
)
_COPY_WORDS = ("from", "chown", "chmod", "checksum")
_COPY_SWITCHES = ("link", "parents", "keep-git-dir")
_COPY_FLAGS = ("from", "chown", "chmod", "link", "parents", "exclude")
_ADD_FLAGS = ("chown", "chmod", "checksum", "keep-git-dir", "link", "exclude")
_COMMAND = ("cmd", "script")
_HEALTH = ("interval", "timeout", "start-period", "start-interval", "retries")


def step_of(item: Instruction, lines: Sequence[str], escape: str) -> Step:
    """Return the step for an instruction; `lines` are the lines that it stands on. Raises CannotError."""
    name = item.keyword.lower()
    return {name: _READ[item.keyword](item, lines, escape)}


def stage_of(item: Instruction) -> str | Step:
    """Return what `from` says for a FROM. Raises CannotError."""
    words = item.rest.split()
    stage: Step = {"image": unquoted(words[0])}
    if len(words) == 3 and words[1].upper() == "AS":
        stage["as"] = words[2].lower()
    elif len(words) != 1:
        raise CannotError("FROM takes an image, and AS with a name")
    refuse_flags(item, ("platform",))
    if item.flag("platform"):
        stage["platform"] = item.flag("platform")
    return str(stage["image"]) if len(stage) == 1 else stage


def escaped(value: Any) -> Any:
    """Return a value whose text is none of labspec's lookups."""
    if isinstance(value, str):
        return value.replace("${{", "$${{")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def _command(item: Instruction, _lines: Sequence[str], _escape: str) -> Any:
    refuse_flags(item, ())
    found = listed(item.rest)
    return item.rest if found is None else found


def _text(item: Instruction, _lines: Sequence[str], escape: str) -> str:
    refuse_flags(item, ())
    text = _default_escape(item.rest, escape)
    # At the end of a line two backslashes are one for Docker, and so they are in quotes, where a spec may have them.
    return f'"{text}"' if escape != "\\" and text.endswith("\\") and '"' not in text else text


def _default_escape(text: str, escape: str) -> str:
    r"""Return text of a Dockerfile that escapes with another character, as it is written with \."""
    if escape == "\\":
        return text
    return text.replace("\\", "\\\\").replace(escape, "\\")


def _copy(item: Instruction, _lines: Sequence[str], escape: str) -> Step:
    refuse_flags(item, _COPY_FLAGS if item.keyword == "COPY" else _ADD_FLAGS)
    as_list = listed(item.rest)
    words = [_path(word, escape) for word in item.rest.split()] if as_list is None else as_list
    if len(words) < 2:
        raise CannotError(f"{item.keyword} takes what to copy, and where to")
    *sources, dest = words
    made: Step = {}
    files = {doc.name: doc for doc in item.heredocs} if as_list is None else {}
    if files:
        sources = [word for word in sources if not re.match(r"[0-9]*<<", word)]
        expands = [name for name, doc in files.items() if doc.expand]
        texts = {name: doc.content for name, doc in files.items()}
        folder = dest.endswith("/") or len(texts) + len(sources) > 1
        made["content"] = texts if folder else next(iter(texts.values()))
        if len(expands) < len(files):
            made["expand"] = expands or False
    if sources:
        made = {"src": sources[0] if len(sources) == 1 else sources, **made}
    made["dest"] = dest
    made |= {name: value for name in _COPY_WORDS if (value := item.flag(name)) is not None}
    exclude = [value for name, value in item.flags if name == "exclude"]
    switches = {name.replace("-", "_"): True for name in _COPY_SWITCHES if item.flag(name) in ("", "true")}
    return ordered({**made, **switches, **({"exclude": exclude} if exclude else {})}, _COPY_ORDER)


def _path(word: str, escape: str) -> str:
    """Return a word of COPY without quotes, where these only stand around plain text."""
    bare = unquoted(word)
    return bare if bare != word else _default_escape(word, escape)


def unquoted(word: str) -> str:
    """Return a word without the quotes around it, where these only stand around plain text and variables."""
    quoted = re.fullmatch(r"""(["'])([^"'$\\`]*)\1|"([^"'\\`]*)\"""", word)
    return quoted[2] or quoted[3] or "" if quoted else word


def _pairs(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    """Return the names and values of ENV and LABEL, in both of their forms."""
    refuse_flags(item, ())
    words = split(item.rest, escape)
    if "=" not in (words or item.rest.split())[0]:
        first, *behind = re.split(r"\s+", item.rest, maxsplit=1)
        if not behind:
            raise CannotError(f"{item.keyword} takes a name and a value")
        return {_name(first, escape): _value(behind[0], escape)}
    found: list[tuple[str, str]] = []
    for word in words or _unbalanced(item):
        name, equals, value = word.partition("=")
        if not equals:
            raise CannotError(f"'{word}' in {item.keyword} has no value", f"write {word}=VALUE")
        found.append((_name(name, escape), _value(value, escape)))
    return in_mappings(found)


def in_mappings(pairs: Iterable[tuple[str, Any]]) -> Any:
    """Return names and values as a mapping, or a list of several where a name comes again."""
    found: list[Step] = [{}]
    for name, value in pairs:
        if name in found[-1]:
            found.append({})
        found[-1][name] = value
    return found[0] if len(found) == 1 else found


def _unbalanced(item: Instruction) -> list[str]:
    raise CannotError(f"a quote in {item.keyword} is not closed")


def _name(word: str, escape: str) -> str:
    found = plain(word, escape)
    if not found:
        raise CannotError(f"{word!r} is no name")
    return found


def _value(word: str, escape: str) -> str:
    found = plain(word, escape)
    if found is None:
        hint = "between braces, write no quotes and no backslashes, and close them"
        raise CannotError(f"a spec cannot say {word}", hint)
    return found


def _arg(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    refuse_flags(item, ())
    return arguments(argument_pairs(item, escape))


def argument_pairs(item: Instruction, escape: str) -> list[tuple[str, str | None]]:
    """Return the names that an ARG declares, with their defaults. Raises CannotError."""
    parts = (word.partition("=") for word in split(item.rest, escape) or _unbalanced(item))
    return [(_name(name, escape), _value(value, escape) if equals else None) for name, equals, value in parts]


def arguments(pairs: Sequence[tuple[str, str | None]]) -> Any:
    """Return arguments with their defaults as a spec has them: one name, a list of names, a mapping."""
    if any(value is not None for _, value in pairs):
        return in_mappings(pairs)
    return pairs[0][0] if len(pairs) == 1 else [name for name, _ in pairs]


def _words(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    refuse_flags(item, ())
    as_list = listed(item.rest)
    found = [_path(word, escape) for word in item.rest.split()] if as_list is None else as_list
    return found[0] if len(found) == 1 else found


def _ports(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    # Docker leaves out the port of the host, which EXPOSE cannot set.
    found = [re.sub(r"^([0-9.]*:)+(?=[0-9])", "", _path(word, escape)) for word in item.rest.split()]
    ports = [int(port) if re.fullmatch(r"0|[1-9][0-9]*", port) else port for port in found]
    return ports[0] if len(ports) == 1 else ports


def _shell(item: Instruction, _lines: Sequence[str], _escape: str) -> list[str]:
    found = listed(item.rest)
    if not found:
        raise CannotError('SHELL takes a list in JSON: SHELL ["/bin/bash", "-c"]')
    return found


def _healthcheck(item: Instruction, lines: Sequence[str], escape: str) -> Any:
    refuse_flags(item, _HEALTH)
    kind, rest = _first_word(item.rest)
    if kind.upper() == "NONE":
        return "none"
    if kind.upper() != "CMD" or not rest:
        raise CannotError("HEALTHCHECK takes CMD and a command, or NONE")
    command = _command(Instruction(item.line, "CMD", (), rest), lines, escape)
    options = {name.replace("-", "_"): value for name in _HEALTH if (value := item.flag(name))}
    retries = options.pop("retries", None)
    if retries is None:
        return {"cmd": command, **options}
    if not re.fullmatch(r"[0-9]+", retries):
        raise CannotError(f"--retries={retries} is no number")
    return {"cmd": command, **options, "retries": int(retries)}


def _first_word(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1)
    return first, rest[0] if rest else ""


def _onbuild(item: Instruction, lines: Sequence[str], escape: str) -> Step:
    (inner,) = instructions(item.rest) or (None,)
    if inner is None or inner.keyword not in _READ or inner.keyword in ("ONBUILD", "MAINTAINER"):
        raise CannotError("ONBUILD takes an instruction")
    whole = Instruction(item.line, inner.keyword, inner.flags, inner.rest, item.end, item.heredocs)
    found = _READ[inner.keyword](whole, lines, escape)
    if inner.keyword == "RUN" and is_script(whole, escape):
        options = found if isinstance(found, dict) else {}
        found = {"script": item.heredocs[0].content, **{key: options[key] for key in options if key not in _COMMAND}}
    return {inner.keyword.lower(): found}


_READ: Mapping[str, Callable[[Instruction, Sequence[str], str], Any]] = {
    "ARG": _arg,
    "ENV": _pairs,
    "LABEL": _pairs,
    "RUN": run_of,
    "COPY": _copy,
    "ADD": _copy,
    "EXPOSE": _ports,
    "VOLUME": _words,
    "CMD": _command,
    "ENTRYPOINT": _command,
    "SHELL": _shell,
    "HEALTHCHECK": _healthcheck,
    "ONBUILD": _onbuild,
    "WORKDIR": _text,
    "USER": _text,
    "STOPSIGNAL": _text,
    "MAINTAINER": _text,
}
