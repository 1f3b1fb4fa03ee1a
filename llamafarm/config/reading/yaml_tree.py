"""YAML to a Document, from the parser's events: no recursion, no objects, no expansion without end.

Scalars follow what people mean rather than YAML 1.1: `no`, `on` and `12:30` are text, `1e3` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from llamafarm.config.reading.document import MOST_PROBLEMS, Document, Path, dotted, shortened
from llamafarm.core.errors import ConfigError, Problem
from llamafarm.core.types import JsonValue

MAX_DEPTH = 100
MAX_NODES = 50_000
MAX_LETTERS = 2 * 1024 * 1024  # of all texts; twice the largest file
MAX_DIGITS = 300
TOO_DEEP = f"This is nested more than {MAX_DEPTH} levels deep."

_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_STANDARD = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}
_TOO_DEEP = "exceeded maximum nesting depth"  # libyaml's own word: its scanner reads ahead, to 1,000 levels
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; `size` and `letters` count what it would be when written out."""

    value: list[JsonValue] | dict[str, JsonValue]
    path: Path
    anchor: str | None
    size: int = 1
    letters: int = 0
    key: str | None = None
    merges: list[JsonValue] = field(default_factory=list)


def read_yaml(text: str) -> Document:
    """The first document of `text`. Raises ConfigError with the line of what can't be read."""
    try:
        return _Builder().build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise ConfigError("This is not YAML.", [Problem(line, "", _advice(error, _line_of(text, line)))]) from None
    except yaml.YAMLError as error:
        raise ConfigError("This is not YAML.", [Problem(None, "", f"{str(error).splitlines()[0]}.")]) from None


def _line_of(text: str, line: int | None) -> str:
    lines = text.splitlines()
    return lines[line - 1] if line and line <= len(lines) else ""


def _advice(error: yaml.MarkedYAMLError, line: str) -> str:
    said = " ".join(part for part in (error.context, error.problem) if part)
    if error.problem == _TOO_DEEP:
        return TOO_DEEP
    if "\t" in line:
        return "There is a tab where YAML takes spaces only: indent with spaces."
    return f"YAML can't be read here: {said}. Look at the indentation, quotes and colons of this line."


class _Read(NamedTuple):
    """A value that was read: how many values and letters it would be when written out, and a scalar's own text."""

    value: JsonValue
    size: int
    letters: int
    text: str | None


class _Builder:
    """Builds the values from the bottom up; what an alias names is shared, not copied."""

    def __init__(self) -> None:
        self._document = Document()
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Read] = {}

    def build(self, events: Iterator[yaml.Event]) -> Document:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._done(_Read(_scalar(event), 1, len(event.value), event.value), event.anchor, event)
                case yaml.MappingStartEvent():
                    self._push({}, event)
                case yaml.SequenceStartEvent():
                    self._push([], event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._pop(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentEndEvent():
                    break
        return self._document

    def _push(self, value: list[JsonValue] | dict[str, JsonValue], event: yaml.CollectionStartEvent) -> None:
        if event.tag and event.tag not in _STANDARD:
            raise _trouble(event, f"The tag {event.tag} is not supported: write plain values.")
        if len(self._stack) >= MAX_DEPTH:
            raise _trouble(event, TOO_DEEP)
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            raise _trouble(event, "A list or mapping can't be a key.")
        path = self._place() if self._stack else ()
        if path:
            self._document.lines.setdefault(path, _line(event))
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._stack.append(_Open(value, path, event.anchor))

    def _pop(self, event: yaml.Event) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            for merged in done.merges:
                for source in merged if isinstance(merged, list) else [merged]:
                    if not isinstance(source, dict):
                        raise _trouble(event, "`<<` takes a mapping, or a list of mappings.")
                    done.value.update({k: v for k, v in source.items() if k not in done.value})
        self._done(_Read(done.value, done.size, done.letters, None), done.anchor, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise _trouble(event, f"The alias *{event.anchor} names nothing, or something that it is part of.")
        self._add(self._anchors[event.anchor], event)

    def _done(self, read: _Read, anchor: str | None, event: yaml.Event) -> None:
        if anchor:
            self._anchors[anchor] = read
        self._add(read, event)

    def _add(self, read: _Read, event: yaml.Event) -> None:
        if not self._stack:
            self._document.value = read.value
            return
        value, text, parent = read.value, read.text, self._stack[-1]
        parent.letters += read.letters
        if parent.letters > MAX_LETTERS:
            mib = MAX_LETTERS // 1024 // 1024
            raise _trouble(event, f"The texts of this file come to more than {mib} MiB, those of its aliases counted.")
        if isinstance(parent.value, dict) and parent.key is None:
            self._open_key(parent, event, text)
            return
        parent.size += read.size
        if parent.size > MAX_NODES:
            raise _trouble(event, f"This file has more than {MAX_NODES:,} values, those of its aliases counted.")
        path = self._place()
        self._document.lines.setdefault(path, _line(event))
        if text is not None and not isinstance(value, str):
            self._document.texts[path] = text
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key == "<<":
            parent.merges.append(value)
            parent.key = None
        elif parent.key is not None:
            parent.value[parent.key] = value
            parent.key = None

    def _open_key(self, parent: _Open, event: yaml.Event, text: str | None) -> None:
        if text is None:
            raise _trouble(event, "A list or mapping can't be a key.")
        path = (*parent.path, text)
        if text in parent.value:
            lines = f"lines {self._document.lines.get(path)} and {_line(event)}"
            message = f"`{shortened(text)}` stands twice here ({lines}): the second one counts. Remove one."
            if len(self._document.duplicates) <= MOST_PROBLEMS:
                self._document.duplicates.append(Problem(_line(event), shortened(dotted(path)), message))
        self._document.lines[path] = _line(event)
        parent.key = text

    def _place(self) -> Path:
        parent = self._stack[-1]
        return (*parent.path, len(parent.value) if isinstance(parent.value, list) else str(parent.key))


def _scalar(event: yaml.ScalarEvent) -> JsonValue:
    text, tag = event.value, event.tag
    if tag and tag != "!" and tag not in _STANDARD:
        raise _trouble(event, f"The tag {tag} is not supported: write plain values.")
    if not event.implicit[0] or text.startswith("<<"):
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(_SPECIAL[text.lower()]) if text.lower() in _SPECIAL else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _trouble(event: yaml.Event, message: str) -> ConfigError:
    return ConfigError("This file can't be used.", [Problem(_line(event), "", message)])
