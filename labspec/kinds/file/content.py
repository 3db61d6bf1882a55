"""The content of a file as a plan shows and compares it: its text, or a digest of what is no text."""

from __future__ import annotations

from hashlib import sha256


def content_text(content: bytes) -> str:
    """Return the text of a file, or where it is none a description that no other content has."""
    if is_text(content):
        return content.decode()
    return f"({len(content)} bytes that are no text, sha256 {sha256(content).hexdigest()})"


def hidden_text(content: bytes) -> str:
    """Return what stands for content that not everybody on the host may read."""
    return f"({len(content)} bytes that not everybody may read)"


def is_text(content: bytes) -> bool:
    """Return whether content is UTF-8 text without control characters but line ends and tabs."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(char >= " " or char in "\n\t\r" for char in text)
