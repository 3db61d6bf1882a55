"""The canonical order of a spec's keys: that of the schema, and for what Compose lists by letter one for people."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from labspec import __version__
from labspec.core.diff import digest
from labspec.host.state import write_atomic
from labspec.spec import cache

Path = tuple[str, ...]
"""Keys from the top of the spec; "*" is an item of a list."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TOP = (
    "labspec",
    "lab",
    "vars",
    "include",
    "adopt",
    "host",
    "daemon",
    "images",
    "volumes",
    "networks",
    "secrets",
    "configs",
    "services",
    "stacks",
    "units",
    "rkt",
    "bundles",
    "machines",
    "checks",
    "handout",
)
_SERVICE = _words("""
    extends image build provider platform pull_policy pull_refresh_after container_name hostname domainname
    entrypoint command init tty stdin_open working_dir user group_add
    env_file environment label_file labels annotations profiles attach
    ports expose volumes volumes_from tmpfs secrets configs
    networks network_mode mac_address links external_links dns dns_search dns_opt extra_hosts
    scale deploy cpus cpuset cpu_count cpu_percent cpu_shares cpu_quota cpu_period cpu_rt_period cpu_rt_runtime
    mem_limit mem_reservation mem_swappiness memswap_limit shm_size pids_limit blkio_config
    oom_kill_disable oom_score_adj restart ulimits
    read_only privileged cap_drop cap_add security_opt sysctls
    devices gpus device_cgroup_rules runtime isolation ipc pid uts userns_mode cgroup cgroup_parent
    credential_spec storage_opt logging models
    healthcheck stop_signal stop_grace_period pre_start post_start pre_stop depends_on develop
""")
_HEALTHCHECK = ("test", "interval", "timeout", "start_period", "start_interval", "retries", "disable")
_BUILD = ("context", "dockerfile", "dockerfile_inline", "target", "args")
_CONDITION = ("condition", "restart", "required")
_CHECK = _words("""
    id title hint http tcp command file container unit group mount namespace cgroup api process
    points audience reveal about needs retry timeout
""")
_BLOCK = _words("""
    id text run artifact show question check figure hint solution
    in user cwd stdin exit timeout needs wait title audience
""")
_OWN: Mapping[Path, Sequence[str]] = {
    ("services", "", "healthcheck"): _HEALTHCHECK,
    ("services", "", "build"): _BUILD,
    ("services", "", "depends_on", ""): _CONDITION,
    ("services", "", "ulimits", ""): ("soft", "hard"),
    ("services", ""): _SERVICE,
    ("checks", "*"): _CHECK,
    ("checks", "*", "http"): _words("url in method headers data insecure status header body"),
    ("checks", "*", "tcp"): _words("host port in open"),
    ("checks", "*", "command"): _words("in run"),
    ("checks", "*", "file"): _words("in path exists type target content owner group mode"),
    ("checks", "*", "mount"): _words("in target exists fstype source size options"),
    ("blocks", "*"): _BLOCK,
}
"""By the end of a path ("" is any name): keys that go before those of the schema."""
_KEPT: tuple[Path, ...] = (("units", ""), ("daemon", "settings"))
"""Below these the order is the user's: it is that of the file which is written from them."""


class Shape:
    """What the schema knows of one place in a spec: `keys` in their order, and what is inside of each."""

    def __init__(self, schemas: Iterable[Any], root: Mapping[str, Any], path: Path = ()) -> None:
        self._root = root
        self._path = path
        self._branches = list(_branches(schemas, root))

    @property
    def keys(self) -> Sequence[str]:
        """The keys in canonical order; none where the order is the user's."""
        if any(_ends(self._path[: len(kept)], kept) for kept in _KEPT if len(self._path) >= len(kept)):
            return ()
        known = [key for branch in self._branches for key in branch.get("properties", ())]
        own = _TOP if not self._path else next((keys for end, keys in _OWN.items() if _ends(self._path, end)), ())
        return tuple(dict.fromkeys((*own, *known)))

    def inside(self, key: str) -> Shape:
        """Return the shape of a key's value."""
        found = [
            branch["properties"][key] if key in branch.get("properties", ()) else other
            for branch in self._branches
            for other in _others(branch)
        ]
        return Shape(found, self._root, (*self._path, key))

    def item(self) -> Shape:
        """Return the shape of the items of a list."""
        return Shape((branch.get("items") for branch in self._branches), self._root, (*self._path, "*"))


def whole() -> Shape:
    """Return the shape of a spec."""
    root = schema()
    return Shape([root], root)


@functools.cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec, from an earlier run of the same labspec where it is kept.

    Making it takes all the kinds and pydantic, which is most of the time of a short command.
    """
    place = cache.folder()
    entry = place / f"schema-{_version()}.json" if place else None
    if entry is not None:
        with suppress(OSError, ValueError):
            found = json.loads(entry.read_bytes())
            if isinstance(found, dict):
                return found
    from labspec.spec.loader import schema as make

    made = make()
    if entry is not None:
        with suppress(OSError):
            entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in entry.parent.glob("schema-*.json"):
                old.unlink()
            write_atomic(entry, json.dumps(made).encode())
    return made


def _version() -> str:
    return digest([__version__, *cache.code_stamp()])[:20]


def _branches(schemas: Iterable[Any], root: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield every schema that may speak of a value, references followed."""
    seen: set[int] = set()
    todo = [schema for schema in schemas if isinstance(schema, dict)]
    while todo:
        schema = todo.pop(0)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        further = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
        reference = schema.get("$ref", "")
        if reference.startswith("#/$defs/"):
            further.insert(0, root["$defs"].get(reference.removeprefix("#/$defs/"), {}))
        todo = [*(part for part in further if isinstance(part, dict)), *todo]


def _others(branch: Mapping[str, Any]) -> Iterable[Any]:
    """Return the schemas of keys that a branch does not name; None where it says nothing of them."""
    return [branch.get("additionalProperties"), *branch.get("patternProperties", {}).values()]


def _ends(path: Path, end: Path) -> bool:
    tail = path[len(path) - len(end) :]
    return len(path) >= len(end) and all(want in ("", key) for key, want in zip(tail, end, strict=True))
