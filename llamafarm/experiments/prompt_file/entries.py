"""From a file of prompts to what each of its rows says, a row at a time, whatever form the file has."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import chain
from typing import NoReturn

from llamafarm.config.sections.template import name_of
from llamafarm.core.errors import RequestError
from llamafarm.core.json_faults import json_fault
from llamafarm.core.spreadsheets import is_ours, plain
from llamafarm.core.types import JsonValue
from llamafarm.experiments.prompt_file.columns import place, prompt_column
from llamafarm.experiments.prompt_file.delimited import Record, pieces, records
from llamafarm.experiments.prompt_file.form import FIELDS, delimiter_of, form_of, separator_line
from llamafarm.experiments.prompt_file.listed import json_list, yaml_list
from llamafarm.experiments.prompt_file.text import LONGEST_LINE, LOOK, is_text, lines, opened

Said = dict[str, JsonValue] | str  # what a row says, or why it says nothing


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that begins in `line`. One that is wrong may have been `rows` of them; `short`: it lacks cells."""

    line: int
    said: Said
    rows: int = 1
    short: bool = False


def entries(file: BufferedReader, name: str, *, columns: bool) -> Generator[Entry, None, None]:
    """Each row of a file that is called `name`. `columns`: what is asked needs columns, not the prompt alone.

    Raises RequestError where the file is none of prompts.
    """
    text, head = opened(file)
    try:
        if not head.strip() and len(head) < LOOK:
            raise RequestError("The file is empty.", hint="Write a prompt on each line, or CSV with a column prompt.")
        match form_of(name, head, columns=columns):
            case "lines":
                yield from _lines(text)
            case "table":
                yield from _table(text, columns=columns)
            case "json lines":
                yield from _json_lines(text)
            case "list":
                yield from (Entry(line, _object(value)) for line, value in json_list(text))
            case "yaml":
                yield from (Entry(line, _object(value)) for line, value in yaml_list(text))
    except UnicodeDecodeError as error:
        raise RequestError(f"The file is not {error.encoding} to its end.", hint="Save it as UTF-8.") from None
    finally:
        text.detach()  # the file is its opener's to close


def _lines(text: TextIOWrapper) -> Iterator[Entry]:
    """A prompt a line; an empty line is none."""
    for number, line in lines(text):
        if line is None:
            yield Entry(number, _too_long())
        elif line.strip():
            yield Entry(number, _why_no_text([line]) or {"prompt": line.strip()})


def _json_lines(text: TextIOWrapper) -> Iterator[Entry]:
    for number, line in lines(text):
        if line is None:
            yield Entry(number, _too_long())
        elif line.strip():
            yield Entry(number, _json_entry(line))


def _too_long() -> str:
    return f"the line is longer than {LONGEST_LINE:,} letters"


def _json_entry(line: str) -> Said:
    if why := _why_no_text([line]):
        return why
    try:
        value: JsonValue = json.loads(line, parse_constant=_refuse)
    except RecursionError:
        return "this is nested too deeply"
    except json.JSONDecodeError as error:
        fault = json_fault(error)
        return f"this is not JSON: {fault.message}, at sign {fault.position + 1}"
    except ValueError as error:
        return f"this is not JSON: {error}"
    return _object(value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object(value: JsonValue) -> Said:
    """What an object says, by names as they are compared; a text is a prompt."""
    if isinstance(value, str):
        return {"prompt": value}
    if not isinstance(value, dict):
        return 'write an object with "prompt" and its text'
    names = [_column(name) for name in value]
    if double := _doubles(names):
        return f"it names twice: {', '.join(double)}"
    return dict(zip(names, value.values(), strict=True))


def _column(name: str) -> str:
    name = name_of(name)
    return name.lower() if name.lower() in FIELDS else name


def _doubles(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


# --- tables


def _table(text: TextIOWrapper, *, columns: bool) -> Iterator[Entry]:
    parts, line = pieces(text), 1
    head = next(parts, "")
    while head and not head.strip():
        head, line = next(parts, ""), line + 1
    delimiter = separator_line(head)
    if delimiter is not None:
        head, line = next(parts, ""), line + 1
    found = records(chain([head] if head else [], parts), delimiter or delimiter_of(head), line)
    names = _names(next(found, Record(line, [])))
    _check_prompt(names, columns=columns)
    ours = is_ours(names)
    for record in found:
        if record.wrong:
            yield Entry(record.line, record.wrong, record.rows)
        elif any(cell.strip() for cell in record.cells):
            cells = [plain(cell) for cell in record.cells] if ours else record.cells
            yield Entry(record.line, _row(names, cells, ours=ours), short=len(cells) < len(names))


def _names(head: Record) -> list[str]:
    if head.wrong:
        raise RequestError(f"The first line is no CSV: {head.wrong}.")
    names = [_column(name) for name in head.cells]
    if not any(names):
        raise RequestError("The file is empty.", hint="The first line of CSV names the columns: prompt,expected")
    if double := _doubles([name for name in names if name]):
        raise RequestError(f"The first line names a column twice: {', '.join(double)}.", hint="Rename one.")
    if why := _why_no_text(names):
        raise RequestError(f"The first line can't be read: {why}.", hint="Save the file as UTF-8.")
    return [name or f"column {number}" for number, name in enumerate(names, 1)]


def _check_prompt(names: Sequence[str], *, columns: bool) -> None:
    if not columns and "prompt" not in names:
        likely = place(prompt_column(names))
        raise RequestError(
            f"There is no column prompt; the columns are: {', '.join(names)}.",
            hint=f"Name one of them prompt, or write a prompt for all rows (--prompt) with a column in it: {likely}",
        )


def _row(names: Sequence[str], cells: Sequence[str], *, ours: bool) -> Said:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return f"there are {len(cells)} cells and {len(names)} columns: quote a cell that holds the separator"
    if why := _why_no_text(cells, nul=ours):
        return why
    filled = [*cells[: len(names)], *[""] * (len(names) - len(cells))]
    entry: dict[str, JsonValue] = dict(zip(names, filled, strict=True))
    for name in FIELDS[1:]:
        if not str(entry.get(name) or "").strip():
            entry.pop(name, None)
    if isinstance(text := entry.get("variables"), str):
        found = _json_entry(text)
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


def _why_no_text(texts: Sequence[str], *, nul: bool = False) -> str:
    """Why `texts` can't be asked; empty where they can. `nul`: a NUL may stand in them."""
    if not all(map(is_text, texts)):
        return "this is not UTF-8"
    return "" if nul or not any("\0" in text for text in texts) else "there is a NUL character, which no text has"
