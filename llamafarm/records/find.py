"""What is looked for in the history, and what a list of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from llamafarm.records.model import Choice, Kind, ProjectRef
from llamafarm.types import CostSource


@dataclass(frozen=True, slots=True)
class Filter:
    """Which comparisons; what is None restricts nothing.

    text: words that must all occur in what was asked or answered; a word may be the beginning of a longer one.
    project: `namespace/name`, or a name alone. model: a named model, or a provider's model id.
    since, until: from the first instant on, and before the second. run: the comparisons of one run; where it and
    `kind` are None, those of no run.
    """

    text: str | None = None
    project: str | None = None
    model: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class LaneBrief:
    """One lane of a listed comparison."""

    lane: str
    model: str
    status: str
    ttft_s: float | None
    total_s: float | None
    usd: Decimal | None
    cost_source: CostSource


@dataclass(frozen=True, slots=True)
class Brief:
    """A comparison as a list shows it.

    `names` are the ids of the lanes that were asked, `lanes` those that ended, each once, in that order.
    """

    id: str
    kind: Kind
    started_at: datetime
    project: ProjectRef
    prompt: str
    names: tuple[str, ...]
    lanes: tuple[LaneBrief, ...]
    vote: Choice | None = None
    run: str | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the history, newest first. `older` is the place of the next page, None at the end."""

    items: tuple[Brief, ...]
    older: str | None = None
