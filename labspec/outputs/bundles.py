"""A bundle's config.json, for `runc run` beside a root file system."""

from __future__ import annotations

from collections.abc import Iterator

from labspec.core.resource import Resource
from labspec.kinds.bundle.config import CONFIG_FILE, config_text
from labspec.outputs.images import Artifact


def bundle_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield bundles/NAME/config.json."""
    text = config_text(resource.options["config"])
    yield Artifact(f"bundles/{resource.options['key']}/{CONFIG_FILE}", text.encode())
