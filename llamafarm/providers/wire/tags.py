"""Tags in a stream of text that may be split anywhere."""

from __future__ import annotations


def overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the start of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
