"""Running a program where a check says: on the host, or in something of the lab."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labspec.checks.inside import names_of
from labspec.checks.kind import NotThereError
from labspec.core.diagnostic import LabError

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.kinds.subjects import Subject

NOT_FOUND = 127
"""The exit code of a shell that finds no such program."""


def run_there(
    view: View, subject: Subject | None, command: Sequence[str], user: str | None
) -> subprocess.CompletedProcess[str]:
    """Return how a program ended in a subject (None: on this host), and what it printed.

    Raises LabError where it cannot be started, NotThereError where it does not end in time.
    """
    if subject is None:
        return _ended(command, view.timeout, **_as_user(user))
    if subject.kind == "service":
        from labspec.host.sandbox.client import Client

        options = ["--user", user] if user else []
        arguments = Client(view.host.docker.address).arguments("exec", *options, subject.id, *command)
        return _ended(arguments, view.timeout)
    number = _number(user, view.pid(subject.address))
    if subject.kind == "bundle":
        options = ["--user", number] if number else []
        return _ended(["runc", "exec", *options, subject.id, *command], view.timeout)
    options = [f"--setuid={number.partition(':')[0]}", f"--setgid={number.partition(':')[2]}"] if number else []
    enter = ["nsenter", f"--target={view.pid(subject.address)}", "--all", "--root", "--wd", *options, "--"]
    return _ended([*enter, *command], view.timeout)


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    try:
        found = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        raise LabError(f"this host has no user '{user}'") from None
    groups = os.getgrouplist(found.pw_name, found.pw_gid)
    environment = {"PATH": os.defpath, "HOME": found.pw_dir, "USER": found.pw_name, "LOGNAME": found.pw_name}
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": groups, "env": environment}


def _number(user: str | None, pid: int) -> str | None:
    """Return a user of something that is not Docker's as UID:GID, as programs that enter it want it."""
    if user is None:
        return None
    if user.isdecimal():
        return f"{user}:{user}"
    number = next((number for number, name in names_of("passwd", pid).items() if name == user), None)
    if number is None:
        raise LabError(f"there is no user '{user}' in there")
    return f"{number}:{number}"


def _ended(command: Sequence[str], seconds: float, **options: Any) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            cwd="/",
            **options,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), NOT_FOUND, "", f"{command[0]}: not found on this host")
    except PermissionError as error:
        raise LabError(f"cannot run {command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NotThereError("command", f"an end within {seconds:g} s", "it still runs") from error
