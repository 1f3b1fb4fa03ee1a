"""How long an answer may be, and whether one may have been cut there by a server that does not say so. Pure.

LlamaFarm's Universal runtime ends every answer with `stop`, also at its bound, and counts no tokens of a stream.
"""

from __future__ import annotations

from llamafarm.config.model import NamedModel
from llamafarm.core.conditions import Caution
from llamafarm.core.types import ChatRequest, Count, JsonValue

NAMES = ("max_completion_tokens", "max_tokens", "num_predict", "n_predict")
NEAR = 0.85  # of the bound: an estimate may be so much too low


def output_bound(model: NamedModel, request: ChatRequest) -> int | None:
    """The most tokens that the answer to `request` may have: what is sent, or the provider's default; else None."""
    profile, given = model.profile, {**request.parameters, **model.extra_body}
    sent = next((bound for name in NAMES if (bound := _positive(given.get(name)))), None)
    bound = sent or profile.output_bound
    if bound and profile.thinking_parameter and given.get("think") is True:
        bound += _positive(given.get(profile.thinking_parameter)) or 0
    return bound


def perhaps_cut(model: NamedModel, request: ChatRequest, made: Count | None) -> Caution | None:
    """Says so of an answer of `made` tokens whose server says that it ended by itself."""
    bound = output_bound(model, request)
    if bound is None or made is None:
        return None
    estimated = made.source == "estimated"
    if made.value < bound * (NEAR if estimated and not model.profile.tells_cut else 1):
        return None
    has = f"about {made.value:,} tokens (estimated)" if estimated else f"{made.value:,} tokens"
    return Caution("answer_cut", f"The answer has {has} of the {bound:,} that it may have: it may have been cut.")


def _positive(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
