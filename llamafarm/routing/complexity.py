"""Route by complexity: the documentation's `select_model`, on the project's own tiers."""

from __future__ import annotations

import re

from llamafarm.config.model import Project
from llamafarm.core.types import Route
from llamafarm.routing.tiers import Tier, pick

SHORT = 50  # characters
KEYWORDS = ("analyze", "compare", "explain why", "evaluate")
LOOKED_AT = 64 * 1024  # characters at each end of a very long prompt: there its instructions stand
QUESTION_MARKS = "?？؟"
# Whole words, so that “incomparable” is no “compare”; with the British spelling and the usual endings.
_PATTERNS = {
    "analyze": r"\banaly[sz](?:e|es|ed|ing)\b",
    "compare": r"\bcompar(?:e|es|ed|ing)\b",
    "explain why": r"\bexplain\s+why\b",
    "evaluate": r"\bevaluat(?:e|es|ed|ing)\b",
}


def complexity(prompt: str, project: Project) -> Route:
    """A short question goes to the fast tier, a word such as “analyze” to the expert tier, the rest to default.

    The short question is looked at first, as the documentation does: “Compare A and B?” is one. Of a prompt of more
    than 128 Ki characters the first and the last 64 Ki are looked at.
    """
    text = prompt.strip()
    length, asks = len(text), any(mark in text for mark in QUESTION_MARKS)
    if length > 2 * LOOKED_AT:
        text = f"{text[:LOOKED_AT]}\n{text[-LOOKED_AT:]}"
    found = [word for word in KEYWORDS if re.search(_PATTERNS[word], text, re.IGNORECASE)]
    tier: Tier
    if length < SHORT and asks:
        tier, why = "fast", f"A question of {length} characters, under {SHORT}: fast tier"
    elif found:
        tier, why = "expert", f"It says “{'”, “'.join(found)}”: expert tier"
    else:
        tier, why = "default", "Neither a short question nor a word that asks for analysis: default tier"
    choice = pick(project, tier)
    return Route(
        strategy="complexity",
        model=choice.model,
        reason=f"{why} → {choice.model} ({choice.how}).",
        signals={"tier": tier, "characters": length, "question_mark": asks, "keywords": list(found)},
    )
