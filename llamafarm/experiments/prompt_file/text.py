"""From the bytes of a file to its text: UTF-8 with or without a mark, UTF-16 and UTF-32 with theirs; any line ends."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper

from llamafarm.core.errors import RequestError

LONGEST_TEXT = 1024 * 1024  # letters of a prompt, and so of a cell
LONGEST_LINE = 8 * LONGEST_TEXT  # letters of a line of JSON, which may escape each of them
LOOK = 8192  # bytes that tell what a file is
MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
NO_TEXT = (
    (b"PK\x03\x04", "a spreadsheet, or another packed file"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old form"),
    (b"\x1f\x8b", "a packed file"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "a database"),
)


def opened(file: BufferedReader) -> tuple[TextIOWrapper, str]:
    """`file` as text, and how it begins. Line ends come as they are written: LF, CRLF or CR.

    Bytes that are no UTF-8 become lone surrogates, which no text has: see `is_text`. Raises RequestError where the
    file is none of text.
    """
    start = file.peek(LOOK)[:LOOK]
    for sign, what in NO_TEXT:
        if start.startswith(sign):
            raise RequestError(f"This is {what}, and no text.", hint="Save it as CSV (UTF-8), or as JSON Lines.")
    encoding = next((name for mark, name in MARKS if start.startswith(mark)), "utf-8")
    if encoding.startswith("utf-8") and start[:64].count(0) > len(start[:64]) // 4:
        raise RequestError("This looks like UTF-16 without its mark.", hint="Save the file as UTF-8.")
    errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
    head = start.decode(encoding, "ignore")
    return TextIOWrapper(file, encoding=encoding, errors=errors, newline=""), head


def lines(text: TextIOWrapper) -> Iterator[tuple[int, str | None]]:
    """Each line with its number, without its end; None for one that is longer than 8 Mi letters."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if line[-1] in "\r\n" or len(line) < LONGEST_LINE:
            yield number, line.rstrip("\r\n")
            continue
        while (rest := text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
            pass
        yield number, None


def is_text(text: str) -> bool:
    """Whether there is no half of a pair in it, which nobody can be sent."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)
