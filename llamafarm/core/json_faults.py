"""Where JSON is broken and why, told alike by every version of Python.

For a comma before a closing bracket Python 3.13 names the comma's place, older versions that of the bracket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

BLANKS = " \t\r\n"
CLOSING = "]}"


@dataclass(frozen=True)
class JsonFault:
    """The first sign that is wrong: `line` and `column` count from 1, `position` from 0."""

    message: str
    line: int
    column: int
    position: int


def json_fault(error: json.JSONDecodeError) -> JsonFault:
    """What the decoder met. A comma before a closing bracket is told at the comma, where it is to be mended."""
    text, comma = error.doc, _comma_too_many(error.doc, error.pos)
    if comma is None:
        return JsonFault(error.msg, error.lineno, error.colno, error.pos)
    closing = text[comma + 1 :].lstrip(BLANKS)[0]
    line, start = text.count("\n", 0, comma) + 1, text.rfind("\n", 0, comma) + 1
    return JsonFault(f"a comma stands before the closing {closing}", line, comma - start + 1, comma)


def _comma_too_many(text: str, position: int) -> int | None:
    sign = text[position : position + 1]
    if sign == "," and text[position + 1 :].lstrip(BLANKS)[:1] in tuple(CLOSING):
        before = position
    elif sign and sign in CLOSING:
        before = len(text[:position].rstrip(BLANKS)) - 1
    else:
        return None
    value = text[:before].rstrip(BLANKS)[-1:]
    return before if before >= 0 and text[before] == "," and value and value not in ",[{:" else None
