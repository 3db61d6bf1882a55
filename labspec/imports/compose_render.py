"""The compose file that a lab renders to, as text with whole paths: what docker compose compares with the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from labspec.core.resource import Lab


def whole_document(lab: Lab, project: str) -> str:
    """Return the text of a project's compose file."""
    from labspec.kinds.compose.document import rendered_document

    return yaml.safe_dump(rendered_document(lab, project, {}), sort_keys=False, allow_unicode=True)
