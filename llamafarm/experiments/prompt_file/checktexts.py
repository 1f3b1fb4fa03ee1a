"""Checks with values of a row in them: `contains:{{answer}}`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from llamafarm.config.sections.template import Filled, fill
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import FORMS, Check, Kind, check_of


def filled_check(text: str, values: Mapping[str, JsonValue]) -> Filled:
    """`text` with the values that stand in it; empty where all of them are.

    In a regular expression and a schema a value stands for itself, whatever signs it holds.
    """
    if "{{" not in text:
        return Filled(text)
    found: list[str] = []
    escaped = _escape(text)

    def written(value: str) -> str:
        found.append(value)
        return escaped(value)

    filled = fill(text, values, written)
    return Filled("", filled.used) if found and not any(each.strip() for each in found) else filled


def _escape(text: str) -> Callable[[str], str]:
    match _kind(text):
        case "regex":
            return re.escape
        case "schema":
            return lambda value: json.dumps(value)[1:-1]
        case _:
            return str.strip


def written_checks(texts: Iterable[str]) -> tuple[str, ...]:
    """Checks for all rows, as they are written. Raises RequestError where one can't be understood in any row."""
    checks = tuple(texts)
    for text in checks:
        if "{{" not in text:
            check_of(text)
        elif _kind(text) not in get_args(Kind):
            raise RequestError(f"{text!r} is no check.", hint=f"There are: {FORMS}.")
    return checks


def checks_of(texts: Iterable[str], values: Mapping[str, JsonValue]) -> tuple[Check, ...]:
    """The checks of one prompt, with its values in them. Raises RequestError where one can't be understood."""
    filled = [filled_check(text, values).text for text in written_checks(texts)]
    return tuple(check_of(text) for text in filled if text)


def _kind(text: str) -> str:
    return text.partition(":")[0].strip().lower()
