"""labspec itself put into a sandbox: this process's own files, and the libraries that it runs with.

The libraries are copied where the sandbox's Python is of the same version and machine as this one: no network is
needed. Elsewhere they are installed from the package index into a virtual environment, which needs one.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO

from labspec.core.diagnostic import LabError
from labspec.host.sandbox.client import Client
from labspec.host.sandbox.image import recipe

COPY_SECONDS = 120
INSTALL_SECONDS = 600
CALL_SECONDS = 30
PLACE = "/opt/labspec"
"""A link to the folder of the labspec that is used; its name has the digest of what is in it."""

_PACKAGE = Path(__file__).resolve().parent.parent.parent
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PROBE = "import platform, sys; print(sys.implementation.cache_tag, platform.machine(), platform.libc_ver()[0])"


@dataclass(frozen=True, slots=True)
class Software:
    """What goes in: (path below the folder, file here), and the digest that names it."""

    own: tuple[tuple[str, Path], ...]
    libraries: tuple[metadata.Distribution, ...]
    requirements: tuple[str, ...]
    digest: str


def software() -> Software:
    """Return this labspec. Raises LabError where its libraries cannot be told."""
    own = tuple(sorted(_own_files()))
    libraries = tuple(_closure("labspec"))
    digest = hashlib.sha256()
    for name, path in own:
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    for library in libraries:
        digest.update(f"{library.metadata['Name']}\0{library.version}\0".encode())
    requirements = tuple(line for line in metadata.requires("labspec") or () if "extra ==" not in line)
    return Software(own, libraries, requirements, digest.hexdigest()[:16])


def install(client: Client, container: str) -> None:
    """Put this labspec into a running sandbox, unless it is there. Raises LabError where it does not work there."""
    wanted = software()
    folder = f"{PLACE}-{wanted.digest}"
    if client.ask("exec", container, "readlink", PLACE, seconds=CALL_SECONDS).stdout.strip() == folder:
        return
    client.ask("exec", container, "rm", "-rf", folder, seconds=CALL_SECONDS)
    there = client.call("exec", container, "python3", "-c", _PROBE, seconds=CALL_SECONDS).strip()
    copied = there == _this_python()
    client.feed(
        lambda sink: _write(sink, wanted, folder.rpartition("/")[2], libraries=copied),
        *("cp", "-", f"{container}:{PLACE.rpartition('/')[0]}"),
        seconds=COPY_SECONDS,
    )
    if not copied:
        _install_libraries(client, container, wanted, folder, there)
    client.call("exec", container, "ln", "-sfn", folder, PLACE, seconds=CALL_SECONDS)
    done = client.ask("exec", container, "labspec", "schema", seconds=CALL_SECONDS * 2)
    if done.returncode:
        client.ask("exec", container, "rm", "-f", PLACE, seconds=CALL_SECONDS)
        raise LabError(
            f"labspec does not run in the sandbox: {done.stderr.strip()[-500:]}",
            hint=f"it was copied from {_this_python()} to {there}; a labspec installed from wheels works",
        )


def _this_python() -> str:
    return f"{sys.implementation.cache_tag} {platform.machine()} {platform.libc_ver()[0]}"


def _own_files() -> Iterator[tuple[str, Path]]:
    for path in _PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"labspec/{path.relative_to(_PACKAGE)}", path
    if not (_PACKAGE / "generators").is_dir():
        generators = recipe().parent
        for path in generators.rglob("*"):
            if path.is_file():
                yield f"labspec/generators/{path.relative_to(generators)}", path


def _closure(name: str) -> Iterator[metadata.Distribution]:
    """Yield the distributions that one needs, by name; those of extras and of other platforms are not installed."""
    todo, known = [name], {_plain(name)}
    found = []
    while todo:
        for line in metadata.requires(todo.pop()) or ():
            match = _REQUIREMENT.match(line)
            if match is None or "extra ==" in line or _plain(match[1]) in known:
                continue
            known.add(_plain(match[1]))
            try:
                found.append(metadata.distribution(match[1]))
            except metadata.PackageNotFoundError:
                if ";" in line:  # a marker says that this Python does without
                    continue
                raise LabError(
                    f"labspec is not wholly installed: {match[1]} is missing", hint="install labspec again"
                ) from None
            todo.append(match[1])
    return iter(sorted(found, key=lambda distribution: _plain(distribution.metadata["Name"])))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _write(sink: IO[bytes], wanted: Software, folder: str, *, libraries: bool) -> None:
    with tarfile.open(fileobj=sink, mode="w|") as tar:
        for name, path in wanted.own:
            _add(tar, f"{folder}/{name}", path)
        for library in wanted.libraries if libraries else ():
            for file in library.files or ():
                if ".." not in file.parts and file.suffix != ".pyc":
                    _add(tar, f"{folder}/{file}", Path(str(library.locate_file(file))))


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    if not path.is_file():
        return
    found = path.stat()
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = found.st_size, int(found.st_mtime), 0o755 if found.st_mode & 1 else 0o644
    with path.open("rb") as file:
        tar.addfile(member, file)


def _install_libraries(client: Client, container: str, wanted: Software, folder: str, there: str) -> None:
    """Install the libraries from the package index, for a Python that cannot use the files of this one."""
    venv = f"{folder}/venv"
    client.call("exec", container, "python3", "-m", "venv", venv, seconds=INSTALL_SECONDS)
    done = client.ask(
        *("exec", container, f"{venv}/bin/pip", "install", "--quiet", "--", *wanted.requirements),
        seconds=INSTALL_SECONDS,
    )
    if done.returncode:
        raise LabError(
            f"labspec runs on {_this_python()} here and on {there} in the sandbox, so that its libraries cannot be "
            "copied, and the package index does not give them to the sandbox",
            hint="run labspec on Python 3.11 or 3.13, for which there is a Debian, and make the sandbox again",
        )
