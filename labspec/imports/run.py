"""A `docker run` command line as a spec with one service."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.imports.compose import project_name
from labspec.imports.report import Imported, Loss
from labspec.imports.run_flags import BY_NAME, SWITCH
from labspec.imports.run_mounts import mounts
from labspec.imports.run_networks import networks
from labspec.imports.run_plain import endless, plain, read_as
from labspec.imports.run_words import CommandLine, command_line, shell_words

Service = dict[str, Any]


def import_run(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Imported:
    """Return the spec of a command line: its words, or the whole of it in one. Raises LabError for a mistake in it."""
    if len(words) == 1:
        words = shell_words(words[0], environment, str(Path.cwd()))
    line = command_line(words)
    name = _service_name(line)
    service: Service = {"image": line.image}
    plain(line, service)
    for make in (_command, _environment, _labels, _health, _limits, _block_io, _logging, _gpus, _security):
        make(line, service, folder)
    sections: dict[str, Any] = {}
    networks(line, service, sections)
    mounts(line, service, sections)
    losses = tuple(_lost(line))
    return Imported(project_name(name), {**sections, "services": {name: service}}, losses)


def _service_name(line: CommandLine) -> str:
    given = line.value("name")
    base = given or line.image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", base).lstrip("-_.") or "service"


def _lost(line: CommandLine) -> list[Loss]:
    found = []
    for name in line.flags:
        flag = BY_NAME[name]
        if flag.lost and (flag.kind != SWITCH or line.switch(name)):
            found.append(Loss(f"--{name}", flag.note))
    timeout = line.value("stop-timeout")
    if timeout is not None and endless(timeout):
        found.append(Loss(f"--stop-timeout {timeout}", "the Compose specification has no key to wait without end"))
    if line.switch("disable-content-trust") is False:
        found.append(Loss("--disable-content-trust=false", "labspec does not verify signatures"))
    return found


def _command(line: CommandLine, service: Service, _folder: Path) -> None:
    entrypoint = line.value("entrypoint")
    if entrypoint is not None:
        service["entrypoint"] = [entrypoint]
    if line.words:
        service["command"] = list(line.words)


def _environment(line: CommandLine, service: Service, folder: Path) -> None:
    found: dict[str, str | None] = {}
    for file in line.flags.get("env-file", ()):
        found |= _pairs_of_file(folder, file, "env-file")
    for pair in line.flags.get("env", ()):
        name, equals, value = pair.partition("=")
        if not name:
            raise LabError(f"--env {pair}: it has no name")
        found[name] = value if equals else None
    if found:
        service["environment"] = found


def _pairs_of_file(folder: Path, file: str, flag: str) -> dict[str, str | None]:
    """Return what a file of NAME=VALUE lines says, read as docker run reads it: quotes are part of a value."""
    try:
        text = (folder / os.path.expanduser(file)).read_text(encoding="utf-8-sig")  # noqa: PTH111  as the shell does
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"--{flag} {file}: it cannot be read", hint=str(error)) from error
    found: dict[str, str | None] = {}
    for line in text.splitlines():
        written = line.lstrip()
        if not written or written.startswith("#"):
            continue
        name, equals, value = written.partition("=")
        found[name.strip() if flag == "label-file" else name] = value if equals else None
    return found


def _labels(line: CommandLine, service: Service, folder: Path) -> None:
    found: dict[str, str] = {}
    for file in line.flags.get("label-file", ()):
        found |= {name: value or "" for name, value in _pairs_of_file(folder, file, "label-file").items()}
    found |= {name: value for name, _, value in (pair.partition("=") for pair in line.flags.get("label", ()))}
    if found:
        service["labels"] = found


def _health(line: CommandLine, service: Service, _folder: Path) -> None:
    if line.switch("no-healthcheck"):
        service["healthcheck"] = {"disable": True}
        return
    found: dict[str, Any] = {}
    command = line.value("health-cmd")
    if command:
        found["test"] = ["CMD-SHELL", command]
    for name in ("interval", "timeout", "start-period", "start-interval"):
        value = line.value(f"health-{name}")
        if value is not None:
            found[name.replace("-", "_")] = value
    retries = line.value("health-retries")
    if retries is not None:
        found["retries"] = read_as(int, "health-retries", retries)
    if found:
        service["healthcheck"] = found


def _limits(line: CommandLine, service: Service, _folder: Path) -> None:
    found: dict[str, Any] = {}
    for item in line.flags.get("ulimit", ()):
        name, _, value = item.partition("=")
        soft, colon, hard = value.partition(":")
        numbers = [read_as(int, "ulimit", number) for number in ((soft, hard) if colon else (soft,))]
        found[name] = {"soft": numbers[0], "hard": numbers[1]} if colon else numbers[0]
    if found:
        service["ulimits"] = found


def _block_io(line: CommandLine, service: Service, _folder: Path) -> None:
    found: dict[str, Any] = {}
    weight = line.value("blkio-weight")
    if weight is not None:
        found["weight"] = read_as(int, "blkio-weight", weight)
    for flag, key in (
        ("blkio-weight-device", "weight_device"),
        *((f"device-{n}", f"device_{n.replace('-', '_')}") for n in _RATES),
    ):
        for item in line.flags.get(flag, ()):
            path, _, value = item.rpartition(":")
            field = "weight" if key == "weight_device" else "rate"
            whole = field == "weight" or flag.endswith("iops")
            found.setdefault(key, []).append({"path": path, field: read_as(int, flag, value) if whole else value})
    if found:
        service["blkio_config"] = found


_RATES = ("read-bps", "read-iops", "write-bps", "write-iops")


def _logging(line: CommandLine, service: Service, _folder: Path) -> None:
    driver = line.value("log-driver")
    options = dict(pair.partition("=")[::2] for pair in line.flags.get("log-opt", ()))
    if driver or options:
        service["logging"] = {**({"driver": driver} if driver else {}), **({"options": options} if options else {})}


def _gpus(line: CommandLine, service: Service, _folder: Path) -> None:
    given = line.value("gpus")
    if given is None:
        return
    device: dict[str, Any] = {"capabilities": ["gpu"]}
    for part in next(csv.reader([given])):
        name, equals, value = part.partition("=")
        if not equals:
            name, value = "count", name
        if name == "count":
            device["count"] = "all" if value == "all" else read_as(int, "gpus", value)
        elif name == "device":
            device["device_ids"] = value.split(",")
        elif name == "capabilities":
            device["capabilities"] = list(dict.fromkeys([*value.split(","), "gpu"]))
        elif name == "driver":
            device["driver"] = value
        elif name == "options":
            device["options"] = dict(pair.partition("=")[::2] for pair in value.split(","))
        else:
            raise LabError(f"--gpus {given}: {name} is not known", hint="write all, a number, or device=0")
    if "count" not in device and "device_ids" not in device:
        device["count"] = 1
    service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}


def _security(line: CommandLine, service: Service, folder: Path) -> None:
    found = []
    for option in line.flags.get("security-opt", ()):
        name, separator, value = re.match(r"([^=:]*)([=:]?)(.*)", option, re.DOTALL).groups()  # type: ignore[union-attr]
        if name == "seccomp" and separator and value not in ("unconfined", "builtin"):
            relative = os.path.relpath(folder / value, folder)
            found.append(f"seccomp:{relative if not relative.startswith('..') else value}")
            continue
        found.append(option)
    if found:
        service["security_opt"] = found
