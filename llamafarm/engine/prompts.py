"""A file of prompts for a sweep: lines of text, or JSON Lines with variables, an expected answer and checks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from llamafarm.engine.grid import Prompt
from llamafarm.errors import RequestError
from llamafarm.study.checks import Check, check_of
from llamafarm.types import JsonValue

JSON_LINES = (".jsonl", ".ndjson")
MOST_PROMPTS = 1_000
FIELDS = ("prompt", "variables", "expected", "checks")


def prompts_of(text: str, name: str, checks: Sequence[Check] = ()) -> tuple[Prompt, ...]:
    """The prompts of a file, each also with `checks`. A line of text is a prompt, and an empty one is none.

    A line of JSON Lines is `{"prompt": …, "variables": {…}, "expected": …, "checks": […]}`; all but the first may be
    missing, and `expected` is what the answer contains. Raises RequestError, with the line, for anything else.
    """
    as_json = Path(name).suffix.lower() in JSON_LINES
    prompts = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            prompts.append(_prompt(line, f"{name}, line {number}", checks) if as_json else _plain(line, checks))
        if len(prompts) > MOST_PROMPTS:
            raise RequestError(f"{name} has more than {MOST_PROMPTS:,} prompts: too many for a sweep.")
    return tuple(prompts)


def _plain(line: str, checks: Sequence[Check]) -> Prompt:
    return Prompt(line.strip(), checks=tuple(checks))


def _prompt(line: str, place: str, checks: Sequence[Check]) -> Prompt:
    try:
        entry: JsonValue = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{place}: this is not JSON: {error}.") from None
    text = entry.get("prompt") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(text, str) or not text.strip():
        raise RequestError(f'{place}: write an object with "prompt" and its text.')
    if unknown := sorted(entry.keys() - set(FIELDS)):
        raise RequestError(f"{place}: unknown: {', '.join(unknown)}.", hint=f"There are: {', '.join(FIELDS)}.")
    return Prompt(text, _variables(entry.get("variables"), place), (*checks, *_checks(entry, place)))


def _variables(value: JsonValue, place: str) -> dict[str, JsonValue]:
    if value is not None and not isinstance(value, dict):
        raise RequestError(f"{place}: variables are an object of names and values.")
    return value or {}


def _checks(entry: dict[str, JsonValue], place: str) -> list[Check]:
    expected, written = entry.get("expected"), entry.get("checks") or []
    texts = [f"contains:{expected}"] if isinstance(expected, str | int | float) and str(expected).strip() else []
    if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
        raise RequestError(f"{place}: checks are a list of texts, such as contains:Paris.")
    try:
        return [check_of(str(each)) for each in (*texts, *written)]
    except RequestError as error:
        raise RequestError(f"{place}: {error.message}", hint=error.hint) from None
