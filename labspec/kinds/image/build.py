"""Turning an entry that is to be built into a resource: from steps, from a Dockerfile, from compose's `build`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Resource
from labspec.host import inputs
from labspec.kinds.image.context import select
from labspec.kinds.image.dockerfile import dockerfile_text
from labspec.kinds.image.names import image_tag, lab_image, normal_tag, valid_tag
from labspec.kinds.image.parse import Source, instructions
from labspec.kinds.image.patterns import has_wildcard
from labspec.kinds.image.recipe import Path, Recipe
from labspec.kinds.provider import Scope
from labspec.kinds.volume.model import labels_mapping

_PREDEFINED = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy", "source_date_epoch")
"""Build arguments that BuildKit knows without ARG; their case does not matter."""
_COMPOSE_KEYS = {
    "context",
    "dockerfile",
    "dockerfile_inline",
    "args",
    "target",
    "labels",
    "platforms",
    "no_cache",
    "pull",
    "additional_contexts",
    "cache_from",
    "network",
    "extra_hosts",
}


def steps_resource(name: str, entry: Mapping[str, Any], scope: Scope) -> Resource | None:
    """Return the resource of an entry with `from` and `steps`."""
    path: Path = ("images", name)
    steps = entry.get("steps") or []
    own = f"image.{name}"

    def resolve(reference: str) -> str:
        image = lab_image(scope, reference)
        return image[0] if image and image[1] != own else reference

    try:
        text = dockerfile_text(entry["from"], steps, resolve, args=entry.get("args"), syntax=entry.get("syntax"))
    except ValueError as error:
        scope.error((*path, "steps"), str(error))
        return None
    absent = [source for where, source in _copied(steps, path) if not _found(scope, where, source)]
    if absent:
        return None
    recipe = Recipe(own, image_tag(scope.lab, name, entry), "steps", text, scope.root, **_common(entry))
    recipe.ignore = _ignore(scope, None, scope.root)
    if not _arguments_declared(recipe, scope, path):
        return None
    return recipe.resource(scope, path, (*path, "steps"))


def dockerfile_resource(name: str, entry: Mapping[str, Any], scope: Scope) -> Resource | None:
    """Return the resource of an entry with `dockerfile`."""
    path: Path = ("images", name)
    relative = entry["dockerfile"]
    file = scope.file((*path, "dockerfile"), relative)
    folder = entry.get("context") or posixpath.dirname(relative) or "."
    context = scope.file((*path, "context" if entry.get("context") else "dockerfile"), folder, folder=True)
    if file is None or context is None:
        return None
    text = _read(scope, (*path, "dockerfile"), file)
    if text is None:
        return None
    tag = image_tag(scope.lab, name, entry)
    recipe = Recipe(f"image.{name}", tag, "dockerfile", text, context, **_common(entry))
    recipe.ignore = _ignore(scope, file, context)
    if not _arguments_declared(recipe, scope, path):
        return None
    return recipe.resource(scope, path, (*path, "dockerfile"))


def compose_build(
    address: str, scope: Scope, path: Path, tag: str, build: str | Mapping[str, Any], folder: str, project: str
) -> Resource | None:
    """Return the image that the `build` section of a compose service, at `path`, asks for, tagged `tag`.

    `folder` is the context where the section names none; paths are relative to what `scope.file` takes them for. The
    section's form has been checked against the Compose specification. Mistakes go to `scope.error`: a key that labspec
    cannot build with is one.
    """
    section: Mapping[str, Any] = {"context": build} if isinstance(build, str) else build
    for key in sorted(set(section) - _COMPOSE_KEYS):
        if section[key]:
            hint = "labspec builds with " + ", ".join(sorted(_COMPOSE_KEYS))
            scope.error((*path, key), f"labspec cannot build with '{key}'", hint, key=True)
            return None
    if not valid_tag(tag):
        scope.error(path, f"'{tag}' cannot be the name of an image", "give the service an 'image' in small letters")
        return None
    if not inputs.builds_may_lack():
        return _of_section(address, scope, path, tag, build, folder, project)
    with scope.tentative() as wrong:
        built = _of_section(address, scope, path, tag, build, folder, project)
    if built is not None and not wrong:
        return built
    why = [found.message for found in wrong]
    options = {"source": "dockerfile", "external": False, "context": folder, "ignore": None, "absent": why}
    desired = {"tag": normal_tag(tag), "dockerfile": ""}
    return Resource(address, "image", normal_tag(tag), desired, options, project=project)


def _of_section(
    address: str, scope: Scope, path: Path, tag: str, build: str | Mapping[str, Any], folder: str, project: str
) -> Resource | None:
    section: Mapping[str, Any] = {"context": build} if isinstance(build, str) else build
    where = path if isinstance(build, str) else (*path, "context")
    relative = str(section.get("context") or ".")
    context = scope.file(where, relative, folder=True) if section.get("context") else folder
    if context is None:
        return None
    inline = section.get("dockerfile_inline")
    at = (*path, "dockerfile_inline" if inline else "dockerfile") if inline or section.get("dockerfile") else where
    file = None if inline else scope.file(at, posixpath.join(relative, section.get("dockerfile") or "Dockerfile"))
    text = inline or (file and _read(scope, at, file))
    platforms = section.get("platforms") or [None]
    if len(platforms) > 1:
        scope.error((*path, "platforms"), "the engine keeps an image for one platform", "name just one")
        return None
    contexts = _contexts(section.get("additional_contexts") or {}, scope, (*path, "additional_contexts"))
    arguments = _arguments(section.get("args") or {}, scope, (*path, "args"))
    if not text or contexts is None or arguments is None:
        return None
    extras = {
        "network": section.get("network"),
        "extra_hosts": _hosts(section.get("extra_hosts")),
        "contexts": contexts,
    }
    recipe = Recipe(
        address,
        normal_tag(tag),
        "dockerfile",
        text,
        context,
        arguments=arguments,
        target=section.get("target"),
        platform=platforms[0],
        labels=labels_mapping(section.get("labels") or {}),
        ignore=_ignore(scope, file, context),
        extras={name: value for name, value in extras.items() if value},
        hints={name: section[name] for name in ("no_cache", "pull", "cache_from") if section.get(name)},
        project=project,
    )
    return recipe.resource(scope, path, at)


def _common(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arguments": {name: _text(value) for name, value in (entry.get("build_args") or {}).items()},
        "target": entry.get("target"),
        "platform": entry.get("platform"),
        "labels": labels_mapping(entry.get("labels") or {}),
        "hints": {name: True for name in ("no_cache", "pull") if entry.get(name)},
    }


def _copied(steps: Sequence[Mapping[str, Any]], path: Path) -> Iterable[tuple[Path, str]]:
    """Yield (position, path) of everything that steps copy from the lab's folder."""
    for index, step in enumerate(steps):
        for keyword in ("copy", "add"):
            value = step.get(keyword)
            if value is None or value.get("from") or not value.get("src"):
                continue
            where = (*path, "steps", index, keyword, "src")
            if isinstance(value["src"], str):
                yield where, value["src"]
            else:
                yield from (((*where, number), source) for number, source in enumerate(value["src"]))


