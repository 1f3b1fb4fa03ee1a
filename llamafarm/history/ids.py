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
NUMBER_BITS = 32
BEGINNING = re.compile(f"[{ALPHABET}]{{1,{LENGTH}}}")


def new_id() -> str:
    """A new id: 56 bits of Unix time in microseconds, then 74 random bits, as many as UUID version 7 has."""
    return _text((time.time_ns() // 1_000) << RANDOM_BITS | secrets.randbits(RANDOM_BITS))


def piece_id(run: str, number: int) -> str:
    """The id of piece `number` of the run with this id: always the same, and after those of smaller numbers.

    It has the run's time and 42 of its random bits, then the number in 32 bits.
    """
    value = 0
    for sign in run:
        value = value << BITS_A_SIGN | ALPHABET.index(sign)
    return _text(value >> NUMBER_BITS << NUMBER_BITS | number)


def _text(value: int) -> str:
    return "".join(ALPHABET[value >> BITS_A_SIGN * place & 31] for place in reversed(range(LENGTH)))


def as_beginning(text: str) -> str | None:
    """`text` as an id, or as what one begins with; None where no id can begin so."""
    lowered = text.strip().lower()
    return lowered if BEGINNING.fullmatch(lowered) else None
