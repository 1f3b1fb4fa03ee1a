"""Filling in `${…}` throughout a part of a file, or refusing to where the file is not trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.config.reading.document import Document, Path
from llamafarm.config.reading.env import references, resolve
from llamafarm.core.errors import Problem
from llamafarm.core.types import JsonValue

WRITE_ANEW = "The secret here was hidden when this text was shown: write it anew, best as ${env:NAME}."
HIDDEN = re.compile(r"^(?:Bearer )?\(hidden\)$|://\(hidden\)@|[=:] ?\(hidden\)")


@dataclass(slots=True)
class Filled:
    """A part of a file with its strings filled in; `problems` tells what could not be."""

    value: JsonValue
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Strings:
    """`values` are the variables that may be used; None in a file that is not trusted.

    `written`: nothing is filled in or refused, for telling what a file would do.
    """

    document: Document
    values: Mapping[str, str] | None
    written: bool = False

    def fill(self, value: JsonValue, path: Path) -> Filled:
        """`value` with every `${…}` in its strings filled in."""
        filled = Filled(None)
        filled.value = self._fill(value, path, filled.problems)
        return filled

    def hidden(self, value: JsonValue, path: Path) -> list[Problem]:
        """A problem for each secret that was hidden when the text was shown: `(hidden)` is nobody's key."""
        match value:
            case dict():
                return [each for key, inner in value.items() for each in self.hidden(inner, (*path, key))]
            case list():
                return [each for at, inner in enumerate(value) for each in self.hidden(inner, (*path, at))]
            case str() if is_hidden(value):
                return [self.document.problem(path, WRITE_ANEW)]
            case _:
                return []

    def _fill(self, value: JsonValue, path: Path, problems: list[Problem]) -> JsonValue:
        match value:
            case dict():
                return {key: self._fill(each, (*path, key), problems) for key, each in value.items()}
            case list():
                return [self._fill(each, (*path, index), problems) for index, each in enumerate(value)]
            case str() if references(value) and not self.written:
                return self._text(value, path, problems)
            case _:
                return value

    def _text(self, value: str, path: Path, problems: list[Problem]) -> str:
        if self.values is None:
            names = ", ".join(references(value))
            problems.append(
                self.document.problem(path, f"The file is not trusted, so {names} is not read from the environment.")
            )
            return value
        resolved = resolve(value, self.values)
        for name in resolved.missing:
            message = f"The environment variable {name} is not set: set it, or put it into .env beside the file."
            problems.append(self.document.problem(path, message))
        return resolved.text


def is_hidden(text: str) -> bool:
    """Whether a secret in `text` was hidden when it was shown."""
    return HIDDEN.search(text) is not None
