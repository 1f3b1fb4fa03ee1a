"""Route by token budget: the documentation's `select_model_by_budget`, on the project's own tiers."""

from __future__ import annotations

from llamafarm.config.model import Project
from llamafarm.core.tokens import estimate
from llamafarm.core.types import Route
from llamafarm.routing.tiers import Tier, pick

FAST_BELOW = 500
DEFAULT_BELOW = 2000


def token_budget(prompt: str, project: Project) -> Route:
    """Under 500 estimated tokens to the fast tier, under 2,000 to default, else to the powerful tier."""
    count = estimate(prompt)
    about = f"About {count:,} token{'' if count == 1 else 's'}"
    tier: Tier
    if count < FAST_BELOW:
        tier, why = "fast", f"{about}, under {FAST_BELOW}: fast tier"
    elif count < DEFAULT_BELOW:
        tier, why = "default", f"{about}, under {DEFAULT_BELOW:,}: default tier"
    else:
        tier, why = "powerful", f"{about}, {DEFAULT_BELOW:,} or more: powerful tier"
    choice = pick(project, tier)
    return Route(
        strategy="token_budget",
        model=choice.model,
        reason=f"{why} → {choice.model} ({choice.how}).",
        signals={"tier": tier, "estimated_tokens": count},
    )
