"""Where the commands of a sheet are run: on this host, in a sandbox, or in one made for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.host.host import Host
    from labspec.sheet.captures import Captures
    from labspec.sheet.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Where:
    """Where the commands of a sheet are run, and how the lab is applied there."""

    here: bool
    sandbox: str | None
    allow: tuple[str, ...]
    allow_missing: bool
    variables: dict[str, str]
    variable_files: tuple[Path, ...]


def replayed(lab: Lab, sheet: Sheet, where: Where, say: Callable[[str], None], *, strict: bool) -> Captures:
    """Return what the commands of the sheet do now.

    `say` gets the progress; where `strict`, a command that ends otherwise than the sheet says is a mistake. Raises
    LabError for that, and where the lab is not as the spec says.
    """
    from labspec.host.sandbox.folder import absolute, inside

    files = tuple(map(absolute, map(str, where.variable_files)))
    from labspec.engine.capture import capture

    if where.here:
        from labspec.host.host import Host

        host = Host()
        _check_applied(lab, host, allow_missing=where.allow_missing)
        return capture(lab, host, sheet, say, _variables(where, files), strict=strict)
    from labspec.engine.capture_sandbox import capture_in

    apply = [f"--allow={name}" for name in where.allow] + ["--allow-missing"] * where.allow_missing
    variables = _variables(where, map(inside, files))
    with _sandbox(where.sandbox, say) as name:
        return capture_in(name, lab, apply, variables, files, say, strict=strict)


def _variables(where: Where, files: Iterable[str]) -> list[str]:
    given = [f"--var={name}={value}" for name, value in where.variables.items()]
    return given + [f"--var-file={file}" for file in files]


@contextmanager
def _sandbox(name: str | None, say: Callable[[str], None]) -> Iterator[str]:
    if name is not None:
        yield name
        return
    from labspec.engine.capture_sandbox import fresh_sandbox

    with fresh_sandbox(say) as made:
        yield made


def _check_applied(lab: Lab, host: Host, *, allow_missing: bool) -> None:
    """Raise LabError where the lab of this host is not as the spec says: the sheet would show something else."""
    from labspec.engine.workflow import make_plan

    plan = make_plan(lab, host, allow_missing=allow_missing)
    if not plan.empty:
        first = plan.changes[0]
        raise LabError(
            f"the lab is not applied here as the spec says: {first.address} would be changed, {first.reason}",
            hint="labspec apply, or leave --here out: a sandbox is made for it",
        )
