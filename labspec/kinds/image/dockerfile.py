"""Steps of a spec as the text of a Dockerfile, serialised so that no value can add or hide an instruction.

The grammar is BuildKit's: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labspec.kinds.image.parse import instructions
from labspec.kinds.templates import rendered

Step = Mapping[str, Any]
Resolve = Callable[[str], str]

_PLAIN = re.compile(r"(?!--)[A-Za-z0-9_./$*?{}@%+=,~:-]+")
"""A path that COPY takes without quotes; neither a flag nor a heredoc."""
_AS_IT_IS = re.compile(r'(\$\{[A-Za-z0-9_]+[#%/](?:\\.|[^}"\\])*\}|\\+(?=\$))|([\\"])')
"""A reference whose pattern has backslashes of its own, or backslashes before a dollar; what quotes need escaped."""
_DEFAULT_SHELL = ("/bin/sh", "-c")
_MOUNT_KEYS = ("type", "target", "source", "from", "id", "sharing", "readwrite", "readonly", "required")
_COPY_FLAGS = ("chown", "chmod", "checksum")
_COPY_SWITCHES = ("link", "parents", "keep_git_dir")
_HEALTH_FLAGS = ("interval", "timeout", "start_period", "start_interval", "retries")


def dockerfile_text(
    base: str | Step, steps: Sequence[Step], resolve: Resolve = str, *, args: Any = None, syntax: str | None = None
) -> str:
    """Return the Dockerfile that starts from `base` and does `steps`, as the section `images` has them.

    `args` stand before `base`, and `syntax` names the image that reads the Dockerfile.

    `resolve` turns the name of an image that is no stage of this Dockerfile into the reference to build with. Raises
    ValueError for text that fits no instruction; the section's model reports it with its position.
    """
    known: set[str] = set()

    def named(reference: str) -> str:
        return reference if reference in known or reference.isdigit() else resolve(reference)

    head = [_line(f"# syntax={syntax}")] if syntax else []
    head += [_line(line) for line in _pairs("arg", args)] if args else []
    stages = [{"origin": "\n".join([*head, _from(base, named, known)]), "instructions": list[str]()}]
    shell: Sequence[str] = _DEFAULT_SHELL
    for step in steps:
        ((keyword, value),) = step.items()
        if keyword == "from":
            stages.append({"origin": _from(value, named, known), "instructions": []})
            shell = _DEFAULT_SHELL
            continue
        stages[-1]["instructions"] += _instruction(keyword, value, named, shell)  # type: ignore[operator]
        if keyword == "shell":
            shell = value
    return rendered("dockerfile/Dockerfile.j2", stages=stages)


def label_instruction(labels: Mapping[str, str]) -> str:
    """Return the LABEL instruction that gives an image exactly these labels."""
    pairs = (f"{_literal(name)}={_literal(value)}" for name, value in sorted(labels.items()))
    return _line(f"LABEL {' '.join(pairs)}")


def stage_names(base: str | Step, steps: Sequence[Step]) -> list[str]:
    """Return the names that a Dockerfile of these steps gives to its stages."""
    origins = [base, *(step["from"] for step in steps if "from" in step)]
    return [origin["as"] for origin in origins if isinstance(origin, Mapping) and origin.get("as")]


def is_one_instruction(script: str, flags: str = "") -> bool:
    """Return whether BuildKit takes RUN and this text for one instruction that ends with it.

    A script of several lines is not, nor a line whose << would swallow what stands below; both become a heredoc.
    """
    lines = script.count("\n") + 1
    found = instructions(f"RUN {flags}{script}\nUSER x\n")
    return [item.line for item in found] == [1, lines + 1]


def _instruction(keyword: str, value: Any, named: Resolve, shell: Sequence[str]) -> list[str]:
    match keyword:
        case "arg" | "env" | "label":
            return [_line(line) for line in _pairs(keyword, value)]
        case "run":
            return [_run(value, named)]
        case "copy" | "add":
            return _copy(keyword, value, named)
        case "expose":
            ports = value if isinstance(value, list) else [value]
            return [_line(f"EXPOSE {' '.join(str(port) for port in ports)}")]
        case "volume":
            return [_line(f"VOLUME {_listed([value] if isinstance(value, str) else value)}")]
        case "shell":
            return [_line(f"SHELL {_listed(value)}")]
        case "entrypoint" | "cmd":
            return [_line(f"{keyword.upper()} {_command(value)}")]
        case "healthcheck":
            return [_line(f"HEALTHCHECK {_healthcheck(value)}")]
        case "onbuild":
            return [f"ONBUILD {line}" for line in _trigger(value, named, shell)]
        case "comment":
            return [_line(f"# {line}".rstrip(), continued=True) for line in str(value).splitlines()]
        case "workdir" | "user" | "stopsignal" | "maintainer":
            return [_line(f"{keyword.upper()} {value}")]
    raise ValueError(f"unknown instruction {keyword!r}")


def _from(origin: str | Step, named: Resolve, known: set[str]) -> str:
    whole = {"image": origin} if isinstance(origin, str) else origin
    platform = f"--platform={whole['platform']} " if whole.get("platform") else ""
    text = f"FROM {platform}{named(whole['image'])}"
    if whole.get("as"):
        known.add(whole["as"])
        text += f" AS {whole['as']}"
    return _line(text)


def _pairs(keyword: str, value: Any) -> list[str]:
    """Return the one instruction that sets several names; none where there is no name."""
    name_of = _quoted if keyword == "label" else str
    words = []
    for part in value if isinstance(value, list) else [value]:
        for name, item in [(part, None)] if isinstance(part, str) else part.items():
            words.append(name_of(name) if item is None else f"{name_of(name)}={_quoted(_scalar(item))}")
    return [" ".join([keyword.upper(), *words])] if words else []


def _run(value: Any, named: Resolve) -> str:
    flags, command = _run_parts(value, named)
    if isinstance(command, list):
        return _line(f"RUN {flags}{_listed(command)}")
    if command is None:
        return _heredoc(flags, value["script"].removesuffix("\n"))
    script = command.strip("\n")
    plain = f"RUN {flags}{script}"
    return _lines(plain) if is_one_instruction(script, flags) else _heredoc(flags, script)


def _heredoc(flags: str, script: str) -> str:
    end = _terminator(script)
    return f"{_line(f'RUN {flags}<<{end}', continued=True)}\n{_block(script)}\n{end}"


def _lines(text: str) -> str:
    return "\n".join(_line(line, continued=True) for line in text.split("\n"))


def _run_parts(value: Any, named: Resolve) -> tuple[str, Any]:
    if not isinstance(value, Mapping):
        return "", value
    flags = [f"--mount={_mount(mount, named)}" for mount in value.get("mount") or ()]
    flags += [f"--{key}={value[key]}" for key in ("network", "security") if value.get(key)]
    return "".join(f"{flag} " for flag in flags), value.get("cmd")


def _mount(mount: Mapping[str, Any], named: Resolve) -> str:
    # In an order of their own: the order of a mapping's keys in the spec means nothing.
    pairs = {key: _scalar(mount[key]) for key in (*_MOUNT_KEYS, *mount) if mount.get(key) is not None}
    if "from" in pairs:
        pairs["from"] = named(pairs["from"])
    return ",".join(f"{key}={value}" for key, value in pairs.items())


def _copy(keyword: str, value: Mapping[str, Any], named: Resolve) -> list[str]:
    flags = [f"--from={named(value['from'])}"] if value.get("from") else []
    flags += [f"--{key}={value[key]}" for key in _COPY_FLAGS if value.get(key)]
    flags += [f"--exclude={pattern}" for pattern in value.get("exclude") or ()]
    flags += [f"--{key.replace('_', '-')}" for key in _COPY_SWITCHES if value.get(key)]
    source = value.get("src") or []
    sources = [source] if isinstance(source, str) else source
    files = _contents(value)
    words = [*sources, *(f"<<{_end_word(name, value)}" for name in files), value["dest"]]
    plain = all(_PLAIN.fullmatch(word) for word in (*sources, value["dest"]))
    if files and not plain:
        raise ValueError("beside 'content', paths have no blanks or quotes")
    line = _line(" ".join([keyword.upper(), *flags, " ".join(words) if plain else _listed(words)]))
    return [line, *(f"{_block(text)}{name}" for name, text in files.items())]


def _contents(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that have their content in a step, each by the word that ends it; a lone one has no name."""
    content = value.get("content")
    if content is None:
        return {}
    files = content if isinstance(content, Mapping) else {_terminator(content): content}
    ended = {name: text if text.endswith("\n") or not text else f"{text}\n" for name, text in files.items()}
    for name, text in ended.items():
        if name in text.split("\n"):
            raise ValueError(f"the file {name} has a line that is just its name, which would end it")
    return ended


