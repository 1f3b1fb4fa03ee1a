"""Suggestions as rows, and what tells whether anything that teaches a router has come since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from llamafarm.history.database.tables.schema import comparisons, lanes, suggestions, votes
from llamafarm.history.model import Began
from llamafarm.history.suggested import Suggested

Mark = tuple[object, ...]


def rows_of(began: Sequence[Began]) -> list[dict[str, object]]:
    """The rows of what was suggested before these comparisons."""
    return [
        {
            "comparison": each.asked.id,
            "strategy": one.strategy,
            "at": one.at,
            "model": one.model,
            "incumbent": one.incumbent,
            "probability": one.probability,
            "per_cost": one.per_cost,
            "evidence": one.evidence,
            "known_until": one.known_until,
            "fit": one.fit,
        }
        for each in began
        for one in each.suggested
    ]


def suggestions_of(connection: Connection, namespace: str, project: str) -> list[tuple[str, Suggested]]:
    """All that was suggested for comparisons of a project, with their ids, oldest first."""
    rows = (
        select(suggestions)
        .join(comparisons, comparisons.c.id == suggestions.c.comparison)
        .where(comparisons.c.namespace == namespace, comparisons.c.project == project)
        .order_by(suggestions.c.seq)
    )
    return [
        (
            row["comparison"],
            Suggested(
                row["strategy"], row["at"], row["model"], row["incumbent"], row["probability"], row["per_cost"],
                row["evidence"], row["known_until"], row["fit"],
            ),
        )
        for row in connection.execute(rows).mappings()
    ]  # fmt: skip


def taught(connection: Connection) -> Mark:
    """Changes whenever a vote, or an answer with checks, comes or goes."""
    checked = select(comparisons.c.id).where(comparisons.c.checks.is_not(None))
    voted = connection.execute(select(func.count(), func.max(votes.c.voted_at)).select_from(votes)).one()
    ended = select(func.count(), func.max(lanes.c.seq)).select_from(lanes).where(lanes.c.comparison.in_(checked))
    return (*voted, *connection.execute(ended).one())
