"""Ids of what is recorded: sortable by time, impossible to guess, short enough for a link."""

from __future__ import annotations

import re
import secrets
import time

# Crockford's base 32, in small letters: no i, l, o, u. Its order is that of ASCII, so ids sort as texts.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
RANDOM_BITS = 74
BITS_A_SIGN = 5
BEGINNING = re.compile(f"[{ALPHABET}]{{1,{LENGTH}}}")


def new_id() -> str:
    """A new id: 56 bits of Unix time in microseconds, then 74 random bits, as many as UUID version 7 has."""
    value = (time.time_ns() // 1_000) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    return "".join(ALPHABET[value >> BITS_A_SIGN * place & 31] for place in reversed(range(LENGTH)))


def as_beginning(text: str) -> str | None:
    """`text` as an id, or as what one begins with; None where no id can begin so."""
    lowered = text.strip().lower()
    return lowered if BEGINNING.fullmatch(lowered) else None
