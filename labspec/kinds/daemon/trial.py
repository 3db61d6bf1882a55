"""A daemon.json tried before it goes live, by a second daemon with a network, mounts and data of its own.

It starts wholly and runs a container, since many mistakes show only then: a seccomp profile, a user without
subordinate ids, a log driver. Its /etc is a copy, so that nothing that it does there (the user `dockremap`) stays.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.kinds.daemon.keys import flag_keys
from labspec.kinds.daemon.running import Running
from labspec.kinds.daemon.smoke import run_a_container

if TYPE_CHECKING:
    from labspec.host.system import System

SECONDS = 30
"""How long a trial daemon may take to be ready: one that listens to the world without TLS waits on purpose."""
STOP_SECONDS = 5
BETWEEN_LOOKS = 0.05

OWN = (
    "hosts",
    "data-root",
    "exec-root",
    "pidfile",
    "config-file",
    "containerd",
    "containerd-namespace",
    "containerd-plugins-namespace",
)
"""What the trial daemon has of its own, whatever flags and file say."""

# The host's containerd does not see the mounts of this namespace: hidden, so that the daemon starts its own.
# The data lies on the file system of the real data root, but below a path that a remapped root may pass through.
_SCRIPT = """etc=$1; data=$2; root=$3; seconds=$4; shift 4
mount --bind "$etc" /etc || exit 120
mount --bind "$data" "$root" || exit 120
[ ! -d /run/containerd ] || mount -t tmpfs tmpfs /run/containerd || exit 120
ip link set lo up 2>/dev/null
exec timeout --kill-after=2 "$seconds" "$@"
"""


def try_daemon(daemon: Running, content: bytes, files: Mapping[str, str], system: System) -> str | None:
    """Return None where a daemon starts and runs a container with this daemon.json, else what it complains of.

    `files` are further files by path, below /etc. Raises LabError where no trial can be made.
    """
    whole = json.loads(content)
    said = _own_mistake(whole)
    if said:
        return said
    values = {key: value for key, value in whole.items() if key not in OWN}
    name = f"labspec-trial-{secrets.token_hex(8)}"
    folder, run = f"{_place(str(whole.get('data-root') or _data_root(daemon)))}/{name}", f"/run/{name}"
    try:
        with _kept(folder, run) as held:
            etc = Path(folder, "etc")
            _copy_etc(etc, held)
            for path, text in {**files, daemon.config: json.dumps(values)}.items():
                copy = etc / os.path.relpath(path, "/etc") if path.startswith("/etc/") else Path(run, "daemon.json")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                copy.write_text(text, encoding="utf-8")
            config = daemon.config if daemon.config.startswith("/etc/") else f"{run}/daemon.json"
            for place in (Path(folder, "data"), Path(run, "data")):
                place.mkdir(mode=0o711)
            Path(run).chmod(0o711)
            return _start(daemon, config, (str(etc), f"{folder}/data", f"{run}/data"), run, held, system)
    except subprocess.SubprocessError as error:
        raise LabError(f"the new daemon.json cannot be tried: {error}") from error


@contextmanager
def _kept(*folders: str) -> Iterator[int]:
    """Make folders, and yield a descriptor: they go once no process has it open, be this one killed or not.

    Raises LabError where they cannot be made.
    """
    end, held = os.pipe()
    # In a session of its own, so that what ends labspec does not end it.
    command = ["sh", "-c", 'cat; exec rm -rf -- "$@"', "sh", *folders]
    broom = subprocess.Popen(
        command, stdin=end, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    os.close(end)
    try:
        for folder in folders:
            _make(Path(folder))
        yield held
    finally:
        os.close(held)
        with suppress(subprocess.TimeoutExpired):
            broom.wait(SECONDS)


def complaint(output: str) -> str:
    """Return what a daemon says is wrong, from all that it printed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    wanted = [line for line in lines if re.search(r"failed to start daemon|unable to configure|level=fatal", line)]
    line = (wanted or lines or ["it ended without a word"])[-1]
    found = re.search(r'msg="((?:[^"\\]|\\.)*)"', line)
    return (found[1].replace('\\"', '"') if found else line).strip()


