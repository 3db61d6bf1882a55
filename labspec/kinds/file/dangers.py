"""Files that a stranger's lab must not write unsaid.

The name for `--allow` is root-files: files that decide who is root, who may log in, and what runs as root.
"""

from __future__ import annotations

from collections.abc import Iterator
from os.path import realpath
from pathlib import Path

from labspec.core.change import Danger
from labspec.core.resource import Resource

SENSITIVE = (
    "/bin",
    "/boot",
    "/etc/adduser.conf",
    "/etc/alternatives",
    "/etc/apparmor.d",
    "/etc/apt",
    "/etc/at.allow",
    "/etc/bash.bashrc",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/cron.yearly",
    "/etc/crontab",
    "/etc/dbus-1",
    "/etc/default",
    "/etc/deluser.conf",
    "/etc/doas.conf",
    "/etc/docker",
    "/etc/environment",
    "/etc/fstab",
    "/etc/grub.d",
    "/etc/gshadow",
    "/etc/group",
    "/etc/init.d",
    "/etc/initramfs-tools",
    "/etc/kernel",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/login.defs",
    "/etc/logrotate.conf",
    "/etc/logrotate.d",
    "/etc/modprobe.d",
    "/etc/modules-load.d",
    "/etc/network",
    "/etc/nsswitch.conf",
    "/etc/pam.conf",
    "/etc/pam.d",
    "/etc/passwd",
    "/etc/polkit-1",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/rc.local",
    "/etc/security",
    "/etc/selinux",
    "/etc/shadow",
    "/etc/skel",
    "/etc/ssh",
    "/etc/ssl",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/sudo.conf",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/sysctl.conf",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/tmpfiles.d",
    "/etc/udev",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/root",
    "/run",
    "/sbin",
    "/usr",
    "/var/lib",
    "/var/run",
    "/var/spool",
)
"""Files and trees that the host lives from."""
_AT_HOME = (
    ".ssh",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".netrc",
)
"""Files below a home that decide who is that user, or what the user runs."""


def dangers(resource: Resource) -> Iterator[Danger]:
    """Yield the danger in a file, with what it means."""
    path = resource.name
    # A link on the way must not hide where a file really is.
    paths = (path, f"{realpath(Path(path).parent)}/{Path(path).name}")
    mode = int(resource.desired.get("mode", "0"), 8)
    if any(at == tree or at.startswith(f"{tree}/") for tree in SENSITIVE for at in paths):
        yield Danger("root-files", resource.address, f"writes {path}: the host lives from what is there")
    elif any(part in _AT_HOME for part in path.split("/")):
        yield Danger("root-files", resource.address, f"writes {path}: it decides who is that user, or what runs as it")
    elif mode & 0o6000:
        yield Danger(
            "root-files", resource.address, f"gives {path} the mode {mode:04o}: who runs it gets its owner's rights"
        )
