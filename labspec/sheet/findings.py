"""What is wrong with a handout, reported while it is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from labspec.kinds.provider import Scope
from labspec.kinds.section import check_languages

Path = tuple[str | int, ...]
"""Where something is in the spec: the keys and indices that lead there."""


class Findings:
    """The mistakes of one handout."""

    def __init__(self, scope: Scope) -> None:
        self.failed = False
        """Whether there is one."""
        self._scope = scope

    def error(self, path: Path, message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Report a mistake, as `Scope.error` does."""
        self.failed = True
        self._scope.error(path, message, hint, key=key)

    def texts(self, value: Mapping[str, Any], keys: Sequence[str], path: Path) -> None:
        """Report the texts at some keys that are not there in a language of the lab."""
        for key in keys:
            words = value.get(key)
            if isinstance(words, Mapping):
                self.failed |= any(language not in words for language in self._scope.languages)
                check_languages(words, (*path, key), self._scope)
