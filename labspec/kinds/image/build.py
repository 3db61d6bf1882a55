"""Turning an entry that is to be built into a resource: from steps, from a Dockerfile, from compose's `build`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Resource
from labspec.host import inputs
from labspec.kinds.compose.project import Project
from labspec.kinds.compose.schema import is_extension
from labspec.kinds.compose.values import mapping
from labspec.kinds.image.context import select
from labspec.kinds.image.dockerfile import dockerfile_text
from labspec.kinds.image.names import image_tag, lab_image, normal_tag, valid_tag
from labspec.kinds.image.options import KEYS, Options, build_options
from labspec.kinds.image.parse import Source, instructions
from labspec.kinds.image.patterns import has_wildcard
from labspec.kinds.image.recipe import Path, Recipe
from labspec.kinds.provider import Scope

_PREDEFINED = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy", "source_date_epoch")
"""Build arguments that BuildKit knows without ARG; their case does not matter."""
_COMPOSE_KEYS = {"context", "dockerfile", "dockerfile_inline", "args", "target", "labels", "platforms", *KEYS}


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
    options = build_options(entry, Project.of_lab(scope), path)
    if absent or options is None:
        return None
    recipe = Recipe(own, image_tag(scope.lab, name, entry), "steps", text, scope.root, **_common(entry, options))
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
    options = build_options(entry, Project.of_lab(scope), path)
    if text is None or options is None:
        return None
    tag = image_tag(scope.lab, name, entry)
    recipe = Recipe(f"image.{name}", tag, "dockerfile", text, context, **_common(entry, options))
    recipe.ignore = _ignore(scope, file, context)
    if not _arguments_declared(recipe, scope, path):
        return None
    return recipe.resource(scope, path, (*path, "dockerfile"))


def compose_build(
    address: str, project: Project, path: Path, tag: str, build: str | Mapping[str, Any], platform: str | None = None
) -> Resource | None:
    """Return the image that the `build` section of a compose service, at `path`, asks for, tagged `tag`.

    `platform` is the service's: of several platforms, that one is built for, as `docker compose up` does. The section's
    form has been checked against the Compose specification. Mistakes are reported: a key that labspec cannot build with
    is one.
    """
    section: Mapping[str, Any] = {"context": build} if isinstance(build, str) else build
    for key in sorted(set(section) - _COMPOSE_KEYS):
        if section[key] and not is_extension(key):
            hint = "labspec builds with " + ", ".join(sorted(_COMPOSE_KEYS))
            project.error((*path, key), f"labspec cannot build with '{key}'", hint, key=True)
            return None
    if not valid_tag(tag):
        project.error(path, f"'{tag}' cannot be the name of an image", "give the service an 'image' in small letters")
        return None
    if not inputs.builds_may_lack():
        return _of_section(address, project, path, tag, build, platform)
    with project.scope.tentative() as wrong:
        built = _of_section(address, project, path, tag, build, platform)
    if built is not None and not wrong:
        return built
    why = [found.message for found in wrong]
    with project.scope.tentative():
        further = build_options(section, project, path)
    options = {
        "source": "dockerfile",
        "external": False,
        "context": project.scope.root,
        "ignore": None,
        "absent": why,
        "parts": {"secrets": dict(further.parts)} if further is not None and further.parts else {},
    }
    desired = {"tag": normal_tag(tag), "dockerfile": ""}
    return Resource(address, "image", normal_tag(tag), desired, options, project=project.name)


def _of_section(
    address: str, project: Project, path: Path, tag: str, build: str | Mapping[str, Any], platform: str | None
) -> Resource | None:
    section: Mapping[str, Any] = {"context": build} if isinstance(build, str) else build
    scope = project.scope
    where = path if isinstance(build, str) else (*path, "context")
    relative = str(section.get("context") or ".")
    context = scope.file(where, relative, folder=True) if section.get("context") else scope.root
    if context is None:
        return None
    inline = section.get("dockerfile_inline")
    at = (*path, "dockerfile_inline" if inline else "dockerfile") if inline or section.get("dockerfile") else where
    file = None if inline else scope.file(at, posixpath.join(relative, section.get("dockerfile") or "Dockerfile"))
    text = inline or (file and _read(scope, at, file))
    platforms = section.get("platforms") or []
    arguments = _arguments(section.get("args") or {}, scope, (*path, "args"))
    options = build_options(section, project, path)
    if not text or arguments is None or options is None:
        return None
    recipe = Recipe(
        address,
        normal_tag(tag),
        "dockerfile",
        text,
        context,
        arguments=arguments,
        target=section.get("target"),
        platform=platforms[0] if len(platforms) == 1 else platform if platform in platforms else None,
        labels=mapping(section.get("labels") or {}),
        ignore=_ignore(scope, file, context),
        further=options,
        project=project.name,
    )
    return recipe.resource(scope, path, at)


def _common(entry: Mapping[str, Any], options: Options) -> dict[str, Any]:
    return {
        "arguments": {name: _text(value) for name, value in (entry.get("build_args") or {}).items()},
        "target": entry.get("target"),
        "platform": entry.get("platform"),
        "labels": mapping(entry.get("labels") or {}),
        "further": options,
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


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
