"""A row of a file of prompts: good, or bad with its line and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import Check


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: `number` counts all rows from 1, `line` is where it begins.

    `prompt` and `system` are as they are sent. `used` are the names of values that the row's texts took, `left` is what
    else stands in braces there: it is sent as it is. `columns` are the names that the row gives values, but ours.
    `short`: it has fewer cells than the table has columns; the others are empty.
    """

    number: int
    line: int
    id: str
    prompt: str
    system: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    used: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    short: bool = False

    @property
    def item(self) -> str:
        """The row's name in its run: its number, and its id where it has one."""
        return f"{self.number} {self.id}".strip()


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that can't be asked, and why. It may have been `rows` of them."""

    number: int
    line: int
    why: str
    rows: int = 1

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.why}"


def item_number(item: str | None) -> int | None:
    """The number of the row that is called so; None where it is no row's name."""
    number = (item or "").partition(" ")[0]
    return int(number) if number.isascii() and number.isdigit() else None
