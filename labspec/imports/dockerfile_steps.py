"""One instruction of a Dockerfile as a step of a spec."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labspec.kinds.image.parse import Instruction, instructions
from labspec.kinds.image.words import plain, split

Step = dict[str, Any]

_MOUNT_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_MOUNT_SWITCHES = ("readonly", "readwrite", "required")
_MOUNT_ORDER = (
    *("type", "target", "source", "from", "id", "env", "sharing", "readwrite", "readonly", "required"),
    *("size", "mode", "uid", "gid"),
)
_MOUNT_NUMBERS = ("uid", "gid")
_COPY_ORDER = (
    *("src", "content", "expand", "dest", "from", "chown", "chmod", "link", "parents", "exclude"),
    *("checksum", "keep_git_dir"),
)
_COPY_WORDS = ("from", "chown", "chmod", "checksum")
_COPY_SWITCHES = ("link", "parents", "keep-git-dir")
_HEALTH = ("interval", "timeout", "start-period", "start-interval", "retries")


class CannotError(Exception):
    """An instruction that no step can say, or that BuildKit refuses."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def step_of(item: Instruction, lines: Sequence[str], escape: str) -> Step:
    """Return the step for an instruction; `lines` are the lines that it stands on. Raises CannotError."""
    name = item.keyword.lower()
    return {name: _READ[item.keyword](item, lines, escape)}


def stage_of(item: Instruction) -> str | Step:
    """Return what `from` says for a FROM. Raises CannotError."""
    words = item.rest.split()
    stage: Step = {"image": words[0]}
    if len(words) == 3 and words[1].upper() == "AS":
        stage["as"] = words[2].lower()
    elif len(words) != 1:
        raise CannotError("FROM takes an image, and AS with a name")
    _flags(item, ("platform",))
    if item.flag("platform"):
        stage["platform"] = item.flag("platform")
    return words[0] if len(stage) == 1 else stage


def escaped(value: Any) -> Any:
    """Return a value whose text is none of labspec's lookups."""
    if isinstance(value, str):
        return value.replace("${{", "$${{")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def _flags(item: Instruction, known: Sequence[str]) -> None:
    for flag, _ in item.flags:
        if flag not in known:
            raise CannotError(f"a spec has no word for {item.keyword} --{flag}")


def _listed(item: Instruction) -> list[str] | None:
    """Return the words of the JSON form; None for the other one."""
    try:
        found = json.loads(item.rest)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def _command(item: Instruction, _lines: Sequence[str], _escape: str) -> Any:
    _flags(item, ())
    listed = _listed(item)
    return item.rest if listed is None else listed


def _text(item: Instruction, _lines: Sequence[str], escape: str) -> str:
    _flags(item, ())
    return _default_escape(item.rest, escape)


def _default_escape(text: str, escape: str) -> str:
    r"""Return text of a Dockerfile that escapes with another character, as it is written with \."""
    if escape == "\\":
        return text
    return text.replace("\\", "\\\\").replace(escape, "\\")


def _run(item: Instruction, lines: Sequence[str], escape: str) -> Any:
    _flags(item, ("mount", "network", "security"))
    options: Step = {key: value for key in ("network", "security") if (value := item.flag(key))}
    mounts = [_mount(value) for name, value in item.flags if name == "mount"]
    if mounts:
        options["mount"] = mounts
    listed = _listed(item)
    command = _script(item, lines, escape) if listed is None else listed
    return {"cmd": command, **_ordered(options, ("mount", "network", "security"))} if options else command


def _script(item: Instruction, lines: Sequence[str], escape: str) -> str:
    """Return the text behind RUN as it is written, over several lines where it is."""
    if len(item.heredocs) == 1 and split(item.rest, escape) == [item.rest] and item.heredocs[0].content.strip():
        script = item.heredocs[0].content
        if not script.startswith("\n"):
            return script
    written = [*_behind_keyword(lines, escape)]
    if escape != "\\":
        written = [re.sub(rf"{re.escape(escape)}[ \t]*$", r"\\", line) for line in written]
    written = [re.sub(r"\\[ \t]+$", r"\\", line) for line in written]
    text = "\n".join(written).rstrip("\n")
    same = instructions(f"RUN {text}\nUSER x")
    if len(same) == 2 and (same[0].rest, same[0].flags) == (item.rest, ()) and not text[:1].isspace():
        return text
    if item.heredocs:
        return "\n".join([item.rest, *(f"{doc.content}{doc.name}" for doc in item.heredocs)])
    return item.rest


def _behind_keyword(lines: Sequence[str], escape: str) -> list[str]:
    """Return the lines of an instruction without its keyword and flags."""
    head = re.compile(r"\s*(?:ONBUILD\s+)?RUN(?:\s+|$)", re.IGNORECASE)
    found = [head.sub("", lines[0], count=1), *lines[1:]]
    while found:
        flag = re.match(r"--[a-z-]+(?:=\S*)?(?:\s+|$)", found[0])
        rest = found[0][flag.end() :] if flag else found[0]
        if flag:
            found[0] = rest
        elif rest.strip() in (escape, "") or rest.lstrip().startswith("#"):
            found = [found[1].lstrip() if len(found) > 1 else "", *found[2:]] if len(found) > 1 else []
        else:
            found[0] = rest.lstrip()
            break
    return found


def _mount(text: str) -> Step:
    found: Step = {}
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        name = _MOUNT_NAMES.get(name, name)
        if name in _MOUNT_SWITCHES:
            found[name] = value.lower() != "false" if equals else True
        elif name in _MOUNT_NUMBERS and value.isdigit():
            found[name] = int(value)
        elif name in _MOUNT_ORDER:
            found[name] = value
        else:
            raise CannotError(f"a spec has no word for {name} in --mount={text}")
    return _ordered(found, _MOUNT_ORDER)


