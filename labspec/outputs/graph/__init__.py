"""The lab as a picture: its objects, the ports that it publishes, and what refers to what.

Everything is made from the spec alone, without a host, and the same every time.
"""

from __future__ import annotations

from labspec.outputs.graph.dot import dot
from labspec.outputs.graph.drawing import svg
from labspec.outputs.graph.mermaid import mermaid

__all__ = ["dot", "mermaid", "svg"]
