"""Bytes to text, and text to a Document: YAML, JSON and TOML, with the line of what can't be read."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from pathlib import Path as FilePath
from typing import Any, NoReturn

from llamafarm.config.reading.document import Document, Path
from llamafarm.config.reading.toml_keys import long_key_line
from llamafarm.config.reading.yaml_tree import MAX_DEPTH, MAX_NODES, TOO_DEEP, read_yaml
from llamafarm.core.errors import ConfigError, Problem
from llamafarm.core.json_faults import json_fault
from llamafarm.core.types import JsonValue

MAX_BYTES = 1024 * 1024
SUFFIXES = (".yaml", ".yml", ".json", ".toml")


def read_file(path: FilePath) -> bytes:
    """The bytes of a project file. Raises ConfigError where it can't be read, or is over 1 MiB."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.", hint="Look at its name and rights.") from None
    return data


def read_text(data: bytes) -> str:
    """`data` as text: UTF-8, or UTF-16 with its mark. Raises ConfigError for anything else."""
    if len(data) > MAX_BYTES:
        raise _broken(None, f"The file is larger than {MAX_BYTES // 1024:,} KiB: this is no project file.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _broken(line, "This is not UTF-8 text: save the file with the encoding UTF-8.") from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise _broken(line, "There is a NUL character: this is no text file.")
    return text


def read_document(text: str, name: str) -> Document:
    """`text` by the ending of `name` (.json, .toml, else YAML). Raises ConfigError."""
    if len(text) > MAX_BYTES:
        raise _broken(None, f"The text is larger than {MAX_BYTES // 1024:,} KiB: this is no project file.")
    suffix = FilePath(name).suffix.lower()
    if suffix == ".json":
        return _read_json(text)
    return _read_toml(text) if suffix == ".toml" else read_yaml(text)


def _read_json(text: str) -> Document:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        fault = json_fault(error)
        raise _broken(fault.line, f"This is not JSON: {fault.message} (column {fault.column}).") from None
    except (ValueError, RecursionError) as error:
        raise _broken(None, f"This JSON can't be used: {error}.") from None
    # JSON is YAML too once its tabs are spaces, and YAML's reader knows the lines.
    lines = read_yaml(text.replace("\t", " "))
    return Document(value, lines=lines.lines, texts=lines.texts, duplicates=lines.duplicates)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _read_toml(text: str) -> Document:
    if line := long_key_line(text):
        raise _broken(line, f"A key has more than {MAX_DEPTH} parts.")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise _broken(int(found[1]) if found else None, f"This is not TOML: {error}.") from None
    except RecursionError:
        raise _broken(None, f"This TOML can't be used: {TOO_DEEP}") from None
    _check_size(value)
    return Document(_plain(value), lines=_toml_lines(text))


def _check_size(value: Any) -> None:
    """Raise ConfigError for more values, or a deeper tree, than YAML may have."""
    left, nodes = [(value, 1)], 0
    while left:
        each, depth = left.pop()
        nodes += 1
        if nodes > MAX_NODES:
            raise _broken(None, f"This file has more than {MAX_NODES:,} values.")
        if isinstance(each, dict | list):
            if depth > MAX_DEPTH:
                raise _broken(None, TOO_DEEP)
            inner = each.values() if isinstance(each, dict) else each
            left += [(part, depth + 1) for part in inner]


def _plain(value: Any) -> JsonValue:
    """TOML's values as JSON's: dates and times become text."""
    match value:
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
        case list():
            return [_plain(entry) for entry in value]
        case datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            plain: JsonValue = value
            return plain


_TOML_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_TOML_TABLE = re.compile(rf"\s*(\[\[?)\s*({_TOML_KEY}(?:\s*\.\s*{_TOML_KEY})*)\s*\]\]?")
_TOML_ENTRY = re.compile(rf"\s*({_TOML_KEY}(?:\s*\.\s*{_TOML_KEY})*)\s*=")


def _toml_lines(text: str) -> dict[Path, int]:
    """Where each table and key of a valid TOML text stands."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.split("\n"), 1):
        if found := _TOML_TABLE.match(line):
            table = _toml_path(found[2], counts)
            if found[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif found := _TOML_ENTRY.match(line):
            lines.setdefault((*table, *_toml_path(found[1], {})), number)
    return lines


def _toml_path(text: str, counts: dict[Path, int]) -> Path:
    """A dotted key; where it leads through an array of tables, through the newest of its entries."""
    path: Path = ()
    keys = re.findall(_TOML_KEY, text)
    for index, key in enumerate(keys):
        path = (*path, key.strip("\"'"))
        if path in counts and index < len(keys) - 1:
            path = (*path, counts[path])
    return path


def _broken(line: int | None, message: str) -> ConfigError:
    return ConfigError("This file can't be used.", [Problem(line, "", message)])
