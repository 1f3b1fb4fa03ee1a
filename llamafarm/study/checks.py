"""Checks of an answer that need no judgement: written as `kind:argument`, answered with yes or no."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from llamafarm.errors import RequestError
from llamafarm.study.text import normalised
from llamafarm.types import JsonValue

Kind = Literal["equals", "contains", "not-contains", "regex", "json", "schema", "number"]
PATTERN_S = 0.5  # for one regular expression on one answer
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


@dataclass(frozen=True, slots=True)
class Check:
    """A check; `text` is how it is written, and how it is named in tables."""

    kind: Kind
    text: str
    judge: Callable[[str], Verdict] = field(repr=False, compare=False)

    def __call__(self, answer: str) -> Verdict:
        """The verdict on `answer`. May take half a second: not for the event loop."""
        return self.judge(answer[:MOST_LETTERS])


def check_of(text: str) -> Check:
    """The check that is written as `text`. Raises RequestError where it can't be understood."""
    kind, _, argument = text.partition(":")
    argument = argument.strip()
    match kind.strip().lower():
        case "equals" if argument:
            return Check("equals", text, lambda answer: _told(normalised(answer) == normalised(argument)))
        case "contains" if argument:
            return Check("contains", text, lambda answer: _told(_folded(argument) in _folded(answer)))
        case "not-contains" if argument:
            return Check("not-contains", text, lambda answer: _told(_folded(argument) not in _folded(answer)))
        case "regex" if argument:
            return Check("regex", text, _pattern(argument))
        case "json" if not argument:
            return Check("json", text, lambda answer: _json(answer)[1])
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


def _pattern(pattern: str) -> Callable[[str], Verdict]:
    """Searches, as grep does; lines end at their ends."""
    try:
        compiled = regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        raise RequestError(f"{pattern!r} is no regular expression: {error}.") from None

    def judge(answer: str) -> Verdict:
        try:
            return _told(compiled.search(answer, timeout=PATTERN_S) is not None)
        except TimeoutError:
            return Verdict(None, f"The pattern took more than {PATTERN_S:g} s on this answer.")

    return judge


def _json(answer: str) -> tuple[JsonValue, Verdict]:
    """The answer as JSON: the whole of it, or of the one code block that it is."""
    fenced = FENCE.match(answer)
    try:
        return json.loads(fenced.group(1) if fenced else answer, parse_constant=_refuse), Verdict(passed=True)
    except (ValueError, RecursionError) as error:
        return None, Verdict(passed=False, why=f"No JSON: {error}.")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _schema(text: str) -> Callable[[str], Verdict]:
    try:
        schema = json.loads(text)
        Draft202012Validator.check_schema(schema)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The schema is no JSON: {error}.") from None
    except SchemaError as error:
        raise RequestError(f"That is no JSON Schema: {error.message}.") from None
    _check_patterns(schema)
    # An empty registry: a `$ref` to an address or a file is not fetched.
    validator = _Validator(schema, registry=Registry())

    def judge(answer: str) -> Verdict:
        value, verdict = _json(answer)
        if not verdict.passed:
            return verdict
        try:
            error = next(validator.iter_errors(value), None)
        except Unresolvable as missing:
            return Verdict(None, f"The schema refers to {missing.ref}, which is not in it.")
        except TimeoutError:
            return Verdict(None, f"A pattern of the schema took more than {PATTERN_S:g} s.")
        except RecursionError:
            return Verdict(None, "The schema refers to itself without end.")
        return Verdict(error is None, "" if error is None else error.message[:200])

    return judge


def _check_patterns(schema: JsonValue) -> None:
    """Raises RequestError for patterns that can't be used, or whose time can't be bounded."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            raise RequestError("A schema with patternProperties can't be checked.", hint="Name the properties.")
        if isinstance(pattern := schema.get("pattern"), str):
            _pattern(pattern)
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _check_patterns(part)


def _bounded_pattern(
    _validator: object, pattern: str, instance: object, _schema: Mapping[str, object]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and regex.search(pattern, instance, timeout=PATTERN_S) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = cast("Any", extend)(Draft202012Validator, {"pattern": _bounded_pattern})


def _number(text: str) -> Callable[[str], Verdict]:
    """The last number of the answer is the wanted one: reasoning comes before the result."""
    wanted, _, tolerance = text.replace("+-", "±").partition("±")
    try:
        goal, within = float(wanted), float(tolerance or 0)
    except ValueError:
        raise RequestError(f"{text!r} is no number.", hint="Write number:42 or number:3.14±0.01.") from None
    if not (math.isfinite(goal) and math.isfinite(within) and within >= 0):
        raise RequestError(f"{text!r} is no finite number.")

    def judge(answer: str) -> Verdict:
        found = [match.group() for match in NUMBER.finditer(answer)]
        if not found:
            return Verdict(passed=False, why="There is no number in the answer.")
        value = float(found[-1].replace("−", "-").translate(SEPARATORS))
        return Verdict(abs(value - goal) <= within + 1e-12 * abs(goal), f"The last number is {value:g}.")

    return judge