def _end_word(name: str, value: Mapping[str, Any]) -> str:
    expand = value.get("expand")
    return f'"{name}"' if expand is False or (isinstance(expand, list) and name not in expand) else name


def _healthcheck(value: Any) -> str:
    if isinstance(value, str):
        return "NONE"
    flags = [f"--{key.replace('_', '-')}={value[key]} " for key in _HEALTH_FLAGS if value.get(key) is not None]
    return f"{''.join(flags)}CMD {_command(value['cmd'])}"


def _trigger(step: Step, named: Resolve, shell: Sequence[str]) -> list[str]:
    ((keyword, value),) = step.items()
    if keyword == "run":
        flags, command = _run_parts(value, named)
        script = command.strip("\n") if isinstance(command, str) else ""
        plain = f"RUN {flags}{script}"
        if script and is_one_instruction(script, flags) and not instructions(plain)[0].heredocs:
            return [_lines(plain)]
        if script:
            # What ONBUILD remembers is one line, so a script goes there as the arguments that RUN makes of it.
            return [_line(f"RUN {flags}{_listed([*shell, command])}")]
    return _instruction(keyword, value, named, shell)


def _command(value: Any) -> str:
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(words: Sequence[Any]) -> str:
    """Return the exec form: a JSON list, in which << is escaped so that it cannot start a heredoc."""
    return json.dumps([str(word) for word in words], ensure_ascii=False).replace("<<", "\\u003c\\u003c")


def _quoted(value: str) -> str:
    r"""Return a value in quotes; `$X` stays Docker's to replace, and `\$` its way to write a dollar sign."""
    return '"' + _AS_IT_IS.sub(lambda match: match[1] or f"\\{match[2]}", value) + '"'


def _literal(value: str) -> str:
    """Return a value in quotes that Docker takes as it is, dollar signs included."""
    return '"' + re.sub(r'[\\"$]', lambda match: f"\\{match[0]}", value) + '"'


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _terminator(script: str) -> str:
    lines = {line.strip() for line in script.splitlines()}
    candidates = ("EOF", *(f"EOF{number}" for number in range(1, len(lines) + 2)))
    return next(word for word in candidates if word not in lines)


def _block(script: str) -> str:
    if any(char < " " and char not in "\n\t" for char in script):
        raise ValueError("control character in a script")
    return script


def _line(text: str, *, continued: bool = False) -> str:
    """Return the text of one instruction. Raises ValueError where it would not be just that."""
    if any(char < " " and char != "\t" for char in text):
        raise ValueError("an instruction is one line without control characters")
    if not continued and text.rstrip().endswith("\\"):
        raise ValueError("an instruction that ends in a backslash would swallow the next one")
    return text
