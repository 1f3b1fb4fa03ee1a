"""Which named model a router would pick for a prompt, and why. Pure; one strategy a file.

The third strategy is learnt from a history (`llamafarm.experiments.learnt`), and given by who has one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from llamafarm.config.model import Project
from llamafarm.core.types import Route
from llamafarm.routing.complexity import complexity
from llamafarm.routing.token_budget import token_budget
from llamafarm.routing.unlearnt import Unlearnt

__all__ = ["AUTO", "Learned", "Unlearnt", "choose", "complexity", "suggest", "token_budget"]


AUTO = "auto"  # what callers name for whichever model the router picks


class Learned(Protocol):
    """What comparisons have taught; see `llamafarm.experiments.learnt`."""

    @property
    def open(self) -> bool:
        """Whether there is enough evidence that it is worth something."""
        ...

    def route(self, prompt: str) -> Route:
        """Its pick for a prompt, or what it stays with, and why."""
        ...


def suggest(prompt: str, project: Project, learned: Learned | None = None) -> tuple[Route, ...]:
    """The pick of every strategy for `prompt`, the user's own words alone; with a history `learned` is one."""
    rules = (complexity(prompt, project), token_budget(prompt, project))
    return rules if learned is None else (*rules, learned.route(prompt))


def choose(prompt: str, project: Project, learned: Learned | None = None) -> Route:
    """The pick that `model: auto` stands for: by the strategy that the project names, else by complexity.

    What was learnt decides only where the project says so and the evidence shows that it is worth something.
    """
    wanted = project.routing.strategy
    if wanted == "token_budget":
        return token_budget(prompt, project)
    rule = complexity(prompt, project)
    if wanted != "learned":
        return rule
    if learned is not None and learned.open:
        return learned.route(prompt)
    why = "there is no history to learn from" if learned is None else "the evidence does not show yet that it pays"
    return replace(rule, reason=f"Not by what was learnt, since {why}. {rule.reason}")
