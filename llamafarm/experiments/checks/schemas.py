"""Checks against a JSON Schema: of a size, without fetching anything, and ended when the time is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.budget import Budget, OutOfTime
from llamafarm.experiments.checks.patterns import Pattern

MOST_LETTERS = 64 * 1024
MOST_PARTS = 5_000
DEEPEST = 40
EXCERPT = 200
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Keyword = Callable[[Any, Any, Any, Mapping[str, Any]], Iterator[ValidationError] | None]

_KEYWORDS = cast("Mapping[str, Keyword]", Draft202012Validator.VALIDATORS)


class Schema:
    """A schema of draft 2020-12. Raises RequestError for what is none, or too large."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_LETTERS:
            raise RequestError(f"The schema is longer than {MOST_LETTERS // 1024} KiB.", hint="Write a simpler one.")
        try:
            self._schema: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RequestError(f"The schema is no JSON: {error}.") from None
        self._patterns = _patterns(self._schema)
        try:
            checked = _validator(Draft202012Validator.META_SCHEMA, Budget(), {}, registry=None)
            wrong = next(checked.iter_errors(self._schema), None)
        except (SchemaError, RecursionError, OutOfTime) as error:
            raise RequestError(f"The schema can't be used: {error or 'it takes too long to read'}.") from None
        if wrong is not None:
            raise RequestError(f"That is no JSON Schema: {wrong.message[:EXCERPT]}.")

    def wrong(self, value: JsonValue, budget: Budget) -> str:
        """What is wrong with `value`; nothing where it is as the schema says. Raises OutOfTime, Untold."""
        validator = _validator(self._schema, budget, self._patterns, registry=EMPTY_REGISTRY)
        try:
            error = next(validator.iter_errors(value), None)
        except Unresolvable as missing:
            raise Untold(f"The schema refers to {str(missing.ref)[:EXCERPT]}, which is not in it.") from None
        except ArithmeticError:
            raise Untold("A number of the answer is too large to be checked.") from None
        except RecursionError:
            raise Untold("The schema refers to itself without end, or the answer is nested too deep.") from None
        return "" if error is None else error.message[:EXCERPT]


class Untold(Exception):
    """It can't be told whether an answer is as its schema says; the text says why."""


def _validator(schema: Any, budget: Budget, patterns: Mapping[str, Pattern], registry: Registry[Any] | None) -> Any:
    """A validator whose every step looks at the time; each keyword of each part of the schema is one."""

    def timed(keyword: Keyword) -> Keyword:
        def steps(validator: Any, value: Any, instance: Any, part: Mapping[str, Any]) -> Iterator[ValidationError]:
            budget.left()
            for error in keyword(validator, value, instance, part) or ():
                budget.left()
                yield error

        return steps

    def pattern(_: Any, value: Any, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
        if isinstance(instance, str) and value in patterns and not patterns[value].found(instance, budget):
            yield ValidationError(f"{instance[:EXCERPT]!r} does not match {value[:EXCERPT]!r}")

    own: dict[str, Keyword] = {"pattern": pattern, "uniqueItems": _unique}
    keywords = {name: timed(own.get(name, each)) for name, each in _KEYWORDS.items()}
    kind = cast("Any", extend)(Draft202012Validator, keywords)
    return kind(schema) if registry is None else kind(schema, registry=registry)


def _unique(_: Any, wanted: Any, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    """The library compares each with each, which takes minutes for a long list of objects."""
    if wanted and isinstance(instance, list):
        seen = {json.dumps(_plain(each), sort_keys=True) for each in instance}
        if len(seen) < len(instance):
            yield ValidationError("The list has the same more than once")


def _plain(value: JsonValue) -> JsonValue:
    """`value` with 1.0 as 1: to JSON Schema they are one number."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value


def _patterns(schema: JsonValue) -> dict[str, Pattern]:
    """The patterns of a schema, compiled. Raises RequestError for what can't be used, or whose time has no bound."""
    patterns: dict[str, Pattern] = {}
    left, parts = [(schema, 0)], 0
    while left:
        part, depth = left.pop()
        parts += 1
        if parts > MOST_PARTS or depth > DEEPEST:
            raise RequestError(
                f"The schema has more than {MOST_PARTS:,} parts, or is more than {DEEPEST} levels deep.",
                hint="Write a simpler one.",
            )
        if isinstance(part, dict):
            _check_part(part)
            if isinstance(pattern := part.get("pattern"), str):
                patterns.setdefault(pattern, Pattern(pattern))
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        left += [(each, depth + 1) for each in inner]
    return patterns


def _check_part(part: dict[str, JsonValue]) -> None:
    if "patternProperties" in part:
        raise RequestError("A schema with patternProperties can't be checked.", hint="Name the properties.")
    if isinstance(dialect := part.get("$schema"), str):
        if dialect.rstrip("#") != DIALECT:
            raise RequestError(f"Schemas are of draft 2020-12, and this is {dialect[:EXCERPT]}.", hint="Leave it out.")
        del part["$schema"]  # with it, the library would take another validator for this part: one without bounds
