"""Texts that a database refuses, written so that it takes them, and read back as they were.

PostgreSQL stores no NUL, and neither database a lone surrogate; models say both. They are written with a sign that
Unicode sets aside for a program's own use (U+FDD0, a noncharacter), and so is that sign itself. Other texts, and that
is nearly all of them, are stored as they are.
"""

from __future__ import annotations

import re

SIGN = "\ufdd0"
_REFUSED = re.compile("[\x00\ud800-\udfff\ufdd0]")
_WRITTEN = re.compile(f"{SIGN}([0-9a-f]{{4}})")


def storable(text: str) -> str:
    """`text` as a database takes it."""
    return _REFUSED.sub(lambda found: f"{SIGN}{ord(found[0]):04x}", text)


def original(stored: str) -> str:
    """The text that `storable` was given."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), stored) if SIGN in stored else stored
