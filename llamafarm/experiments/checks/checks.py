"""Checks of an answer that need no judgement: written as `kind:argument`, answered with yes or no."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import regex

from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.budget import BUDGET_S, Budget, OutOfTime
from llamafarm.experiments.checks.patterns import Pattern
from llamafarm.experiments.checks.schemas import Schema, Untold
from llamafarm.experiments.stats.text import normalised

Kind = Literal["equals", "contains", "not-contains", "regex", "json", "schema", "number"]
MOST_LETTERS = 200_000  # of an answer that is searched
NUMBER = regex.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d+|(?=\.\d))(?:\.\d+)?(?:[eE][-+]?\d+)?"
)
SEPARATORS = dict.fromkeys(map(ord, ",\u00a0\u202f"))
FENCE = regex.compile(r"\A\s*```[\w+-]*[ \t]*\n(.*?)\n?```\s*\Z", regex.DOTALL)
FORMS = ", ".join(
    (
        "equals:TEXT",
        "contains:TEXT",
        "not-contains:TEXT",
        "regex:PATTERN",
        "json",
        "schema:{…}",
        "number:42",
        "number:3.14±0.01",
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of an answer. `passed` is None where it could not be told; `why` is for people."""

    passed: bool | None
    why: str = ""


Judge = Callable[[str, Budget], Verdict]


@dataclass(frozen=True, slots=True)
class Check:
    """A check; `text` is how it is written, and how it is named in tables."""

    kind: Kind
    text: str
    judge: Judge = field(repr=False, compare=False)

    def __call__(self, answer: str, budget: Budget | None = None) -> Verdict:
        """The verdict on `answer`, within `budget`, which all checks of it share: not for the event loop."""
        try:
            return self.judge(answer[:MOST_LETTERS], budget or Budget())
        except OutOfTime:
            return Verdict(None, f"The checks of this answer took more than {BUDGET_S:g} s.")


def check_of(text: str) -> Check:
    """The check that is written as `text`. Raises RequestError where it can't be understood."""
    kind, _, argument = text.partition(":")
    argument = argument.strip()
    match kind.strip().lower():
        case "equals" if argument:
            return Check("equals", text, lambda answer, _: _told(normalised(answer) == normalised(argument)))
        case "contains" if argument:
            return Check("contains", text, lambda answer, _: _told(_folded(argument) in _folded(answer)))
        case "not-contains" if argument:
            return Check("not-contains", text, lambda answer, _: _told(_folded(argument) not in _folded(answer)))
        case "regex" if argument:
            return Check("regex", text, _pattern(argument))
        case "json" if not argument:
            return Check("json", text, lambda answer, _: _json(answer)[1])
        case "schema" if argument:
            return Check("schema", text, _schema(argument))
        case "number" if argument:
            return Check("number", text, _number(argument))
        case _:
            raise RequestError(f"{text!r} is no check.", hint=f"There are: {FORMS}.")


def _told(passed: bool, why: str = "") -> Verdict:  # noqa: FBT001 - the verdict itself
    return Verdict(passed, why)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _pattern(text: str) -> Judge:
    pattern = Pattern(text)
    return lambda answer, budget: _told(pattern.found(answer, budget))


def _json(answer: str) -> tuple[JsonValue, Verdict]:
    """The answer as JSON: the whole of it, or of the one code block that it is."""
    fenced = FENCE.match(answer)
    try:
        return json.loads(fenced.group(1) if fenced else answer, parse_constant=_refuse), Verdict(passed=True)
    except (ValueError, RecursionError) as error:
        return None, Verdict(passed=False, why=f"No JSON: {error}.")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _schema(text: str) -> Judge:
    schema = Schema(text)

    def judge(answer: str, budget: Budget) -> Verdict:
        value, verdict = _json(answer)
        if not verdict.passed:
            return verdict
        try:
            wrong = schema.wrong(value, budget)
        except Untold as why:
            return Verdict(None, str(why))
        return Verdict(not wrong, wrong)

    return judge


def _number(text: str) -> Judge:
    """The last number of the answer is the wanted one: reasoning comes before the result."""
    wanted, _, tolerance = text.replace("+-", "±").partition("±")
    try:
        goal, within = float(wanted), float(tolerance or 0)
    except ValueError:
        raise RequestError(f"{text!r} is no number.", hint="Write number:42 or number:3.14±0.01.") from None
    if not (math.isfinite(goal) and math.isfinite(within) and within >= 0):
        raise RequestError(f"{text!r} is no finite number.")

    def judge(answer: str, _: Budget) -> Verdict:
        found = [match.group() for match in NUMBER.finditer(answer)]
        if not found:
            return Verdict(passed=False, why="There is no number in the answer.")
        value = float(found[-1].replace("−", "-").translate(SEPARATORS))
        return Verdict(abs(value - goal) <= within + 1e-12 * abs(goal), f"The last number is {value:g}.")

    return judge
