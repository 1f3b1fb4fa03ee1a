"""Tiers, and which named model of a project stands for which.

The documentation's strategies speak of `fast`, `default`, `expert` and `powerful`; a project names its
models as it likes. What is not said is not guessed: then the default model stands in, and the reason says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from llamafarm.config.model import NamedModel, Project

Tier = Literal["fast", "default", "expert", "powerful"]

WORDS: dict[Tier, tuple[str, ...]] = {
    "fast": ("fast", "instant", "quick", "small", "light", "tiny", "mini", "cheap"),
    "default": ("default", "medium", "balanced", "general", "standard", "base", "local"),
    "expert": ("expert", "analyst", "reasoning", "powerful", "large", "smart", "best", "premium", "cloud"),
    "powerful": ("powerful", "expert", "large", "best", "premium", "smart", "cloud", "analyst", "reasoning"),
}


@dataclass(frozen=True, slots=True)
class Pick:
    """The model that stands for a tier, and in words how that was found."""

    model: str
    how: str


def pick(project: Project, tier: Tier) -> Pick:
    """The usable model for `tier`: by its `tier:`, by its name, by a word in its name; else the default."""
    usable = [model for model in project.models if model.usable]
    for found in (_by_tier(usable, tier), _by_name(usable, tier), _by_word(usable, tier)):
        if found is not None:
            return found
    default = project.model(project.default_model)
    if default is not None and default.usable:
        why = "the project's default model" if tier == "default" else f"no model of the {tier} tier, so the default"
        return Pick(default.name, why)
    if usable:
        return Pick(
            usable[0].name, f"no model of the {tier} tier and no default that can be used, so the first that can"
        )
    return Pick(project.default_model, "no model of this project can be used yet; this is its default")


def _by_tier(models: list[NamedModel], tier: Tier) -> Pick | None:
    for word in WORDS[tier]:
        for model in models:
            if model.tier is not None and model.tier.lower() == word:
                return Pick(model.name, f"the project gives it the tier “{model.tier}”")
    return None


def _by_name(models: list[NamedModel], tier: Tier) -> Pick | None:
    for word in WORDS[tier]:
        for model in models:
            if model.tier is None and model.name.lower() == word:
                same = word == tier
                return Pick(model.name, "by its name" if same else f"the name “{model.name}” stands for {tier}")
    return None


def _by_word(models: list[NamedModel], tier: Tier) -> Pick | None:
    for word in WORDS[tier]:
        for model in models:
            if model.tier is None and word in re.split(r"[^a-z]+", model.name.lower()):
                return Pick(model.name, f"“{word}” in its name stands for {tier}")
    return None
