"""Which named model a router would pick for a prompt, and why. Pure; one strategy a file."""

from __future__ import annotations

from llamafarm.config.model import Project
from llamafarm.core.types import Route
from llamafarm.routing.complexity import complexity
from llamafarm.routing.token_budget import token_budget

__all__ = ["AUTO", "choose", "complexity", "suggest", "token_budget"]


AUTO = "auto"  # what callers name for whichever model the router picks


def suggest(prompt: str, project: Project) -> tuple[Route, ...]:
    """The pick of every strategy for `prompt`, the user's own words alone."""
    return (complexity(prompt, project), token_budget(prompt, project))


def choose(prompt: str, project: Project) -> Route:
    """The pick that `model: auto` stands for: by complexity, the documentation's first strategy."""
    return complexity(prompt, project)
