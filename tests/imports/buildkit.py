"""What BuildKit's own parser reads in a Dockerfile, in a form in which two of them can be compared."""

from __future__ import annotations

import re
from typing import Any

import dockerfile

_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}


def sequence(text: str) -> list[Any]:
    """Return the instructions of a Dockerfile in order: keyword, flags, and arguments as BuildKit's shell sees them."""
    escape = "`" if re.match(r"(#.*\n)*#\s*escape\s*=\s*`", text) else "\\"
    found: list[Any] = []
    above: list[Any] = []
    for item in dockerfile.parse_string(text):
        words = arguments(item, escape)
        documents = [document(item, found) for found in item.heredocs]
        row = (item.cmd.upper(), (item.sub_cmd or "").upper(), sorted(map(flag, item.flags)), words, documents)
        if row[0] == "ARG" and not found:
            above += words
            continue
        if not found:
            found.append(("ARG", above))
        found.append(row)
    return found


def flag(text: str) -> str:
    name, _, value = text.partition("=")
    if name != "--mount":
        return f"{name}={unquoted(value, '') or 'true'}"
    pairs = (pair.partition("=") for pair in value.split(","))
    return f"{name}={sorted((_ALIASES.get(key.lower(), key.lower()), said or 'true') for key, _, said in pairs)}"


def arguments(item: Any, escape: str) -> list[str]:
    command = (item.sub_cmd or item.cmd).upper()
    words = list(item.value)
    if command == "FROM":
        return [unquoted(words[0], escape), *(word.lower() for word in words[1:])]
    if command in ("CMD", "ENTRYPOINT", "RUN", "HEALTHCHECK", "SHELL"):
        return ["script"] if command == "RUN" and len(item.heredocs) == 1 and len(words[0].split()) == 1 else words
    if command in ("ENV", "LABEL", "ARG", "COPY", "ADD", "EXPOSE", "VOLUME", "WORKDIR", "USER"):
        words = [word for word in words if not re.match(r"\d*<<", word)] if item.heredocs else words
        return [unquoted(word, escape) for word in words]
    return [word.replace("\\", "\\\\").replace("`", "\\") if escape == "`" else word for word in words]


def document(item: Any, found: Any) -> Any:
    named = item.cmd.upper() != "RUN" and (len(item.value) > 2 or item.value[-1].endswith("/"))
    # Docker takes the tabs away where it reads <<-.
    chomped = re.sub(r"^\t+", "", found.content, flags=re.MULTILINE) if f"<<-{found.name}" in _bare(item) else None
    if item.cmd.upper() == "RUN" and len(item.value[0].split()) == 1:
        return "", chomped or found.content
    return found.name if named else "", found.content if chomped is None or item.cmd.upper() == "RUN" else chomped


def _bare(item: Any) -> str:
    return re.sub(r"[\"']", "", item.original)


def unquoted(word: str, escape: str) -> str:
    """Return a word as a shell takes it: `${X}` for a variable, a backslash before a dollar sign that is just that."""
    made, quote, index = "", "", 0
    while index < len(word):
        char, following = word[index], word[index + 1 : index + 2]
        index += 1
        if quote == "'":
            quote, made = ("", made) if char == "'" else (quote, made + ("\\$" if char == "$" else char))
        elif char == escape and following and not (quote and following not in ('"', "$", escape)):
            made += "\\$" if following == "$" else following
            index += 1
        elif char == "$" and (pattern := re.match(r"\{\w+[#%/](\\.|[^}])*\}", word[index:])):
            made, index = f"{made}${pattern[0]}", index + len(pattern[0])
        elif char == "$":
            name = re.match(r"[A-Za-z_]\w*|(?=[{\d@*#?!$-])", word[index:])
            made += "\\$" if name is None else f"${{{name[0]}}}" if name[0] else "$"
            index += len(name[0]) if name else 0
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            made += char
    return made
