"""Probe checks of limits: whether max_tokens, stop, the context and a seed at temperature 0 are honoured. Pure."""

from __future__ import annotations

import re

from llamafarm.core.errors import ContextTooLong
from llamafarm.experiments.probe.checks import CHECKS
from llamafarm.experiments.probe.heard import Heard, bound_of
from llamafarm.experiments.probe.plan import words_of
from llamafarm.history.probe import Finding

CUT = ("length", "max_tokens", "MAX_TOKENS", "model_length")
WORD = re.compile(r"\w+")
LONGEST = 6  # letters of a stop that is no word
HELD = 0.9  # of the words of a prompt: fewer tokens than these were not the whole


def length(counted: Heard) -> Finding:
    """Whether an answer that its bound cut says so."""
    check, bound = CHECKS["length"], bound_of(counted.request)
    if not counted.done:
        return check.untold(counted.why or "No answer came to its end.")
    if counted.reason in CUT:
        return check.yes(f"“{counted.reason}” after {counted.seen} of {bound} tokens.")
    if counted.made is not None and counted.made > bound:
        return check.no(f"{counted.made} tokens came where {bound} were allowed, and it says “{counted.reason}”.")
    if counted.seen >= bound:  # nobody counts to fifty in so few
        return check.no(f"The answer was cut after {counted.seen} of {bound} tokens, and it says “{counted.reason}”.")
    return check.untold(f"The answer ended by itself after {counted.seen} of {bound} tokens.")


def stop_word(text: str) -> str | None:
    """What a second answer shall end at: a word behind the first third of `text` that stands nowhere before.

    A few letters, where there is no such word.
    """
    third = len(text) // 3
    for found in WORD.finditer(text, third):
        whole = found.end() < len(text) and not text[found.start() - 1 : found.start()].isalnum()  # the last may be cut
        if whole and text.index(found[0]) == found.start():
            return found[0]
    pieces = (
        text[at : at + size] for at in range(third, len(text)) for size in range(1, LONGEST) if text[at].isalnum()
    )
    return next((piece for piece in pieces if text.index(piece) >= third and not piece.isspace()), None)


def stopping(again: Heard | None, word: str | None, refusal: Heard | None) -> Finding:
    """Whether an answer ends at the word that it was told to stop at; `refusal` is that of the parameter."""
    check = CHECKS["stop"]
    if refusal is not None:
        return check.no(f"Refused: {refusal.why}")
    if word is None or again is None or not again.done:
        return check.untold(again.why if again and again.why else "No answer had a word to stop at.")
    if word in again.text:
        return check.no(f"“{word}” stands in an answer that should have stopped at it.")
    if again.reason in CUT:
        return check.untold(f"The answer did not come to “{word}”.")
    return check.yes(f"The answer stopped at “{word}” (“{again.reason}”).")


def repeating(counted: Heard, again: Heard | None, word: str | None) -> Finding:
    """Whether the same question gives the same answer at temperature 0 with a seed; until `word` where it stopped."""
    check = CHECKS["repeat"]
    if "seed" not in counted.request.parameters:
        return check.untold("It takes no temperature of 0 or no seed.")
    if again is None or not again.done or not counted.text.strip():
        return check.untold("No second answer to the same question.")
    first, second = counted.text, again.text
    if word is not None and word not in second:
        first = first.partition(word)[0]
    if first.strip() == second.strip():
        return check.yes(f"Twice the same {len(second.strip()):,} letters.")
    same = _same(first, second)
    return check.no(f"The second answer differs from letter {same + 1}: “{second[same : same + 20].strip()}”.")


def _same(first: str, second: str) -> int:
    """How many letters two texts have in common at their beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def over_context(long: Heard | None, context: int | None, why_not: str) -> Finding:
    """Whether a prompt that the context does not hold is refused, or cut unseen."""
    check = CHECKS["context"]
    if long is None or context is None:
        return check.untold(why_not)
    sent = words_of(long.request.messages[0].content)
    if isinstance(long.error, ContextTooLong) or (long.refused and not long.arrivals):
        return check.yes(f"{sent:,} words for a context of {context:,} tokens were refused.")
    if long.error is not None or not long.done:
        return check.untold(long.why or "No answer within the time of a probe.")
    if long.given is None:
        return check.untold(f"{sent:,} words were answered, and nothing tells how many were read.")
    if long.given < HELD * sent:
        return check.no(f"{sent:,} words were sent, {long.given:,} tokens read, and it answered.")
    return check.untold(f"{long.given:,} tokens were read: its context is larger than {context:,}.")