def _found(scope: Scope, where: Path, source: str) -> bool:
    """Report a path of the lab's folder that is not there; what only Docker can tell passes."""
    if "$" in source or "://" in source or source.startswith("git@"):
        return True
    relative = source.lstrip("/") or "."
    if not has_wildcard(relative):
        folder = inputs.is_folder(f"{scope.root}/{relative}")
        return scope.file(where, relative, folder=folder) is not None
    if select(scope.root, [Source(0, relative)]).files:
        return True
    scope.error(where, f"no file of the lab matches '{source}'")
    return False


def _arguments_declared(recipe: Recipe, scope: Scope, path: Path) -> bool:
    """Report build arguments that no ARG of the Dockerfile takes."""
    declared = {
        word.partition("=")[0]
        for item in instructions(recipe.text)
        if item.keyword == "ARG"
        for word in item.rest.split()
    }
    unknown = [
        name
        for name in recipe.arguments
        if name not in declared and name.lower() not in _PREDEFINED and not name.startswith("BUILDKIT_")
    ]
    for name in unknown:
        hint = did_you_mean(name, declared) or "declare it with a step 'arg', or ARG in the Dockerfile"
        scope.error((*path, "build_args", name), f"nothing takes the build argument '{name}'", hint, key=True)
    return not unknown


def _read(scope: Scope, at: Path, file: str) -> str | None:
    try:
        return scope.read(file).decode()
    except UnicodeDecodeError:
        scope.error(at, "the Dockerfile is not UTF-8 text")
    except LabError as error:
        scope.error(at, error.diagnostics[0].message, error.diagnostics[0].hint)
    return None


def _ignore(scope: Scope, dockerfile: str | None, context: str) -> str | None:
    """Return the text of the .dockerignore that Docker would take: the Dockerfile's own, else the context's."""
    candidates = [f"{dockerfile}.dockerignore"] if dockerfile else []
    for candidate in (*candidates, f"{context}/.dockerignore"):
        if inputs.is_plain_file(candidate):
            return scope.read(candidate).decode(errors="replace")
    return None


def _arguments(args: Mapping[str, Any] | Sequence[str], scope: Scope, path: Path) -> dict[str, str] | None:
    named = (
        [(name, name, value) for name, value in args.items()]
        if isinstance(args, Mapping)
        else [
            (index, word.partition("=")[0], word.partition("=")[2] if "=" in word else None)
            for index, word in enumerate(args)
        ]
    )
    unset = [(key, name) for key, name, value in named if value is None]
    for key, name in unset:
        scope.error(
            (*path, key), f"the build argument '{name}' has no value", "labspec takes none from your environment"
        )
    return None if unset else {name: _text(value) for _, name, value in named}


def _contexts(written: Mapping[str, str] | Sequence[str], scope: Scope, path: Path) -> dict[str, str] | None:
    pairs = (
        written.items()
        if isinstance(written, Mapping)
        else [(part[0], part[2]) for part in (w.partition("=") for w in written)]
    )
    contexts: dict[str, str] = {}
    for index, (name, place) in enumerate(pairs):
        where = (*path, name if isinstance(written, Mapping) else index)
        if place.startswith(("docker-image://", "https://", "http://")):
            contexts[name] = place
            continue
        folder = scope.file(where, place, folder=True)
        if folder is None:
            return None
        contexts[name] = folder
    return contexts


def _hosts(written: Mapping[str, Any] | list[str] | None) -> dict[str, str]:
    if not written:
        return {}
    if isinstance(written, Mapping):
        return {name: str(value[0] if isinstance(value, list) else value) for name, value in written.items()}
    split = (word.replace("=", ":", 1).partition(":") if "=" in word else word.partition(":") for word in written)
    return {name: address for name, _, address in split}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
