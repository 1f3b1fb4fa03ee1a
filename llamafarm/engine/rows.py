"""A file of prompts as a stream of rows, each good, or bad with its line and the reason. Memory holds one of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from llamafarm.config.template import render, variables
from llamafarm.engine.entries import FIELDS, Entry, entries, is_text
from llamafarm.errors import RequestError
from llamafarm.study.checks import Check, check_of
from llamafarm.types import JsonValue

LONGEST_ID = 200
REMEMBERED = 200  # checks that were understood once


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: `number` counts all rows from 1, `line` is where it begins. `prompt` is as it is sent."""

    number: int
    line: int
    id: str
    prompt: str
    system: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    @property
    def item(self) -> str:
        """The row's name in its run: its number, and its id where it has one."""
        return f"{self.number} {self.id}".strip()


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that can't be asked, and why."""

    number: int
    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.why}"


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file of prompts, and what is the same for all of its rows.

    `template`, where given, is the prompt of every row, with the row's own values in it. `variables` are values that a
    row may replace. `checks` are made of every answer, before the row's own. `name` is how people know it, where that
    is not the name of `path`.
    """

    path: Path
    template: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    name: str | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.path.name if self.name is None else self.name

    def rows(self) -> Generator[Row | Bad, None, None]:
        """All rows in their order; blocks while it reads. Raises RequestError where the file is none of prompts."""
        try:
            with self.path.open("rb") as file, closing(entries(file)) as found:
                made = _Maker(self)
                for number, (line, entry) in enumerate(found, 1):
                    yield made.row(number, line, entry)
        except OSError as error:
            raise RequestError(f"{self.name or self.path} can't be read: {error.strerror}.") from None


def item_number(item: str | None) -> int | None:
    """The number of the row that is called so; None where it is no row's name."""
    number = (item or "").partition(" ")[0]
    return int(number) if number.isascii() and number.isdigit() else None


class _Wrong(Exception):
    pass


class _Maker:
    """Makes rows of entries; a check that many rows have is understood once."""

    def __init__(self, file: PromptFile) -> None:
        self._file = file
        self._checks: dict[str, Check] = {}

    def row(self, number: int, line: int, entry: Entry) -> Row | Bad:
        """The row that `entry` is."""
        if isinstance(entry, str):
            return Bad(number, line, entry)
        try:
            return self._row(number, line, entry)
        except _Wrong as wrong:
            return Bad(number, line, str(wrong))
        except RequestError as error:
            return Bad(number, line, f"{error.message} {error.hint}".strip())

    def _row(self, number: int, line: int, entry: dict[str, JsonValue]) -> Row:
        name = "" if entry.get("id") is None else _text(entry, "id", str | int | float).strip()
        own = _variables(entry)
        values = {**self._file.variables, **own}
        template = self._file.template
        if template is None and "prompt" not in entry:
            raise _Wrong('there is no prompt: name a column "prompt", or give a template with --prompt')
        prompt = template if template is not None else _text(entry, "prompt", str)
        if template is not None and "prompt" in entry:
            values.setdefault("prompt", _text(entry, "prompt", str))
        if not prompt.strip():
            raise _Wrong("the prompt is empty")
        if len(name) > LONGEST_ID:
            raise _Wrong(f"the id is longer than {LONGEST_ID} letters")
        system = None if entry.get("system") is None else _text(entry, "system", str)
        sent = render(prompt, values) if values else prompt
        if system is not None:
            render(system, values)
        row = Row(number, line, " ".join(name.split()), sent, system, values, self._checked(entry))
        if not all(map(is_text, (name, sent, system or ""))):
            raise _Wrong("half of a surrogate pair is no text that can be sent")
        return row

    def _checked(self, entry: dict[str, JsonValue]) -> tuple[Check, ...]:
        expected, written = entry.get("expected"), entry.get("checks")
        texts = []
        if expected is not None:
            text = _text(entry, "expected", str | int | float).strip()
            texts += [f"contains:{text}"] if text else []
        if written is not None:
            if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
                raise _Wrong("checks are a list of texts, such as contains:Paris")
            texts += map(str, written)
        return (*self._file.checks, *map(self._check, texts))

    def _check(self, text: str) -> Check:
        found = self._checks.get(text)
        if found is None:
            if len(self._checks) >= REMEMBERED:
                self._checks.clear()
            found = self._checks[text] = check_of(text)
        return found


def _text(entry: Mapping[str, JsonValue], name: str, kinds: type | object) -> str:
    value = entry[name]
    if isinstance(value, bool) or not isinstance(value, kinds):  # type: ignore[arg-type]  # a union is a type to it
        raise _Wrong(f"{name} is no text")
    return str(value)


def _variables(entry: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The object `variables`, and every column that is none of ours."""
    given = entry.get("variables")
    if given is not None and not isinstance(given, dict):
        raise _Wrong("variables are an object of names and values")
    return {**{name: value for name, value in entry.items() if name not in FIELDS}, **(given or {})}


def unfilled(row: Row) -> bool:
    """Whether `{{ … }}` stands in a prompt that no value was given for, so that it is sent as it is."""
    return not row.variables and bool(variables([row.prompt]))
