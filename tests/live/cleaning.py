"""Leaving no trace of a lab on the engine, even where labspec could not remove it."""

from __future__ import annotations

import subprocess

from labspec.core.resource import LAB_LABEL


def remove_lab(name: str) -> None:
    """Remove every container, network, volume and image with the lab's label."""
    by_label = ("--filter", f"label={LAB_LABEL}={name}")
    for listing, removal in (
        (("ps", "--all", "--quiet", "--no-trunc"), ("rm", "--force", "--volumes")),
        (("network", "ls", "--quiet"), ("network", "rm")),
        (("volume", "ls", "--quiet"), ("volume", "rm")),
        (("image", "ls", "--all", "--quiet", "--no-trunc"), ("rmi", "--force")),
    ):
        found = sorted(set(run("docker", *listing, *by_label).split()))
        if found:
            subprocess.run(["docker", *removal, *found], capture_output=True, check=False, timeout=120)


def run(*command: str) -> str:
    """Return what a command prints; it must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
