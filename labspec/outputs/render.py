"""A lab as a folder that works without labspec: a compose file a project, a folder an image, the files they need."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Resource
from labspec.host.state import write_atomic
from labspec.kinds.compose.document import projects, rendered_document
from labspec.kinds.image.context import context_files
from labspec.outputs.bundles import bundle_artifacts
from labspec.outputs.daemon import daemon_artifacts
from labspec.outputs.images import DOCKERFILE, Artifact, build_section, copied, image_artifacts
from labspec.outputs.machines import machine_artifacts
from labspec.outputs.rkt import rkt_artifacts
from labspec.outputs.units import unit_artifacts

COMPOSE_FILE = "compose.yaml"
BUILT = ("steps", "dockerfile")
_HOST_KINDS: dict[str, Callable[[Resource], Iterator[Artifact]]] = {
    "rkt": rkt_artifacts,
    "bundle": bundle_artifacts,
    "machine": machine_artifacts,
    "daemon": daemon_artifacts,
}


def render(lab: Lab, folder: Path) -> list[Path]:
    """Write the lab below `folder` and return the files, sorted; what else is in the folder stays.

    Raises LabError where two things would be written to one place, or the folder cannot be written to.
    """
    found: dict[str, Artifact] = {}
    for artifact in artifacts(lab):
        other = found.setdefault(artifact.path, artifact)
        if other != artifact:
            raise LabError(
                f"render would write two different files to {artifact.path}",
                hint="the lab's folder has a file where render puts one of its own: rename it",
            )
    for path in sorted(found):
        _write(folder, found[path])
    return [folder / path for path in sorted(found) if not path.endswith("/")]


def artifacts(lab: Lab) -> Iterator[Artifact]:
    """Yield every file that render writes. The lab's own files stand where they stand in its folder."""
    images = {
        resource.address: resource for resource in lab.resources if resource.kind == "image" and _is_built(resource)
    }
    by_compose = _built_by_compose(lab)
    built = [resource for address, resource in images.items() if address not in by_compose]
    for resource in built:
        yield from image_artifacts(resource)
    for resource in lab.resources:
        of_kind = _HOST_KINDS.get(resource.kind)
        if of_kind is not None:
            yield from of_kind(resource)
        if resource.kind == "unit":
            yield from unit_artifacts(resource)
    for project in projects(lab):
        below = _project_folder(lab, project)
        back = "../" * below.count("/") if below else "./"
        sections = {resource.address: build_section(resource, back) for resource in built}
        document = rendered_document(lab, project, sections, folder=lab.root)
        own = f"{below}{COMPOSE_FILE}"
        yield Artifact(own, _yaml(document).encode())
        whole = rendered_document(lab, project, sections)
        for address, build in _builds(lab, project):
            if address in images and "absent" not in images[address].options:
                yield from (item for item in _context(images[address], build, below, lab.root) if item.path != own)
        files = sorted(set(_own_files(_without_builds(whole), lab.root)))
        for path in files:
            yield from _tree(path, below + os.path.relpath(path, lab.root))
        if f"{lab.root}/.env" not in files:
            yield from _profiles(lab, project, below)


def _built_by_compose(lab: Lab) -> set[str]:
    """Return the addresses of the images that a service's own `build` makes."""
    services = (resource.options for resource in lab.resources if resource.kind == "service")
    return {options["image_address"] for options in services if "build" in options.get("written", {})}


def _builds(lab: Lab, project: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in lab.by_project.get(project, ()):
        if resource.kind == "service" and "build" in resource.options["written"]:
            yield resource.options["image_address"], resource.options["written"]["build"]


def _context(image: Resource, build: dict[str, Any], below: str, root: str) -> Iterator[Artifact]:
    """Yield the context of a service's build, and its Dockerfile, where they stand in the lab's folder."""
    folder = os.path.normpath(below + os.path.relpath(build["context"], root))
    for relative, absolute in context_files(image):
        yield copied(_clean(f"{folder}/{relative}"), absolute)
    if not build.get("dockerfile_inline"):
        name = _clean(f"{folder}/{build.get('dockerfile') or DOCKERFILE}")
        yield Artifact(name, image.desired["dockerfile"].encode())
    for path in (build.get("additional_contexts") or {}).values():
        if path.startswith(f"{root}/"):
            yield from _tree(path, below + os.path.relpath(path, root))


def _clean(path: str) -> str:
    return os.path.normpath(path) + "/" * path.endswith("/")


def _without_builds(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without what is written of it already, or only watched."""
    services = {
        name: {key: value for key, value in entry.items() if key not in ("build", "develop")}
        for name, entry in document["services"].items()
    }
    return {**document, "services": services}


def _profiles(lab: Lab, project: str, below: str) -> Iterator[Artifact]:
    """Yield the file by which compose knows the profiles that are active in the lab."""
    found: set[str] = set()
    for resource in lab.by_project.get(project, ()):
        if resource.kind == "service":
            found.update(resource.options["written"].get("profiles") or ())
    if found:
        yield Artifact(f"{below}.env", f"COMPOSE_PROFILES={','.join(sorted(found))}\n".encode())


def _is_built(resource: Resource) -> bool:
    return resource.options["source"] in BUILT


def _project_folder(lab: Lab, project: str) -> str:
    """Return where a project's files go: the lab's own to the top, a stack's below stacks/."""
    return "" if project == lab.name else f"stacks/{project.removeprefix(f'{lab.name}-')}/"


def _own_files(value: Any, root: str) -> Iterator[str]:
    """Yield the paths into the lab's folder that a document names."""
    if isinstance(value, str):
        if root in value:
            yield from re.findall(re.escape(root) + r"/[^:]+", value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _own_files(item, root)
    elif isinstance(value, list):
        for item in value:
            yield from _own_files(item, root)


def _tree(absolute: str, path: str) -> Iterator[Artifact]:
    if os.path.isdir(absolute) and not os.path.islink(absolute):  # noqa: PTH112, PTH114  beside listdir
        names = sorted(os.listdir(absolute))  # noqa: PTH208  names only
        if not names:
            yield Artifact(f"{path}/")
        for name in names:
            yield from _tree(f"{absolute}/{name}", f"{path}/{name}")
    elif os.path.islink(absolute) or os.path.isfile(absolute):  # noqa: PTH113, PTH114
        yield copied(path, absolute)


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    # PyYAML quotes whatever a reader of YAML 1.1 or 1.2 could take for something else than text.
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _write(folder: Path, artifact: Artifact) -> None:
    path = folder / artifact.path
    try:
        (path if artifact.path.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if artifact.link is not None:
            path.unlink(missing_ok=True)
            path.symlink_to(artifact.link)
        elif artifact.content is not None:
            write_atomic(path, artifact.content, 0o755 if artifact.executable else 0o644)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}") from error
