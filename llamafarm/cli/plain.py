"""What a model says must not steer the terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """`text` without control characters, but for line ends and tabs."""
    return "".join(char for char in text if char in "\n\t" or char.isprintable())


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join(plain(text).split())
