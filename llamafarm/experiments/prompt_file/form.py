"""What form a file of prompts has: by the ending of its name, and by how it begins where the ending says nothing."""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Literal

Form = Literal["lines", "table", "json lines", "list", "yaml"]

FIELDS = ("prompt", "id", "expected", "system", "variables", "checks")
DELIMITERS = (",", ";", "\t", "|")
ENDINGS: dict[str, Form] = {
    ".txt": "lines", ".text": "lines",
    ".csv": "table", ".tsv": "table", ".tab": "table", ".psv": "table",
    ".jsonl": "json lines", ".ndjson": "json lines",
    ".json": "list",
    ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip
_OBJECT = re.compile(r"\{\s*(\"|\}|$)")
_LIST = re.compile(r"\[\s*([{\"\]]|$)")
_SEPARATOR = re.compile(r"sep=(.)$", re.IGNORECASE)  # the line that Excel writes and reads before the head


def form_of(name: str, head: str, *, columns: bool) -> Form:
    """The form of the file `name` that begins with `head`. `columns`: what is asked needs columns."""
    form, start = ENDINGS.get(PurePath(name).suffix.lower()), head.lstrip()
    if form in ("lines", "json lines", "yaml"):
        return form
    if _LIST.match(start):
        return "list"
    if _OBJECT.match(start):
        first, _, rest = start.replace("\r", "\n").partition("\n")
        return "list" if form == "list" and not (is_object(first) and rest.strip()) else "json lines"
    if form is not None:
        return form
    return "table" if columns or "prompt" in cells_of(first_line(head)) else "lines"


def is_object(line: str) -> bool:
    """Whether `line` is a JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def first_line(head: str) -> str:
    """The first line that is not empty."""
    return next((line for line in re.split("\r\n|\r|\n", head) if line.strip()), "")


def separator_line(line: str) -> str | None:
    """The delimiter that a line `sep=;` names; None where it is no such line."""
    found = _SEPARATOR.fullmatch(line.strip("\r\n"))
    return found[1] if found else None


def delimiter_of(line: str) -> str | None:
    """The sign that makes a column called prompt of a table's head; else the one that makes most; None: it has one."""

    def found(sign: str) -> tuple[bool, int]:
        names = _cells(line, sign)
        return any(name in FIELDS for name in names), len(names)

    best = max(DELIMITERS, key=found)
    return best if found(best)[1] > 1 else None


def cells_of(line: str) -> list[str]:
    """The names in a table's head, in small letters."""
    return _cells(line, delimiter_of(line))


def _cells(line: str, sign: str | None) -> list[str]:
    cells = re.findall(rf'(?:^|{re.escape(sign)})("(?:[^"]|"")*"|[^{re.escape(sign)}]*)', line) if sign else [line]
    return [cell.strip().strip('"').strip().lower() for cell in cells]