def _ordered(found: Mapping[str, Any], order: Sequence[str]) -> Step:
    return {key: found[key] for key in (*order, *found) if key in found}


def _copy(item: Instruction, _lines: Sequence[str], escape: str) -> Step:
    _flags(item, (*_COPY_WORDS, *_COPY_SWITCHES, "exclude"))
    listed = _listed(item)
    words = listed if listed is not None else [_path(word, escape) for word in item.rest.split()]
    if len(words) < 2:
        raise CannotError(f"{item.keyword} takes what to copy, and where to")
    *sources, dest = words
    made: Step = {}
    files = {doc.name: doc for doc in item.heredocs} if listed is None else {}
    if files:
        sources = [word for word in sources if not re.match(r"[0-9]*<<", word)]
        expands = {doc.expand for doc in files.values()}
        if len(expands) > 1:
            raise CannotError("of several heredocs, some expand variables and some do not")
        texts = {name: doc.content for name, doc in files.items()}
        folder = dest.endswith("/") or len(texts) + len(sources) > 1
        made["content"] = texts if folder else next(iter(texts.values()))
        if not all(expands):
            made["expand"] = False
    if sources:
        made = {"src": sources[0] if len(sources) == 1 else sources, **made}
    made["dest"] = dest
    made |= {name: value for name in _COPY_WORDS if (value := item.flag(name)) is not None}
    if "from" in made:
        made["from"] = made["from"].strip("\"'")
    exclude = [value for name, value in item.flags if name == "exclude"]
    switches = {name.replace("-", "_"): True for name in _COPY_SWITCHES if item.flag(name) in ("", "true")}
    return _ordered({**made, **switches, **({"exclude": exclude} if exclude else {})}, _COPY_ORDER)


def _path(word: str, escape: str) -> str:
    """Return a word of COPY without quotes, where these only stand around plain text."""
    quoted = re.fullmatch(r"""(["'])([^"'$\\`]*)\1""", word)
    return quoted[2] if quoted else _default_escape(word, escape)


def _pairs(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    """Return the names and values of ENV and LABEL, in both of their forms."""
    _flags(item, ())
    if "=" not in re.split(r"\s", item.rest, maxsplit=1)[0]:
        first, *behind = re.split(r"\s+", item.rest, maxsplit=1)
        if not behind:
            raise CannotError(f"{item.keyword} takes a name and a value")
        return {_name(first, escape): _value(behind[0], escape)}
    found: Step = {}
    for word in split(item.rest, escape) or _unbalanced(item):
        name, equals, value = word.partition("=")
        if not equals:
            raise CannotError(f"'{word}' in {item.keyword} has no value", f"write {word}=VALUE")
        if _name(name, escape) in found:
            raise CannotError(f"{item.keyword} sets {name} twice")
        found[_name(name, escape)] = _value(value, escape)
    return found


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
        raise CannotError(f"a spec cannot say {word}: a backslash before a variable")
    return found


def _arg(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    _flags(item, ())
    found: dict[str, str | None] = {}
    for word in split(item.rest, escape) or _unbalanced(item):
        name, equals, value = word.partition("=")
        found[_name(name, escape)] = _value(value, escape) if equals else None
    if all(value is None for value in found.values()):
        return next(iter(found)) if len(found) == 1 else list(found)
    return found


def _words(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    _flags(item, ())
    listed = _listed(item)
    found = listed if listed is not None else [_path(word, escape) for word in item.rest.split()]
    return found[0] if len(found) == 1 else found


def _ports(item: Instruction, _lines: Sequence[str], escape: str) -> Any:
    # Docker leaves out the port of the host, which EXPOSE cannot set.
    found = [re.sub(r"^([0-9.]*:)+(?=[0-9])", "", _path(word, escape)) for word in item.rest.split()]
    ports = [int(port) if port.isdigit() and str(int(port)) == port else port for port in found]
    return ports[0] if len(ports) == 1 else ports


def _shell(item: Instruction, _lines: Sequence[str], _escape: str) -> list[str]:
    listed = _listed(item)
    if not listed:
        raise CannotError('SHELL takes a list in JSON: SHELL ["/bin/bash", "-c"]')
    return listed


def _healthcheck(item: Instruction, lines: Sequence[str], escape: str) -> Any:
    _flags(item, _HEALTH)
    kind, rest = _first_word(item.rest)
    if kind.upper() == "NONE":
        return "none"
    if kind.upper() != "CMD" or not rest:
        raise CannotError("HEALTHCHECK takes CMD and a command, or NONE")
    command = _command(Instruction(item.line, "CMD", (), rest), lines, escape)
    options = {name.replace("-", "_"): item.flag(name) for name in _HEALTH if item.flag(name)}
    if "retries" in options:
        options["retries"] = int(str(options["retries"]))  # type: ignore[assignment]
    return {"cmd": command, **options}


def _first_word(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1)
    return first, rest[0] if rest else ""


def _onbuild(item: Instruction, lines: Sequence[str], escape: str) -> Step:
    (inner,) = instructions(item.rest) or (None,)
    if inner is None or inner.keyword not in _READ or inner.keyword in ("ONBUILD", "MAINTAINER"):
        raise CannotError("ONBUILD takes an instruction")
    whole = Instruction(item.line, inner.keyword, inner.flags, inner.rest, item.end, item.heredocs)
    return {inner.keyword.lower(): _READ[inner.keyword](whole, lines, escape)}


_READ: Mapping[str, Callable[[Instruction, Sequence[str], str], Any]] = {
    "ARG": _arg,
    "ENV": _pairs,
    "LABEL": _pairs,
    "RUN": _run,
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
