"""A file as plain values, with the line and the written text of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from llamafarm.core.errors import Problem
from llamafarm.core.types import JsonValue

Path = tuple[str | int, ...]
MOST_PROBLEMS = 100  # of a kind that a file is told of; beyond, how many more there are
MOST_NAMED = 12
MOST_NAMES = 200  # of a list that names others
LONGEST = 500  # characters of a message
LONGEST_KEY = 200


def dotted(path: Path) -> str:
    """`("runtime", "models", 2, "provider")` as `runtime.models[2].provider`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shortened(text: str, longest: int = LONGEST_KEY) -> str:
    """`text`, with `…` in its middle where it is longer."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def listed(names: Collection[str]) -> str:
    """The first of `names` with commas, and how many more there are; `none` for none."""
    shown = ", ".join(shortened(name, LONGEST_KEY // 4) for name in islice(names, MOST_NAMED))
    more = len(names) - MOST_NAMED
    return (f"{shown} and {more:,} more" if more > 0 else shown) or "none"


class Problems(list[Problem]):
    """The first of what is wrong; `seen` is how many there were in all."""

    seen = 0

    def append(self, problem: Problem) -> None:
        """Take the next one."""
        self.seen += 1
        if len(self) < MOST_PROBLEMS:
            super().append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take several."""
        for problem in problems:
            self.append(problem)

    def told(self) -> tuple[Problem, ...]:
        """Those that are kept, and a last one that says how many more there are."""
        more = self.seen - len(self)
        return (*self, Problem(None, "", f"And {more:,} more.")) if more else tuple(self)


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
        return Problem(self.line(path), shortened(dotted(path)), shortened(message, LONGEST))


@dataclass(slots=True)
class Findings:
    """Collects what is wrong with a document, and what of it is ignored."""

    document: Document
    errors: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)

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
        if len(entries) > MOST_NAMES:
            self.error(path, f"`{dotted(path)}` names {len(entries):,}: the first {MOST_NAMES} are read.")
            entries = entries[:MOST_NAMES]
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
