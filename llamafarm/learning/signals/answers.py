"""What of a cheap model's answer shows whether it will do: signals that speak for themselves, and figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log1p
from typing import Literal

import numpy as np

from llamafarm.learning.features import Floats
from llamafarm.learning.signals.sums import written_sums

Signal = Literal["failed_check", "cut", "empty", "refusal", "wrong_sum", "no_final_form"]

TOLD: Mapping[Signal, str] = {
    "failed_check": "a check failed",
    "cut": "the answer was cut",
    "empty": "the answer is empty",
    "refusal": "the model refused",
    "wrong_sum": "a sum that it wrote is wrong",
    "no_final_form": "it does not end as its answers do",
}
CHANCES: Mapping[
    Signal, float
] = {  # factors on the odds that an answer with the signal is right: a guess until labels come
    "failed_check": 0.02,
    "cut": 0.1,
    "empty": 0.02,
    "refusal": 0.05,
    "wrong_sum": 0.2,
    "no_final_form": 0.15,
}
START = 3.0  # odds that a cheap answer without any signal is right
FORMS = {
    "####": re.compile(r"####\s*\S"),
    "boxed": re.compile(r"\\boxed\s*\{[^}]"),
    "answer is": re.compile(r"\b(?:answer|result|total)\s*(?:is|=|:)\s*\S", re.IGNORECASE),
    "letter": re.compile(r"\A[\s(*]{0,3}[A-J](?:[).:*\n]|\Z)|(?:\A|[\s(*])[A-J][\s).*]{0,3}\Z"),
    "json": re.compile(r"\A\s*(?:```\w*\s*)?[\[{].*[\]}]\s*(?:```)?\s*\Z", re.DOTALL),
    "code": re.compile(r"```.*```", re.DOTALL),
}
USUAL, LEAST = 0.7, 20  # the share of answers, of so many at the least, that makes a form the usual one
LONGEST = 20_000
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_REFUSAL = re.compile(
    r"\b(?:I(?:'|’)?(?:m| am)? (?:sorry|unable|not able|afraid)|I can(?:'|’)?(?:not|t)\b|I (?:do not|don(?:'|’)t) know|"
    r"as an AI\b|cannot (?:be determined|answer|help|assist))",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:however|but wait|actually|maybe|perhaps|assum\w+|unclear|not specified|might|about)\b",
    re.IGNORECASE,
)
_OPEN_END = re.compile(r"(?:[-+*/=×÷(\[{<,$]|<<[^>]*|\b(?:and|the|of|is|to|a))\s*\Z")


def forms_of(answer: str) -> frozenset[str]:
    """The final forms that an answer has."""
    shown = answer[-LONGEST:].strip()
    return frozenset(name for name, pattern in FORMS.items() if pattern.search(shown))


def usual_form(answers: Iterable[str]) -> str | None:
    """The final form that a lane's answers usually have, from the answers alone; None where there is no usual one."""
    counts: Counter[str] = Counter()
    total = 0
    for answer in answers:
        total += 1
        counts.update(forms_of(answer))
    if total < LEAST or not counts:
        return None
    form, count = max(counts.items(), key=lambda each: (each[1], each[0]))
    return form if count >= USUAL * total else None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, and what is known beside its text: `passed` its checks (None: has none), `cut` by its token limit."""

    text: str
    passed: float | None = None
    cut: bool = False


def signals(answer: Given, usual: str | None = None) -> tuple[Signal, ...]:
    """What speaks against an answer by itself. `usual` is the final form that the lane's answers usually have."""
    text = answer.text[:LONGEST].strip()
    found: list[Signal] = []
    if answer.passed is not None and answer.passed < 1:
        found.append("failed_check")
    if not text:
        return (*found, "empty")
    if answer.cut or text.count("```") % 2 or _OPEN_END.search(text[-200:]):
        found.append("cut")
    if _REFUSAL.search(text[:300]):
        found.append("refusal")
    if not all(written_sums(text)):
        found.append("wrong_sum")
    if usual is not None and usual not in forms_of(answer.text):
        found.append("no_final_form")
    return tuple(found)


def guessed_right(found: Iterable[Signal]) -> float:
    """The chance that an answer with these signals is right, before any label: the odds of each one multiplied."""
    odds = START
    for signal in found:
        odds *= CHANCES[signal]
    return odds / (1 + odds)


def figures(prompt: str, answer: Given, found: Iterable[Signal]) -> Floats:
    """Figures of an answer to learn from; the first are the signals."""
    text, seen = answer.text[:LONGEST].strip(), set(found)
    words, numbers = text.split(), _numbers(text)
    asked, last = set(_numbers(prompt[:LONGEST])), numbers[-1] if numbers else 0.0
    sums = list(written_sums(text))
    return np.array(
        [
            *(float(signal in seen) for signal in TOLD),
            log1p(len(text)),
            log1p(len(text)) - log1p(len(prompt)),
            log1p(len(text.splitlines())),
            log1p(len(numbers)),
            log1p(len(sums)),
            log1p(sum(not right for right in sums)),
            len(asked & set(numbers)) / max(len(asked), 1),
            float(not numbers),
            float(last != int(last)) if abs(last) < 1e15 else 1.0,  # noqa: PLR2004 - beyond it floats have no fractions
            float(last < 0),
            log1p(min(abs(last), 1e12)),
            float(last in asked),
            log1p(len(_HEDGE.findall(text))),
            1 - len({word.lower() for word in words}) / max(len(words), 1),
            float(text[-1:] in ".!?>)]}\"'") if text else 0.0,
            float(text[-1:].isdigit()),
            sum(not each.isascii() for each in text) / max(len(text), 1),
        ]
    )


def _numbers(text: str) -> list[float]:
    return [float(each.replace(",", "")[:30]) for each in _NUMBER.findall(text)]
