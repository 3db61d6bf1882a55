"""What is to be built, gathered from any spelling of it, as a resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Resource
from labspec.kinds.image.context import with_content
from labspec.kinds.image.names import lab_image, normal_tag
from labspec.kinds.image.options import NOTHING_FURTHER, Options
from labspec.kinds.image.parse import Instruction, entitlements, instructions, outside_images, stages
from labspec.kinds.provider import Scope

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Recipe:
    """What is to be built, gathered from any spelling of it."""

    address: str
    tag: str
    source: str
    text: str
    context: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ignore: str | None = None
    further: Options = NOTHING_FURTHER
    project: str = ""

    def resource(self, scope: Scope, path: Path, at: Path) -> Resource | None:
        """Return the resource; what is wrong with it is reported `at` the Dockerfile or below `path`.

        The files that it copies are looked up and hashed.
        """
        found = instructions(self.text)
        needs = sorted(
            {image[1] for _, name in outside_images(found, self.arguments) if (image := self._own(scope, name))}
        )
        if self.target and not _has_stage(found, self.target):
            known = [stage.name for stage in stages(found) if stage.name]
            hint = did_you_mean(self.target, known) or (
                f"stages: {', '.join(known)}" if known else "no stage has a name"
            )
            scope.error((*path, "target"), f"there is no stage '{self.target}'", hint)
            return None
        desired = {
            "tag": self.tag,
            "dockerfile": self.text,
            "build_args": dict(self.arguments),
            "target": self.target,
            "platform": self.platform,
            "labels": dict(self.labels),
            "build": dict(self.further.deciding),
            "tags": [tag for tag in self.further.tags if tag != self.tag],
        }
        options = {
            "source": self.source,
            "external": False,
            "context": self.context,
            "ignore": self.ignore,
            "allow": sorted({*entitlements(found), *self.further.allow, *self._network()}),
            "contexts": self.further.deciding.get("contexts", {}),
            "parts": {"secrets": dict(self.further.parts)} if self.further.parts else {},
            **self.further.passed,
        }
        resource = Resource(
            address=self.address,
            kind="image",
            name=self.tag,
            desired={name: value for name, value in desired.items() if value},
            options=options,
            needs=tuple(needs),
            project=self.project,
        )
        try:
            complete, missing = with_content(resource)
        except LabError as error:
            scope.error(at, error.diagnostics[0].message, error.diagnostics[0].hint)
            return None
        for source in missing if self.source == "dockerfile" else ():
            scope.error(at, f"line {source.line} copies '{source.path}', and the context has no such file")
        return complete

    def _network(self) -> tuple[str, ...]:
        return ("network.host",) if self.further.deciding.get("network") == "host" else ()

    def _own(self, scope: Scope, name: str) -> tuple[str, str] | None:
        """Return the lab's image that a Dockerfile means: by its tag, for there a bare name is Docker's."""
        found = lab_image(scope, name)
        same = found and found[0] == normal_tag(name) and found[1] != self.address
        return found if same else None


def _has_stage(found: Sequence[Instruction], target: str) -> bool:
    known = stages(found)
    if target.isdigit():
        return int(target) < len(known)
    return target.lower() in {stage.name for stage in known}
