"""An `rkt run` command line, also under systemd-run, as a pod of a spec."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.imports.jsonfile import escaped
from labspec.imports.report import Imported, Loss
from labspec.kinds.mistakes import mistakes
from labspec.kinds.rkt.model import Rkt

_TEXT, _TEXTS, _COMMAS, _PAIRS, _NUMBER = "text", "texts", "commas", "pairs", "number"
_FLAGS = {
    "insecure-options": ("insecure_options", _COMMAS),
    "stage1-name": ("stage1", _TEXT),
    "net": ("net", _TEXTS),
    "hostname": ("hostname", _TEXT),
    "dns": ("dns", _TEXTS),
    "dns-search": ("dns_search", _TEXTS),
    "dns-domain": ("dns_domain", _TEXT),
    "dns-opt": ("dns_opt", _TEXTS),
    "hosts-entry": ("hosts_entry", _TEXTS),
    "port": ("ports", _TEXTS),
    "set-env": ("set_env", _PAIRS),
    "set-env-file": ("set_env_file", _TEXT),
    "name": ("name", _TEXT),
    "environment": ("environment", _PAIRS),
    "user": ("user", _TEXT),
    "group": ("group", _TEXT),
    "working-dir": ("working_dir", _TEXT),
    "annotation": ("annotations", _PAIRS),
    "caps-retain": ("caps_retain", _COMMAS),
    "caps-remove": ("caps_remove", _COMMAS),
    "cap-retain": ("caps_retain", _COMMAS),
    "cap-remove": ("caps_remove", _COMMAS),
    "cpu": ("cpu", _TEXT),
    "memory": ("memory", _TEXT),
    "cpu-shares": ("cpu_shares", _NUMBER),
    "oom-score-adj": ("oom_score_adj", _NUMBER),
    "exec": ("exec", _TEXT),
}
"""Flag of rkt -> the key of a spec, and what its value is."""
_SWITCHES = ("debug", "interactive", "inherit-env", "mds-register", "no-overlay", "private-users", "no-store")
_OWN = ("uuid-file-save", "user-label", "user-annotation")
"""What labspec says itself, of the pods that it starts."""
_UNIT_SWITCHES = ("collect", "user", "system", "remain-after-exit", "quiet", "no-block", "pty", "pipe", "wait", "scope")


def import_rkt(command: Sequence[str], lab: str, name: str | None = None) -> Imported:
    """Return the spec with the pod of a command line: words, or one text as a shell takes it."""
    words = _words(command)
    losses: list[Loss] = []
    entry: dict[str, Any] = {}
    words = _systemd(words, entry, losses)
    if not words or words[0].rpartition("/")[2] != "rkt":
        raise LabError("this is no rkt command line", hint="it begins with 'rkt', 'sudo rkt' or 'systemd-run ... rkt'")
    entry |= _pod(words[1:], losses)
    ordered = {key: entry[key] for key in Rkt.model_fields if key in entry}
    title = name or str(entry.get("name") or _short(entry["image"]))
    try:
        Rkt.model_validate(ordered, strict=True)
    except ValidationError as error:
        told = mistakes(error, Rkt, ordered, f"rkt '{title}'")
        raise LabError("\n".join(f"{'.'.join(map(str, item.path))}: {item.message}" for item in told)) from None
    return Imported(lab, {"rkt": {title: escaped(ordered)}}, tuple(losses))


def _words(command: Sequence[str]) -> list[str]:
    words = list(command)
    if len(words) == 1:
        try:
            words = shlex.split(words[0].replace("\\\n", " "))
        except ValueError as error:
            raise LabError(f"the command line is not whole: {str(error).lower()}") from error
    while words and (words[0] in ("sudo", "$", "#") or words[0].startswith("$")):
        words[:1] = [words[0][1:]] if len(words[0]) > 1 and words[0] != "sudo" else []
    return words


def _systemd(words: list[str], entry: dict[str, Any], losses: list[Loss]) -> list[str]:
    """Take in what systemd-run is told, and return what stands behind."""
    if not words or words[0].rpartition("/")[2] != "systemd-run":
        return words
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        flag, equals, value = rest.pop(0).lstrip("-").partition("=")
        if not equals and flag not in _UNIT_SWITCHES and rest:
            value = rest.pop(0)
        if flag == "unit":
            entry["unit"] = value.removesuffix(".service")
        elif flag != "collect":
            losses.append(Loss(f"systemd-run --{flag}", "a spec's pod runs under systemd-run --unit --collect"))
    return rest


def _pod(words: Sequence[str], losses: list[Loss]) -> dict[str, Any]:
    own, arguments = list(words), []
    if "--" in own:
        at = own.index("--")
        own, arguments = own[:at], own[at + 1 :]
    entry: dict[str, Any] = {}
    plain: list[str] = []
    todo = iter(own)
    for word in todo:
        if word.startswith("--"):
            _flag(word[2:], todo, entry, losses)
        elif word.startswith("-"):
            raise LabError(f"rkt has no flag {word}")
        else:
            plain.append(word)
    if not plain or plain[0] not in ("run", "prepare"):
        raise LabError(f"this is 'rkt {plain[0] if plain else ''}', not 'rkt run'")
    if len(plain) != 2:
        what = "names no image" if len(plain) < 2 else f"has several images: {', '.join(plain[1:])}"
        raise LabError(f"the pod {what}", hint="a pod of a spec has one image")
    return {"image": plain[1], **entry, **({"args": arguments} if arguments else {})}


def _flag(text: str, todo: Iterator[str], entry: dict[str, Any], losses: list[Loss]) -> None:
    flag, equals, value = text.partition("=")
    if flag == "readonly-rootfs":
        entry["readonly_rootfs"] = not equals or value == "true"
        return
    if flag in _SWITCHES:
        losses.append(Loss(f"--{flag}", "a spec has no word for it"))
        return
    if not equals:
        following = next(todo, None)
        if following is None:
            raise LabError(f"--{flag} has no value")
        value = following
    if flag in _OWN:
        return
    if flag in ("volume", "mount"):
        _volume(flag, value, entry)
    elif flag == "supplementary-gids":
        entry["supplementary_gids"] = [int(part) for part in value.split(",") if part.isdigit()]
    elif flag in _FLAGS:
        key, kind = _FLAGS[flag]
        entry[key] = _with(entry.get(key), value, kind, flag)
    else:
        near = did_you_mean(flag, (*_FLAGS, *_SWITCHES))
        losses.append(Loss(f"--{flag}={value}", "a spec has no word for it", hint=near))


def _with(before: Any, value: str, kind: str, flag: str) -> Any:
    """Return what a key says once a further value is given."""
    match kind:
        case "texts":
            return [*(before or ()), value]
        case "commas":
            return [*(before or ()), *value.split(",")]
        case "pairs":
            name, equals, content = value.partition("=")
            if not equals:
                raise LabError(f"--{flag} {value}: it takes NAME=VALUE")
            return {**(before or {}), name: content}
        case "number":
            if not value.lstrip("-").isdigit():
                raise LabError(f"--{flag} {value}: it takes a number")
            return int(value)
    return value


def _volume(flag: str, text: str, entry: dict[str, Any]) -> None:
    parts = text.split(",")
    name = "" if flag == "mount" else parts.pop(0)
    said: Mapping[str, str] = dict(part.split("=", 1) for part in parts if "=" in part)
    if flag == "mount":
        known = {key: said[key] for key in ("volume", "target") if key in said}
        entry["mounts"] = [*entry.get("mounts", ()), known]
        return
    volume: dict[str, Any] = {key: said[key] for key in ("kind", "source") if key in said}
    if said.get("readOnly") == "true":
        volume["read_only"] = True
    further = sorted({*said} - {"kind", "source", "readOnly"})
    if further:
        raise LabError(f"--volume {text}: a spec has no word for {', '.join(further)}")
    entry["volumes"] = {**entry.get("volumes", {}), name: volume}


def _short(image: str) -> str:
    """Return a name for a pod: the last part of its image's, without the tag."""
    last = image.removeprefix("docker://").rpartition("/")[2]
    return last.partition(":")[0].removesuffix(".aci") or "pod"
