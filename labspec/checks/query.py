"""JMESPath over answers of the engine (https://jmespath.org/)."""

from __future__ import annotations

import re
from typing import Any

from labspec.core.diagnostic import LabError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def query_mistake(query: str) -> str | None:
    """Return what is wrong with an expression, or None."""
    import jmespath.exceptions

    try:
        jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as error:
        return " ".join(str(error).split("\n")[0].split())
    return None


def asked(query: str, value: Any) -> Any:
    """Return what an expression finds in a value. Raises LabError where it does not fit the value."""
    if _PLAIN.fullmatch(query):
        for name in query.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value
    import jmespath.exceptions

    try:
        return jmespath.search(query, value)
    except jmespath.exceptions.JMESPathError as error:
        raise LabError(f"the query {query!r} does not fit the answer: {error}") from error
