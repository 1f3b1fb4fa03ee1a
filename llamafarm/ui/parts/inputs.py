"""What people write into the page's controls, read; RequestError says what is wrong with it."""

from __future__ import annotations

import math

from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.prompt_file.checktexts import written_checks

MOST_TOKENS = 1_000_000
MOST_AT_ONCE = 64


def read_variables(text: str) -> dict[str, JsonValue]:
    """`name=value` lines as template variables; one without a value counts as not given. Raises RequestError."""
    values: dict[str, JsonValue] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if line.strip() and not equals:
            raise RequestError(f"Line {number} of the template variables is not name=value.")
        if value:
            values[name.strip()] = value
    return values


def read_checks(text: str) -> tuple[str, ...]:
    """One check a line, as it is written. Raises RequestError."""
    return written_checks(line.strip() for line in text.splitlines() if line.strip())


def read_whole(value: float | None, name: str, most: int) -> int | None:
    """A whole number from 1 to `most`; None where the control is empty."""
    if value is None:
        return None
    if not (math.isfinite(value) and value == int(value) and 1 <= value <= most):
        raise RequestError(f"{name}: a whole number from 1 to {most:,}.")
    return int(value)
