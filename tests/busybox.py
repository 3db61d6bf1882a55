"""A tiny image that every engine can have without a registry: Debian's busybox-static and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

BUSYBOX = "labspec-test/busybox:latest"


def made_busybox() -> str:
    """Return the image's tag; it is made where the engine does not have it, and stays for the next time."""
    there = subprocess.run(["docker", "image", "inspect", BUSYBOX], capture_output=True, check=False, timeout=120)
    if there.returncode:
        with tempfile.TemporaryDirectory() as folder:
            binary = shutil.copy(_static_busybox(Path(folder)), Path(folder, "busybox"))
            archive = Path(folder, "rootfs.tar")
            with tarfile.open(archive, "w") as tar:
                _add_busybox(tar, Path(binary))
            changes = ["--change", 'CMD ["sh"]', "--change", "ENV PATH=/bin"]
            _run("docker", "import", *changes, str(archive), BUSYBOX)
    return BUSYBOX


def _static_busybox(folder: Path) -> Path:
    """Return the path of a busybox that needs no library: the machine's, or that of Debian's package."""
    installed = shutil.which("busybox")
    if installed and b"/ld-linux" not in Path(installed).read_bytes():
        return Path(installed)
    subprocess.run(["apt-get", "download", "-q", "busybox-static"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("busybox-static_*.deb")
    _run("dpkg-deb", "--extract", str(package), str(folder / "package"))
    return next(path for path in folder.glob("package/**/bin/busybox") if path.is_file())


def _add_busybox(tar: tarfile.TarFile, binary: Path) -> None:
    for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777)):
        folder = tarfile.TarInfo(name)
        folder.type, folder.mode = tarfile.DIRTYPE, mode
        tar.addfile(folder)
    tar.add(binary, "bin/busybox", filter=_executable)
    for applet in _run(str(binary), "--list").split():
        if applet != "busybox":
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)


def _executable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid = 0o755, 0, 0
    return member


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
