"""Probe checks of the stream: whether it comes word by word, what is counted, and which model answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from llamafarm.core import display, tokens
from llamafarm.core.model_names import file_of, same_model
from llamafarm.core.types import Message
from llamafarm.experiments.probe.checks import CHECKS
from llamafarm.experiments.probe.heard import Heard
from llamafarm.history.probe import Finding

LUMP = 4  # tokens that come at one instant: fewer are a token or two
FEW = 6  # tokens that say nothing of how they come
GREW = 1 / 3  # of the estimated difference: tokenizers differ
SLOW_S, TIMES = 1.0, 3  # how much later, and how many times as late as others, an answer that loaded or waited comes
TAGS = ("<think", "</think", "<|channel|>", "<reasoning>", "</reasoning>", "<thought>")


def streaming(counted: Heard) -> Finding:
    """Whether pieces of an answer come as they are made, or many at one instant."""
    check, made, times = CHECKS["stream"], counted.seen, len(counted.arrivals)
    if not counted.done or made < FEW or not times:
        return check.untold(counted.why or f"The answer had {made} tokens: too few to tell.")
    span = counted.arrivals[-1] - counted.arrivals[0]
    pieces = "1 piece" if times == 1 else f"{times} pieces"
    evidence = f"{made} tokens in {pieces} over {display.seconds(span)}."
    return check.no(evidence) if made / times > LUMP else check.yes(evidence)


def usage(counted: Heard) -> Finding:
    """Whether the server counts, in the stream."""
    check = CHECKS["usage"]
    if not counted.done:
        return check.untold(counted.why or "No answer came to its end.")
    if counted.usage.doubts:
        return check.no(" ".join(counted.usage.doubts))
    if counted.given is None or counted.made is None:
        return check.no("The answer came without counts.")
    return check.yes(f"{counted.given} in, {counted.made} out.")


def growth(answers: Iterable[Heard]) -> Finding:
    """Whether the counts of a short and of a longer prompt differ as the prompts do."""
    check = CHECKS["growth"]
    told = [(_size(each.request.messages), each.given) for each in answers if each.done and each.given is not None]
    if len(told) < 2:  # noqa: PLR2004 - to compare
        return check.untold("No two prompts were counted.")
    (short, less), (long, more) = min(told), max(told)
    if long - short < LUMP:
        return check.untold("No two prompts of different sizes were counted.")
    evidence = f"{less} tokens for a prompt of about {short}, {more} for one of about {long}."
    return check.yes(evidence) if more - less >= GREW * (long - short) else check.no(evidence)


def _size(messages: Iterable[Message]) -> int:
    return tokens.estimate_messages(messages)


def reasoning(answers: Iterable[Heard]) -> Finding:
    """Whether reasoning comes apart from the answer."""
    check, heard = CHECKS["reasoning"], [each for each in answers if each.arrivals]
    for each in heard:
        if each.mixed:
            return check.no("It came in the text, and only its end was marked.")
        if tag := next((tag for tag in TAGS if tag in each.text), None):
            return check.no(f"{tag} stands in the text of an answer.")
    if any(each.reasoning for each in heard):
        return check.yes("Reasoning came apart from the text.")
    hidden = next((count for each in heard if (count := each.usage.reasoning) is not None and count.value), None)
    if hidden is not None:
        return check.yes(f"{hidden.value} tokens of reasoning were counted, and not shown.")
    return check.untold("Nothing was reasoned.")


def cached(again: Heard | None) -> Finding:
    """Whether an answer to the same prompt tells what was read before."""
    check = CHECKS["cached"]
    if again is None or not again.done or again.given is None:
        return check.untold("No second answer to the same prompt was counted.")
    count = again.usage.cached
    if count is None:
        return check.no("The same prompt twice, and no count of cached tokens.")
    return check.yes(f"{count.value} of {again.given} tokens of the same prompt were cached.")


def waits(first: Heard, others: Iterable[Heard]) -> Finding:
    """Whether loading and waiting are told: the first answer may have loaded, and one of several may have waited."""
    check, rest = CHECKS["waits"], tuple(others)
    told = []
    if (load := next((each.load_s for each in (first, *rest) if each.load_s is not None), None)) is not None:
        told.append(f"loading ({display.seconds(load)})")
    if (queue := max((each.queue_s for each in (first, *rest) if each.queue_s is not None), default=None)) is not None:
        told.append(f"its queue (up to {display.seconds(queue)})")
    if told:
        return check.yes(f"It tells {' and '.join(told)}.")
    usual = min((each.first_s for each in rest if each.first_s is not None), default=None)
    late = first.first_s
    if usual is not None and late is not None and late - usual > SLOW_S and late > TIMES * usual:
        return check.no(
            f"The first answer began after {display.seconds(late)}, later ones after {display.seconds(usual)}; "
            "nothing says why."
        )
    return check.untold("Nothing was told, and no answer came late.")


def answering(answers: Iterable[Heard], asked: str, *, ours: bool = False) -> Finding:
    """Whether the model that the answers name is the one that was asked; `ours`: we started it with that."""
    check = CHECKS["model"]
    named = {file_of(each.model) for each in answers if each.model}
    if not named:
        return check.untold("No answer names its model.")
    others = [] if ours else sorted(name for name in named if not same_model(name, asked))
    if others:
        return check.no(f"{asked} was asked, and {', '.join(others)} answered.")
    return check.yes(f"{', '.join(sorted(named))} answered.")
