"""What went wrong in a build, told from the log that `docker buildx build --progress plain` writes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labspec.core.diagnostic import LabError

SHOWN_LINES = 12
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SOLVE = "ERROR: failed to solve: "
_EXIT = re.compile(r'process "(.*)" did not complete successfully: exit code: (\d+)')


def build_failure(tag: str, log: Sequence[str], code: int | None) -> LabError:
    """Return the refusal for a build that ended with `code`: the instruction that failed, and its last lines."""
    lines = [_CONTROLS.sub("", line.rstrip("\n")) for line in log]
    if code in (124, 137):
        return LabError(f"image {tag}: the build did not end in time", hint="does a step wait for input or a network?")
    reasons = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = reasons[-1].removeprefix(_SOLVE.removeprefix("ERROR: ")) if reasons else _last(lines)
    block = _failed_step(lines)
    instruction = re.sub(r"^ > (\[.*?\] )?", "", block[0]).rstrip(":") if block else ""
    exited = _EXIT.search(reason)
    if exited and instruction:
        shown = block[1:][-SHOWN_LINES:]
        tail = "".join(f"\n  | {re.sub(r'^[0-9.]+ ', '', line)}" for line in shown)
        return LabError(
            f"image {tag}: exit code {exited[2]} of: {_short(instruction)}{tail}", hint=_hint(shown, reason)
        )
    where = f" at: {_short(instruction)}" if instruction else ""
    return LabError(f"image {tag}: the build failed{where}: {reason}", hint=_hint(block, reason))


def _failed_step(lines: Sequence[str]) -> list[str]:
    """Return the block that names the failed step and has the end of its output."""
    bars = [index for index, line in enumerate(lines) if line == "------"]
    if len(bars) < 2:
        return []
    block = list(lines[bars[-2] + 1 : bars[-1]])
    return block if block and block[0].startswith(" > ") else []


def _hint(output: Sequence[str], reason: str) -> str:
    text = " ".join([*output, reason]).lower()
    if "failed to resolve source metadata" in text or "pull access denied" in text:
        return "the image it starts from is neither on this host nor can it be pulled: load or build it first"
    if "could not resolve" in text or "temporary failure in name resolution" in text:
        return "the build has no network: look at the host's DNS and proxy settings"
    if "unable to locate package" in text:
        return "is the package's name right, and does 'apt-get update' run in the same step?"
    if "buildx" in text and "unknown" in text:
        return "install the buildx plugin of Docker (docker-buildx, or docker-buildx-plugin)"
    if "entitlement" in text:
        return "the engine must allow it too: 'entitlements' of its builder"
    return "nothing of the lab was changed; correct the step and apply again"


def _last(lines: Sequence[str]) -> str:
    return next((line for line in reversed(lines) if line.strip()), "no reason was given")


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
