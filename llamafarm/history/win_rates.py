"""How often each model won a vote. Votes with names hidden and with names shown are counted apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from llamafarm.history.model import Vote

Outcome = Literal["won", "lost", "tied", "bad"]


@dataclass(frozen=True, slots=True)
class Contest:
    """A vote, and who took part: `models` by lane are those that gave the answers, in a project named `project`."""

    project: str
    models: Mapping[str, str]
    vote: Vote


@dataclass(slots=True)
class Tally:
    """Votes on comparisons that a model took part in. `bad`: all answers were bad, and nobody won or lost."""

    won: int = 0
    lost: int = 0
    tied: int = 0
    bad: int = 0

    @property
    def votes(self) -> int:
        """All of them."""
        return self.won + self.lost + self.tied + self.bad

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        setattr(self, outcome, getattr(self, outcome) + 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's votes, `blind` and `named`."""

    project: str
    model: str
    blind: Tally = field(default_factory=Tally)
    named: Tally = field(default_factory=Tally)


def standings(contests: Iterable[Contest]) -> list[Standing]:
    """The standings by project and model, in the order of their names.

    A contest counts where two models took part at least: against itself nobody wins. A model with several lanes
    counts once, and wins where one of them does.
    """
    found: dict[tuple[str, str], Standing] = {}
    for contest in contests:
        models = set(contest.models.values())
        if len(models) < 2:  # noqa: PLR2004 - a contest has two sides
            continue
        for model in models:
            standing = found.setdefault((contest.project, model), Standing(contest.project, model))
            tally = standing.blind if contest.vote.blind else standing.named
            tally.add(_outcome(contest, model))
    return [found[key] for key in sorted(found)]


def _outcome(contest: Contest, model: str) -> Outcome:
    vote = contest.vote
    if vote.lane is None:
        return "tied" if vote.choice == "tie" else "bad"
    return "won" if contest.models.get(vote.lane) == model else "lost"