def uncopied(code: int, said: str) -> str | None:
    """Return why a copy of /etc is not whole, from cp's exit code and stderr; None where it is.

    What somebody else has removed meanwhile, or put another file in the place of, is no loss.
    """
    lines = [line for line in said.splitlines() if not line.endswith(": No such file or directory")]
    return lines[-1] if lines else f"cp ended with {code}" if code not in (0, 1) else None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise LabError(f"the new daemon.json cannot be tried in {folder.parent}: {error.strerror}") from error


def _copy_etc(copy: Path, held: int) -> None:
    done = subprocess.run(
        ["cp", "-a", "/etc", str(copy)],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
        pass_fds=(held,),
    )
    said = uncopied(done.returncode, done.stderr)
    if said:
        raise LabError(f"the new daemon.json cannot be tried: {said}")


def _own_mistake(values: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a value that the trial daemon has of its own."""
    for key in ("data-root", "exec-root", "pidfile", "containerd"):
        if key in values and not (isinstance(values[key], str) and values[key].startswith("/")):
            return f"{key} is no absolute path"
    containerd = values.get("containerd")
    if containerd is not None and not Path(containerd).is_socket():
        return f"containerd: there is no socket {containerd}"
    return None


def _data_root(daemon: Running) -> str:
    found = [value for key, value, _ in flag_keys(list(daemon.arguments)) if key == "data-root"]
    return found[-1] if found else "/var/lib/docker"


def _place(data_root: str) -> Path:
    """Return a folder on the file system of the data root, whose kind decides on the storage driver."""
    place = Path(data_root)
    if not place.is_absolute():
        place = Path("/var/lib/docker")
    while not place.is_dir():
        place = place.parent
    return place


def _start(
    daemon: Running, config: str, places: tuple[str, str, str], run: str, held: int, system: System
) -> str | None:
    command = [daemon.binary, *_flags(daemon, config, run)]
    log = Path(run, "log")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY_", "LISTEN_"))}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--net",
                "--",
                "sh",
                "-c",
                _SCRIPT,
                "sh",
                *places,
                str(2 * SECONDS),
                *command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            pass_fds=(held,),
        )
    try:
        end = time.monotonic() + SECONDS
        while process.poll() is None:
            if _answers(f"{run}/docker.sock"):
                docker = Docker(f"unix://{run}/docker.sock", timeout=SECONDS)
                said = run_a_container(docker, system, "trial")
                docker.close()
                return said and f"Docker would start, but run no container: {said}"
            if time.monotonic() > end:
                return f"a daemon was not ready within {SECONDS} s: {complaint(log.read_text(errors='replace'))}"
            time.sleep(BETWEEN_LOOKS)
        if process.returncode == 120:
            raise LabError("the new daemon.json cannot be tried: /etc cannot be replaced for one process")
        return complaint(log.read_text(errors="replace"))
    finally:
        _stop(process)


def _flags(daemon: Running, config: str, run: str) -> list[str]:
    arguments = list(daemon.arguments)
    own = {index for key, _, indexes in flag_keys(arguments) if key in OWN for index in indexes}
    return [
        *(word for index, word in enumerate(arguments) if index not in own),
        f"--config-file={config}",
        f"--host=unix://{run}/docker.sock",
        f"--data-root={run}/data",
        f"--exec-root={run}/exec",
        f"--pidfile={run}/pid",
    ]


def _answers(path: str) -> bool:
    if not Path(path).exists():
        return False
    docker = Docker(f"unix://{path}", timeout=2)
    try:
        docker.get("/version")
    except LabError:
        return False
    finally:
        docker.close()
    return True


def _stop(process: subprocess.Popen[Any]) -> None:
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()
