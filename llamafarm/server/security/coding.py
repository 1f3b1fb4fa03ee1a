"""Bodies as they were meant: decompressed, and without the byte order mark that some programs put before JSON.

Content codings are those of RFC 9110, 8.4.1. What was compressed is handed on in small pieces, so that a small body
that would become gigabytes is noticed while it grows.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

PIECE = 64 * 1024
GZIP, DEFLATE = 31, 15  # as zlib's `wbits`
CODINGS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": DEFLATE}
UNTOUCHED = ("", "identity")
BOM = codecs.BOM_UTF8
HEADER = 2  # bytes that tell zlib's format (RFC 1950) from bare deflate (RFC 1951), which some programs send


class Garbled(Exception):
    """The body is not in the coding that its header names."""


class Plain:
    """Takes a body in pieces, however it is cut, and gives it as it was before it was packed."""

    def __init__(self, coding: str) -> None:
        self._unpacked = _Unpacked(coding) if coding in CODINGS else None
        self._begin: bytes | None = b""  # what may be a byte order mark

    def feed(self, data: bytes, *, last: bool) -> Iterator[bytes]:
        """The next pieces. Raises Garbled."""
        pieces = iter((data,)) if self._unpacked is None else self._unpacked.feed(data, last=last)
        for piece in pieces:
            yield self._unmarked(piece)
        if last and self._begin:
            yield self._begin

    def _unmarked(self, piece: bytes) -> bytes:
        if self._begin is None:
            return piece
        begin = self._begin + piece
        if len(begin) < len(BOM) and BOM.startswith(begin):
            self._begin = begin
            return b""
        self._begin = None
        return begin.removeprefix(BOM)


class _Unpacked:
    def __init__(self, coding: str) -> None:
        self._bits = CODINGS[coding]
        self._held: bytes | None = b""
        self._decoder = zlib.decompressobj(self._bits)
        self._any = False

    def feed(self, data: bytes, *, last: bool) -> Iterator[bytes]:
        self._any = self._any or bool(data)
        try:
            yield from self._pieces(self._begun(data, last=last))
        except zlib.error:
            raise Garbled from None
        if last and self._any and not self._decoder.eof:
            raise Garbled

    def _begun(self, data: bytes, *, last: bool) -> bytes:
        """`data` behind what was held back until the format was known."""
        if self._held is None:
            return data
        data = self._held + data
        if len(data) < HEADER and not last:
            self._held = data
            return b""
        self._held = None
        if self._bits == DEFLATE and int.from_bytes(data[:HEADER], "big") % 31:  # RFC 1950, 2.2: FCHECK
            self._decoder = zlib.decompressobj(-DEFLATE)
        return data

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        full = False
        while data or full:
            if self._decoder.eof:  # gzip may have several members
                if self._bits != GZIP:
                    raise Garbled
                self._decoder = zlib.decompressobj(GZIP)
            piece = self._decoder.decompress(data, PIECE)
            data = self._decoder.unconsumed_tail or self._decoder.unused_data
            full = len(piece) == PIECE and not self._decoder.eof
            yield piece
