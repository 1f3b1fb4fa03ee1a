"""How much there is in a body, seen while it comes and before anything parses it.

Parsing and validating hold the event loop, for a time that follows the number of values and not that of bytes: the same
six megabytes are one text or two million empty lists. And what calls itself for each level ends in a RecursionError.
"""

from __future__ import annotations

import re

MAX_VALUES = 20_000  # some 2,500 messages of a conversation
MAX_DEPTH = 64
MAX_WORD = 1_000  # letters of a number: turning digits into one takes time that grows with their square

_WITHIN = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BETWEEN = re.compile(rb'[^"]*+')
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # also one without its end: found once, in one go
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")
CLOSING = (b"]", b"}")
_CLOSES = b"]}"
_SIGNS = re.compile(rb"[\[\]{},]")
_WORD = re.compile(rb"[^\s\[\]{},:\"]{%d}" % MAX_WORD)

TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep."
TOO_MANY = "The body holds more than {:,} values."
TOO_LONG = f"The body holds a number of more than {MAX_WORD:,} digits."
UNBALANCED = "The body is not JSON: it closes more brackets than it opens."
NO_JSON = "The body is not JSON: it holds the character NUL (JSON is UTF-8 here)."


class Shape:
    """Counts the values and the depth of a JSON text that comes in pieces, however it is cut.

    What is no JSON is counted as if it were: that it is none, its parser says.
    """

    def __init__(self, most: int = MAX_VALUES) -> None:
        self.values = 0
        self._most = most
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self._word = b""

    def trouble(self, piece: bytes) -> str | None:
        """Why this body is refused, as soon as that is known; None while all is well."""
        if b"\0" in piece:
            return NO_JSON
        if self._plain(piece):
            return None
        at = 1 if self._escaped and piece else 0
        self._escaped = self._escaped and not piece
        while at < len(piece):
            if self._in_text:
                at = self._text(piece, at)
                continue
            end = _BETWEEN.match(piece, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if why := self._between(piece[at:end]):
                return why
            at = end + 1
            if end < len(piece):
                self._in_text, self._word = True, b""
                self.values += 1
                if self.values > self._most:
                    return TOO_MANY.format(self._most)
        return None

    def _plain(self, piece: bytes) -> bool:
        """Count a piece of whole texts, well within the bounds, in a few steps; False where it takes a closer look."""
        if self._in_text or self._escaped or self._word:
            return False
        bare, texts = _TEXT.subn(b'"', piece)
        brackets = bare.translate(None, _NO_BRACKETS)
        closing = sum(map(brackets.count, CLOSING))
        values = self.values + texts + bare.count(b",") + len(brackets) - closing
        if values > self._most or _WORD.search(bare) or not bare.endswith(CLOSING):
            return False  # one that ends in a text does so with its quote
        depth = self._depth
        for bracket in brackets:
            depth += -1 if bracket in _CLOSES else 1
            if not 0 <= depth <= MAX_DEPTH:
                return False
        self.values, self._depth = values, depth
        return True

    def _text(self, piece: bytes, at: int) -> int:
        end = _WITHIN.match(piece, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if end == len(piece):
            return end
        if piece[end : end + 1] == b"\\":  # the last letter of this piece: what it escapes begins the next
            self._escaped = True
        else:
            self._in_text = False
        return end + 1

    def _between(self, signs: bytes) -> str | None:
        """What stands between texts. Counts no further than it has to."""
        for found in _SIGNS.finditer(signs):
            match found[0]:
                case b"[" | b"{":
                    self._depth += 1
                    self.values += 1
                case b",":
                    self.values += 1
                case _:
                    self._depth -= 1
            if not 0 <= self._depth <= MAX_DEPTH:
                return UNBALANCED if self._depth < 0 else TOO_DEEP
            if self.values > self._most:
                return TOO_MANY.format(self._most)
        word = self._word + signs
        self._word = re.split(rb"[\s\[\]{},:]", word[-MAX_WORD:])[-1]
        return TOO_LONG if _WORD.search(word) else None
