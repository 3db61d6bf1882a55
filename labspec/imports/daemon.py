"""A daemon.json as the Docker daemon's settings in a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labspec.core.diagnostic import Diagnostic, LabError
from labspec.imports.jsonfile import escaped, place_of, read_object
from labspec.imports.report import Imported, Loss
from labspec.kinds.daemon.keys import KEYS, UNCHECKED
from labspec.kinds.daemon.model import Settings
from labspec.kinds.mistakes import mistakes


def import_daemon(file: Path, lab: str) -> Imported:
    """Return the spec with the settings of a daemon.json; keys that labspec does not know are taken as they are.

    Raises LabError for values that Docker would refuse.
    """
    found, text = read_object(file)
    losses = []
    settings: dict[str, Any] = {}
    unchecked: dict[str, Any] = {}
    for key, value in found.items():
        if value is None:
            losses.append(Loss(key, "it is null, which is the same as not there", *place_of(file, text, key)))
        elif key in KEYS:
            settings[key] = value
        else:
            unchecked[key] = value
    if unchecked:
        settings[UNCHECKED] = unchecked
    try:
        Settings.model_validate(settings, strict=True)
    except ValidationError as error:
        told = []
        for mistake in mistakes(error, Settings, settings, "daemon.json"):
            key = str(mistake.path[0]) if mistake.path else ""
            at, line = place_of(file, text, key)
            told.append(Diagnostic(f"{key}: {mistake.message}", at, mistake.hint, line))
        raise LabError(told) from None
    return Imported(lab, {"daemon": {"settings": escaped(settings)}} if settings else {}, tuple(losses))
