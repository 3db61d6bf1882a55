"""The JSON Schema of config.json, read from Debian's golang-github-opencontainers-specs-dev where it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import Draft4Validator

FOLDER = Path("/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema")
_MAIN = "config-schema.json"


def schema_mistakes(config: Mapping[str, Any], folder: Path = FOLDER) -> list[str]:
    """Return where a config.json is not as the specification has it, in words; nothing where no schema is there."""
    if not (folder / _MAIN).is_file():
        return []
    errors = _validator(folder).iter_errors(dict(config))
    return [f"{'.'.join(map(str, error.instance_path)) or 'config.json'}: {error.message}" for error in errors]


@cache
def _validator(folder: Path) -> Draft4Validator:
    from jsonschema_rs import Draft4Validator

    def retrieve(uri: str) -> Any:
        # Only the files beside it: a reference anywhere else is a name that the folder does not have.
        return json.loads((folder / Path(uri.partition("#")[0]).name).read_bytes())

    schema = json.loads((folder / _MAIN).read_bytes())
    return Draft4Validator(schema, retriever=retrieve, base_uri=f"file://{folder}/{_MAIN}")
