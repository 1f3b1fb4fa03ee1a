"""The words of a text, alike for every database: what full text search stores and looks for. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate

LONGEST_WORD = 64
MOST_LETTERS = 400_000  # of one document: PostgreSQL's index takes a mebibyte
MOST_ASKED = 20
PIECE = 64 * 1024  # letters
# Scripts that put no spaces between words: each of their signs counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ASCII_WORD = re.compile("[a-z0-9]+")
_WORD = re.compile(f"(?=[^\\W_])[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\\W_])+")


def words_of(texts: Iterable[str]) -> list[str]:
    """The different words of `texts` in the order of their first use, in one form: small letters, no accents.

    Words are cut after 64 letters. Texts of extreme length count with their first 400,000 letters of words.
    """
    found: dict[str, None] = {}
    for piece in _pieces(texts):
        found.update(dict.fromkeys(_found(piece)))
    words = list(dict.fromkeys(word[:LONGEST_WORD] for word in found))
    lengths = accumulate(len(word) + 1 for word in words)
    return [word for word, letters in zip(words, lengths, strict=True) if letters <= MOST_LETTERS]


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts, long ones in pieces that end between two words: a search in one is one step, which nothing interrupts.

    What a thread does in one step stops the event loop for as long.
    """
    for text in texts:
        start = 0
        while len(text) - start > PIECE:
            end = text.rfind(" ", start, start + PIECE) + 1 or start + PIECE
            yield text[start:end]
            start = end
        yield text[start:] if start else text


def asked_words(query: str) -> list[str]:
    """The words that a search looks for, at most twenty."""
    return words_of([query])[:MOST_ASKED]


def _found(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _WORD.findall("".join(sign for sign in apart if not unicodedata.combining(sign)))
