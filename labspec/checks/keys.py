"""The keys of a kind of check: what may be written, said once, without pydantic: running checks does not need it."""

from __future__ import annotations

from typing import NamedTuple

LINE = "line"
"""One line of text."""
URL = "url"
PATH = "path"
"""An absolute path."""
API_PATH = "api path"
"""A path of the Engine API, with addresses in braces."""
ARGV = "argv"
"""A program and its arguments."""
FLAG = "flag"
PORT = "port"
HEADERS = "headers"
"""Name -> text."""
PLACE = "place"
"""`host`, or the address of something of the lab that runs."""
NAMESPACES = "namespaces"
MATCH = "match"
"""A matcher."""
SIZES = "sizes"
"""A matcher of numbers of bytes."""
MATCHES = "matches"
"""Name -> matcher."""
QUERY = "query"
"""A JMESPath expression."""

HOST = "host"


class Key(NamedTuple):
    """A key of a kind."""

    name: str
    type: str
    about: str
    required: bool = False
    secret: bool = True
    """What the check expects, rather than where it looks: not shown to those whom the check reveals nothing."""

    @property
    def is_matcher(self) -> bool:
        """Whether what is written is a matcher."""
        return self.type in (MATCH, SIZES)
