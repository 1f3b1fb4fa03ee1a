"""A file as plain values, with the line and the written text of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.errors import Problem
from llamafarm.types import JsonValue

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """`("runtime", "models", 2, "provider")` as `runtime.models[2].provider`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(slots=True)
class Document:
    """What a file holds: `value` as plain data, `lines` (from 1) and `texts` (as written) by path.

    `texts` has the source text of scalars that are not text, so that `name: 007` can stay "007".
    `duplicates` are the keys that a mapping holds twice.
    """

    value: JsonValue = None
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    duplicates: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def text(self, path: Path, value: JsonValue) -> str | None:
        """A scalar as text: what was written, not what YAML makes of it. None for null, lists and mappings."""
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, list | dict):
            return None
        return self.texts.get(path, str(value))

    def problem(self, path: Path, message: str) -> Problem:
        """`message` about `path`, with its line."""
        return Problem(self.line(path), dotted(path), message)


@dataclass(slots=True)
class Findings:
    """Collects what is wrong with a document, and what of it is ignored."""

    document: Document
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, path: Path, message: str) -> Problem:
        """Note an error at `path`."""
        problem = self.document.problem(path, message)
        self.errors.append(problem)
        return problem

    def warn(self, path: Path, message: str) -> None:
        """Note a warning at `path`."""
        self.warnings.append(self.document.problem(path, message))

    def mapping(self, path: Path, value: JsonValue) -> Mapping[str, JsonValue]:
        """`value` where it is a mapping or null; else an error, and an empty mapping."""
        if value is not None and not isinstance(value, dict):
            self.error(path, f"`{dotted(path)}` must be a mapping of names to values, but is {kind(value)}.")
        return value if isinstance(value, dict) else {}

    def names(self, path: Path, value: JsonValue) -> tuple[str, ...] | None:
        """`value` as a list of names; a single name is a list of one; None for null."""
        if value is None:
            return None
        entries = value if isinstance(value, list) else [value]
        texts = [self.document.text((*path, index), entry) for index, entry in enumerate(entries)]
        if any(text is None for text in texts):
            self.error(path, f"`{dotted(path)}` must be a list of names.")
        return tuple(text for text in texts if text is not None)


def kind(value: JsonValue) -> str:
    """What `value` is, in the words of someone who writes YAML."""
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "text"
        case bool():
            return "true or false"
        case _:
            return "a number"
