"""From the bytes of a file of prompts to what each of its rows says: CSV or JSON Lines, a row at a time.

CSV is as RFC 4180 has it, also with semicolons or tabs, as spreadsheets of other countries write it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Generator, Iterator, Sequence
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO, NoReturn

from llamafarm.errors import RequestError
from llamafarm.types import JsonValue

FIELDS = ("prompt", "id", "expected", "system", "variables", "checks")
DELIMITERS = (",", ";", "\t")
LONGEST_LINE = 1024 * 1024  # bytes of JSON; a cell of CSV has 131,072 letters at most, by Python's csv
BOM = "\ufeff"

Entry = dict[str, JsonValue] | str  # what a row says, or why it says nothing


def entries(file: BinaryIO) -> Generator[tuple[int, Entry], None, None]:
    """Each row's line and what it says, by the first sign of the file: an object is JSON, and a word CSV's head."""
    start = file.peek(4096) if hasattr(file, "peek") else b""
    first = start.removeprefix(BOM.encode()).lstrip()[:1]
    if first == b"[":
        raise RequestError(
            "The file is a JSON array.", hint='Write an object on each line, without brackets around all: {"prompt": …}'
        )
    return _json_lines(file) if first == b"{" else _csv(file)


def _json_lines(file: BinaryIO) -> Generator[tuple[int, Entry], None, None]:
    line = 0
    while data := file.readline(LONGEST_LINE):
        line += 1
        if len(data) == LONGEST_LINE and not data.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield line, f"the line is longer than {LONGEST_LINE:,} bytes"
        elif data.strip():
            yield line, _json_entry(data.removeprefix(BOM.encode()) if line == 1 else data)


def _json_entry(data: bytes) -> Entry:
    try:
        entry: JsonValue = json.loads(data, parse_constant=_refuse)
    except UnicodeDecodeError:
        return "this is not UTF-8"
    except RecursionError:
        return "this is nested too deeply"
    except json.JSONDecodeError as error:
        return f"this is not JSON: {error.msg}, at sign {error.pos + 1}"
    except ValueError as error:
        return f"this is not JSON: {error}"
    return entry if isinstance(entry, dict) else 'write an object with "prompt" and its text'


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _csv(file: BinaryIO) -> Generator[tuple[int, Entry], None, None]:
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _csv_rows(text)
    finally:
        text.detach()  # the file is its opener's to close


def _csv_rows(text: Iterator[str]) -> Iterator[tuple[int, Entry]]:
    head = next(text, "")
    reader = csv.reader(chain([head], text), delimiter=_delimiter(head), strict=True)
    names = _names(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"this is no CSV: {error}"
            continue
        if any(cell.strip() for cell in cells):
            yield line, _csv_entry(names, cells)


def _delimiter(head: str) -> str:
    """The sign that makes a column called prompt of the head; else the one that makes most columns."""

    def named(sign: str) -> tuple[bool, int]:
        names = [name.strip().strip('"').lower() for name in head.split(sign)]
        return any(name in FIELDS for name in names), len(names)

    return max(DELIMITERS, key=named)


def _names(reader: Iterator[list[str]]) -> list[str]:
    try:
        head = next(reader, [])
    except csv.Error as error:
        raise RequestError(f"The first line is no CSV: {error}.") from None
    names = [name.strip().lower() if name.strip().lower() in FIELDS else name.strip() for name in head]
    if not any(names):
        raise RequestError("The file is empty.", hint="The first line of CSV names the columns: prompt,expected")
    if double := sorted({name for name in names if name and names.count(name) > 1}):
        raise RequestError(f"The first line names a column twice: {', '.join(double)}.")
    if any(not is_text(name) for name in names):
        raise RequestError("The first line is not UTF-8.", hint="Save the file as UTF-8.")
    return names


def _csv_entry(names: Sequence[str], cells: Sequence[str]) -> Entry:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return f"there are {len(cells)} cells and {len(names)} columns: quote a cell that holds the separator"
    if not all(map(is_text, cells)):
        return "this is not UTF-8"
    entry: dict[str, JsonValue] = {name: cell for name, cell in zip(names, cells, strict=False) if name}
    for name in FIELDS[1:]:
        if not str(entry.get(name) or "").strip():
            entry.pop(name, None)
    if isinstance(text := entry.get("variables"), str):
        found = _json_entry(text.encode())
        if isinstance(found, str):
            return f"variables: {found}"
        entry["variables"] = found
    if isinstance(text := entry.get("checks"), str):
        entry["checks"] = _listed(text)
    return entry


def _listed(text: str) -> JsonValue:
    """The checks of a cell: a JSON list, or one on each line."""
    if text.lstrip().startswith("["):
        try:
            listed: JsonValue = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return listed
    return [line.strip() for line in text.splitlines() if line.strip()]


def is_text(text: str) -> bool:
    """Whether there is no half of a pair in it, which nobody can be sent."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)
