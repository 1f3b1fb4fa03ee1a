"""Estimates the most tokens and money that probes take, before anything is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from llamafarm.config.model import NamedModel
from llamafarm.core import display
from llamafarm.core.types import Cost, Count, Usage
from llamafarm.experiments.probe.plan import LARGEST_CONTEXT, MOST_S, MOST_TOKENS, OUTPUT, too_long, words_of

MOST = Usage(Count(MOST_TOKENS - OUTPUT, "estimated"), Count(OUTPUT, "estimated"))


@dataclass(frozen=True, slots=True)
class Outlay:
    """What the probe of one model takes at most: `cost` of `MOST`, and `long_words` of a prompt over its context.

    That prompt is sent only where tokens cost nothing; 0 where none is, or the context is not known before.
    """

    model: NamedModel
    cost: Cost
    long_words: int = 0

    @property
    def free(self) -> bool:
        """Whether it costs nothing."""
        return self.cost.usd == 0


def outlay(model: NamedModel, cost: Cost, window: int | None) -> Outlay:
    """That of `model`, where `MOST` is at `cost`, and whose context is `window` where that is known."""
    tried = cost.usd == 0 and window is not None and window <= LARGEST_CONTEXT
    return Outlay(model, cost, words_of(too_long(window)) if tried and window is not None else 0)


def outlay_lines(outlays: Sequence[Outlay]) -> Iterator[str]:
    """What all of it takes, in a sentence or two, and what each model costs where it does."""
    each = "1 model" if len(outlays) == 1 else f"{len(outlays)} models, one after the other"
    yield f"A probe of {each}: at most {MOST_TOKENS:,} tokens and {MOST_S:.0f} s each."
    yield f"Cost: {_cost(outlays)}."
    long = [f"{each.model.name} ({each.long_words:,} words)" for each in outlays if each.long_words]
    if long:
        yield f"And a prompt over its context, which costs nothing there, to {', '.join(long)}."


def _cost(outlays: Sequence[Outlay]) -> str:
    known = sum((each.cost.usd for each in outlays if each.cost.usd is not None), Decimal(0))
    unknown = [each.model.name for each in outlays if each.cost.usd is None]
    told = [display.most(known, ())] if known or not unknown else []
    return ", and ".join([*told, *([f"unknown for {', '.join(unknown)}"] if unknown else [])])
