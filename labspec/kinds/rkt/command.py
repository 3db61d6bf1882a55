"""The command lines of rkt 1.29: pod flags before the image, app flags behind it, the app's arguments behind `--`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ID_LABEL = "labspec.id"
"""The app's user label that says whose it is: LAB/ADDRESS."""
HASH_ANNOTATION = "labspec.hash"
"""The app's user annotation that says what was asked for."""
RUN_FOLDER = "/run/labspec"
"""Where rkt writes the UUID of a pod: both are gone after a reboot."""
FLY = "stage1-fly"


def is_fly(desired: Mapping[str, Any]) -> bool:
    """Return whether a pod's stage 1 is fly: one app in the host's own namespaces."""
    return FLY in str(desired.get("stage1", ""))


def uuid_file(lab: str, unit: str) -> str:
    """Return the file that rkt writes a pod's UUID to."""
    return f"{RUN_FOLDER}/{lab}/{unit}.uuid"


def sheet_command(desired: Mapping[str, Any]) -> list[str]:
    """Return the line that a person would type to start the pod under systemd."""
    unit = [f"--unit={desired['unit']}"] if desired.get("unit") else []
    return ["systemd-run", *unit, *rkt_command(desired)]


def applied_command(desired: Mapping[str, Any], unit: str, app: str, lab: str, identity: str, digest: str) -> list[str]:
    """Return the line that apply runs: as on the sheet, with names and labels by which the pod is found again."""
    own = [f"--user-label={ID_LABEL}={identity}", f"--user-annotation={HASH_ANNOTATION}={digest}"]
    saved = [f"--uuid-file-save={uuid_file(lab, unit)}"]
    # The service manager replaces $NAME in the arguments of a transient unit; rkt gets what the spec says.
    rkt = [part.replace("$", "$$") for part in rkt_command({**desired, "name": app}, saved, own)]
    return ["systemd-run", f"--unit={unit}", "--collect", *rkt]


def rkt_command(desired: Mapping[str, Any], saved: Sequence[str] = (), own: Sequence[str] = ()) -> list[str]:
    """Return rkt's own part of the line; `saved` are further pod flags, `own` further app flags."""
    execute = ["--exec", desired["exec"]] if desired.get("exec") else []
    arguments = ["--", *desired["args"]] if desired.get("args") else []
    return [
        "rkt",
        *global_flags(desired),
        "run",
        *saved,
        *_pod_flags(desired),
        desired["image"],
        *_app_flags(desired, own),
        *execute,
        *arguments,
    ]


def fetch_command(desired: Mapping[str, Any]) -> list[str]:
    """Return the line that brings the pod's image into rkt's store."""
    return ["rkt", *_insecure(desired), "fetch", "--pull-policy=new", desired["image"]]


def global_flags(desired: Mapping[str, Any]) -> list[str]:
    """Return the flags in front of `run`."""
    return [*_insecure(desired), *([f"--stage1-name={desired['stage1']}"] if desired.get("stage1") else [])]


def _insecure(desired: Mapping[str, Any]) -> list[str]:
    options = desired.get("insecure_options")
    return [f"--insecure-options={','.join(options)}"] if options else []


def _pod_flags(desired: Mapping[str, Any]) -> Iterator[str]:
    yield from _each("--net", _joined(desired.get("net")))
    yield from _each("--hostname", desired.get("hostname"))
    for name in ("dns", "dns_search", "dns_domain", "dns_opt"):
        yield from _each(f"--{name.replace('_', '-')}", desired.get(name))
    yield from _each("--hosts-entry", desired.get("hosts_entry"))
    yield from _each("--port", desired.get("ports"))
    yield from _pairs("--set-env", desired.get("set_env"))
    yield from _each("--set-env-file", desired.get("set_env_file"))
    for name, volume in sorted((desired.get("volumes") or {}).items()):
        parts = [f"{name},kind={volume['kind']}"]
        parts += [f"source={volume['source']}"] if "source" in volume else []
        parts += ["readOnly=true"] if volume.get("read_only") else []
        yield from ("--volume", ",".join(parts))


def _app_flags(desired: Mapping[str, Any], own: Sequence[str]) -> Iterator[str]:
    yield from _each("--name", desired.get("name"))
    for mount in desired.get("mounts") or ():
        yield from ("--mount", f"volume={mount['volume']},target={mount['target']}")
    yield from _pairs("--environment", desired.get("environment"))
    for name in ("user", "group", "working_dir"):
        yield from _each(f"--{name.replace('_', '-')}", desired.get(name))
    yield from _each("--supplementary-gids", _joined(desired.get("supplementary_gids")))
    yield from own
    yield from _pairs("--annotation", desired.get("annotations"))
    yield from _each("--caps-retain", _joined(desired.get("caps_retain")))
    yield from _each("--caps-remove", _joined(desired.get("caps_remove")))
    for name in ("cpu", "memory", "cpu_shares", "oom_score_adj"):
        yield from _each(f"--{name.replace('_', '-')}", desired.get(name))
    if desired.get("readonly_rootfs"):
        yield "--readonly-rootfs=true"


def _joined(values: Sequence[Any] | str | None) -> str | None:
    if values is None or isinstance(values, str):
        return values
    return ",".join(map(str, values)) or None


def _each(flag: str, value: Any) -> Iterator[str]:
    if value is not None:
        yield from (f"{flag}={item}" for item in (value if isinstance(value, list) else [value]))


def _pairs(flag: str, values: Mapping[str, Any] | None) -> Iterator[str]:
    for name, value in (values or {}).items():
        yield f"{flag}={name}={value}"
