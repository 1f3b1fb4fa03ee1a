"""Regular expressions of people and projects: compiled within bounds, searched within a time."""

from __future__ import annotations

import regex

from llamafarm.core.errors import RequestError
from llamafarm.experiments.checks.budget import Budget, OutOfTime

LONGEST = 4_000
DEEPEST = 50  # groups within groups
MOST_STEPS = 20_000  # what a pattern is with its counted repeats written out, as the library has it in memory
_RECURSION = regex.compile(r"\(\?(?:R|[+-]?\d+|&|P>)")
_REPEAT = regex.compile(r"\{(\d*)(,\d*)?\}")
_OPTIONS = regex.compile(r"\?(?:[a-zA-Z0-9-]*[:)]|P?<\w+>|<?[=!]|>)")


class Pattern:
    """Searches, as grep does; lines end at their ends. Raises RequestError for what is no pattern, or too large."""

    def __init__(self, text: str) -> None:
        shown = repr(text if len(text) <= 100 else f"{text[:100]}…")  # noqa: PLR2004 - enough to know it by
        if wrong := _too_large(text):
            raise RequestError(f"The pattern {shown} {wrong}.", hint="Write a simpler one.")
        try:
            self._compiled = regex.compile(text, regex.MULTILINE)
        except (regex.error, RecursionError, OverflowError, MemoryError) as error:
            raise RequestError(f"{shown} is no regular expression: {error}.") from None

    def found(self, text: str, budget: Budget) -> bool:
        """Whether it is in `text`. Raises OutOfTime."""
        try:
            return self._compiled.search(text, timeout=budget.left()) is not None
        except (TimeoutError, MemoryError):
            raise OutOfTime from None


def _too_large(pattern: str) -> str:
    """What `pattern` has too much of; nothing where it is fine.

    The library writes `a{1000000}` out when it compiles, in seconds and gigabytes, and reads groups by recursion.
    """
    if len(pattern) > LONGEST:
        return f"has more than {LONGEST:,} characters"
    if _RECURSION.search(pattern):
        return "calls itself, whose memory has no bound"
    steps: list[int] = [0]  # of the groups that are open, the whole pattern first
    last, at = 0, 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "{" and (repeat := _REPEAT.match(pattern, at)):
            times = max(int((repeat[1] or "0")[:9]), 1)
            steps[-1] += last * (times - 1)
            last, at = last * times, repeat.end()
        elif sign == "(":
            steps.append(1)
            options = _OPTIONS.match(pattern, at + 1)
            last, at = 0, options.end() if options and not options[0].endswith(")") else at + 1
        elif sign == ")" and len(steps) > 1:
            last, at = steps.pop(), at + 1
            steps[-1] += last
        else:
            end = _one(pattern, at)
            last, at = 1, end
            steps[-1] += 1
        if len(steps) > DEEPEST:
            return f"has more than {DEEPEST} groups within each other"
        if sum(steps) > MOST_STEPS:
            return f"repeats so much that it has more than {MOST_STEPS:,} steps"
    return ""


def _one(pattern: str, at: int) -> int:
    """Where the one step at `at` ends: an escaped character, a set, or a character."""
    if pattern[at] == "\\":
        return at + 2
    if pattern[at] != "[":
        return at + 1
    at += 1 + pattern.startswith("[^", at)
    at += pattern.startswith("]", at)
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1
