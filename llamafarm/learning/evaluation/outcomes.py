"""Outcomes of one's own in JSON Lines: a prompt, what each model's answer was worth and cost, perhaps the answer.

`{"prompt": "…", "scores": {"weak": 0, "strong": 1}, "cost": {"weak": 0.3, "strong": 6.0}, "answers": {"weak": "…"}}`
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from llamafarm.core.json_faults import json_fault
from llamafarm.core.types import JsonValue

FIELDS = ("prompt", "scores", "cost", "answers")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line: `scores` are from 0 to 1, `cost` in any one unit, both by the name of the lane."""

    prompt: str
    scores: Mapping[str, float]
    cost: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that can't be used: its number from 1, and why, in words that go on after a colon."""

    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.why}"


class _Wrong(Exception):
    pass


def read_lines(lines: Iterable[tuple[int, str | None]]) -> Iterator[Outcome | Bad]:
    """Each line, with its number, as an outcome, or what is wrong with it. Empty lines are passed over.

    A line that is None was too long to be read.
    """
    for number, text in lines:
        try:
            if text is None:
                yield Bad(number, "the line is too long")
            elif text.strip():
                text.encode()
                yield _outcome(json.loads(text, parse_constant=_refuse))
        except UnicodeEncodeError:
            yield Bad(number, "this is not UTF-8 text")
        except json.JSONDecodeError as error:
            fault = json_fault(error)
            yield Bad(number, f"this is not JSON: {fault.message} at column {fault.column}")
        except RecursionError:
            yield Bad(number, "this is JSON in too many layers")
        except (_Wrong, ValueError) as wrong:
            yield Bad(number, str(wrong))


def _refuse(name: str) -> None:
    raise _Wrong(f"{name} is no number that JSON has")


def _outcome(said: JsonValue) -> Outcome:
    if not isinstance(said, dict):
        raise _Wrong('a line is an object such as {"prompt": "…", "scores": {"weak": 0, "strong": 1}}')
    prompt = said.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise _Wrong('there is no text under "prompt"')
    if not _is_text(prompt):
        raise _Wrong("half of a surrogate pair is no text that can be sent")
    scores = {name: _figure("the score", name, value, most=1.0) for name, value in _object(said, "scores").items()}
    if not scores:
        raise _Wrong('there is no score: write "scores": {"weak": 0, "strong": 1}')
    cost = {name: _figure("the cost", name, value) for name, value in _object(said, "cost").items()}
    answers = _object(said, "answers")
    for name, answer in answers.items():
        if not isinstance(answer, str):
            raise _Wrong(f"the answer of {name} is no text")
    return Outcome(prompt, scores, cost, {name: str(answer) for name, answer in answers.items()})


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(said: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Wrong(f'"{name}" is an object of lanes and values')
    return {lane: each for lane, each in value.items() if each is not None}


def _figure(what: str, name: str, value: JsonValue, most: float = math.inf) -> float:
    if isinstance(value, bool) and most == 1.0:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(f"{what} of {name} is no number")
    try:
        figure = float(value)
    except OverflowError:
        figure = math.inf
    if not math.isfinite(figure) or not 0 <= figure <= most:
        raise _Wrong(f"{what} of {name} is {value}, which is not {'from 0 to 1' if most == 1.0 else 'zero or more'}")
    return figure
