"""What is read: each function runs on a connection of its own, in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, func, select

from llamafarm.core.reply import LaneStatus
from llamafarm.history.codec import decode
from llamafarm.history.database.rows import asked_of, brief_lane_of, brief_of, ended_of, run_of, vote_of
from llamafarm.history.database.search import matching
from llamafarm.history.database.tables.schema import comparisons, lanes, machines, runs, snapshots, votes
from llamafarm.history.machine import Machine
from llamafarm.history.model import Asked, Ended, Kind, Piece, ProjectRef, Recorded, Run, Snapshot, Vote
from llamafarm.history.query import Filter, Found, LaneBrief
from llamafarm.history.win_rates import Contest

Part = TypeVar("Part")

AFTER_ALL = "~"  # sorts after every id
AT_ONCE = 500  # ids in one statement
RECENT = 10_000  # lanes: those of a model are looked for among so many, and not in all that there ever were


def find(connection: Connection, wanted: Filter, *, older_than: str | None, limit: int) -> Found:
    """A page of the history, newest first."""
    table = comparisons.c
    light = (
        table.id,
        table.kind,
        table.started_at,
        table.namespace,
        table.project,
        table.digest,
        table.prompt,
        table.names,
        table.run,
        table.item,
    )  # fmt: skip - not the messages: pictures may be in them
    asked = connection.execute(_stretch(connection, light, wanted, older_than, limit + 1)).mappings().all()
    page = asked[:limit]
    ids = [row["id"] for row in page]
    ended: dict[str, dict[str, LaneBrief]] = {identity: {} for identity in ids}
    for row in connection.execute(_brief_lanes(ids)).mappings():
        ended[row["comparison"]][row["lane"]] = brief_lane_of(row)
    voted = _votes(connection, ids)
    items = (brief_of(row, _in_order(row["names"], ended[row["id"]]), voted.get(row["id"])) for row in page)
    return Found(tuple(items), ids[-1] if len(asked) > limit else None)


def count(connection: Connection, wanted: Filter) -> int:
    """How many comparisons `wanted` finds."""
    conditions = matching(wanted, connection.dialect.name)
    return connection.scalar(select(func.count()).select_from(comparisons).where(*conditions)) or 0


def contests(connection: Connection, wanted: Filter) -> list[Contest]:
    """The votes on what `wanted` finds, with the models that answered; demonstrations are no contest."""
    table = comparisons.c
    rows = (
        select(table.id, table.namespace, table.project, votes)
        .join(votes, votes.c.comparison == table.id)
        .where(*matching(wanted, connection.dialect.name))
    )
    voted = {row["id"]: row for row in connection.execute(rows).mappings()}
    ids, answered = list(voted), dict[str, dict[str, str]]()
    for at in range(0, len(ids), AT_ONCE):
        for row in connection.execute(_brief_lanes(ids[at : at + AT_ONCE])).mappings():
            lane = brief_lane_of(row)
            models = answered.setdefault(row["comparison"], {})
            models.pop(lane.lane, None)  # an earlier try
            if lane.status in ("done", "stopped") and not lane.staged:
                models[lane.lane] = lane.model
    return [
        Contest(f"{row['namespace']}/{row['project']}", answered.get(identity, {}), vote_of(row))
        for identity, row in voted.items()
    ]


def ids_beginning(connection: Connection, beginning: str) -> list[str]:
    """The ids of at most two comparisons that begin so."""
    table = comparisons.c
    inside = select(table.id).where(table.id >= beginning, table.id < beginning + AFTER_ALL).order_by(table.id)
    return list(connection.scalars(inside.limit(2)))


def whole(connection: Connection, ids: Sequence[str]) -> list[Recorded]:
    """Comparisons with all that belongs to them, in the order of `ids`; those that are not there are left out."""
    asked = {
        row["id"]: asked_of(row)
        for row in connection.execute(select(comparisons).where(comparisons.c.id.in_(ids))).mappings()
    }
    ended: dict[str, list[Ended]] = {identity: [] for identity in ids}
    for row in connection.execute(select(lanes).where(lanes.c.comparison.in_(ids)).order_by(lanes.c.seq)).mappings():
        ended[row["comparison"]].append(ended_of(row))
    voted = _votes(connection, ids)
    return [_recorded(asked[each], ended[each], voted.get(each)) for each in ids if each in asked]


def newest_lanes(connection: Connection, model: str, model_id: str, *, limit: int) -> list[Ended]:
    """The newest whole answers of a named model, looked for among the newest `RECENT` lanes of all."""
    table = lanes.c
    recent = select(func.max(table.seq) - RECENT).scalar_subquery()
    own = (table.asked == model, table.model == model, table.model_id == model_id, table.status == "done")
    rows = select(lanes).where(table.seq > recent, *own).order_by(table.seq.desc()).limit(limit)
    return [ended_of(row) for row in connection.execute(rows).mappings()]


def stretch(
    connection: Connection, wanted: Filter, *, after: str | None, limit: int, oldest_first: bool
) -> list[Recorded]:
    """Whole comparisons: as many as fit into memory at once."""
    ids = _stretch(connection, (comparisons.c.id,), wanted, after, limit, oldest_first=oldest_first)
    return whole(connection, list(connection.scalars(ids)))


def snapshot(connection: Connection, digest: str) -> Snapshot | None:
    """The project file with this digest."""
    row = connection.execute(select(snapshots).where(snapshots.c.digest == digest)).mappings().one_or_none()
    return None if row is None else Snapshot(row["digest"], row["file"], row["text"])


def run(connection: Connection, identity: str) -> Run | None:
    """The run with this id."""
    row = connection.execute(select(runs).where(runs.c.id == identity)).mappings().one_or_none()
    return None if row is None else run_of(row)


def machines_of(connection: Connection, *, run: str | None, comparison: str | None) -> list[Machine]:
    """The machines on which a run's comparisons, or one comparison, were recorded, in the order of their first."""
    table = comparisons.c
    own = table.run == run if run is not None else table.id == comparison
    first = select(table.machine, func.min(table.id).label("first")).where(own).group_by(table.machine).subquery()
    rows = select(machines.c.facts).join(first, first.c.machine == machines.c.digest).order_by(first.c.first)
    return [decode(Machine, facts) for facts in connection.scalars(rows)]


def runs_beginning(connection: Connection, beginning: str) -> list[Run]:
    """At most two runs whose ids begin so."""
    inside = select(runs).where(runs.c.id >= beginning, runs.c.id < beginning + AFTER_ALL).order_by(runs.c.id).limit(2)
    return [run_of(row) for row in connection.execute(inside).mappings()]


def newest_runs(
    connection: Connection, *, older_than: str | None, limit: int, kind: Kind | None, project: ProjectRef | None
) -> list[Run]:
    """Runs, newest first; of one kind, and of the project with this name, where that is asked."""
    rows = select(runs).where(runs.c.id < (older_than or AFTER_ALL)).order_by(runs.c.id.desc()).limit(limit)
    if kind is not None:
        rows = rows.where(runs.c.kind == kind)
    if project is not None:
        rows = rows.where(runs.c.namespace == project.namespace, runs.c.project == project.name)
    return [run_of(row) for row in connection.execute(rows).mappings()]


def pieces(connection: Connection, identity: str, *, after: str, limit: int) -> list[Piece]:
    """Comparisons of a run in the order in which they began."""
    table = comparisons.c
    begun = select(table.id, table.item).where(table.run == identity, table.id > after).order_by(table.id).limit(limit)
    items = {row.id: row.item for row in connection.execute(begun)}
    ended: dict[str, dict[str, LaneStatus]] = {each: {} for each in items}
    told = (
        select(lanes.c.comparison, lanes.c.lane, lanes.c.status)
        .where(lanes.c.comparison.in_(items))
        .order_by(lanes.c.seq)
    )
    for row in connection.execute(told):
        ended[row.comparison][row.lane] = row.status
    return [Piece(item, each, ended[each]) for each, item in items.items()]


def _stretch(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    wanted: Filter,
    after: str | None,
    limit: int,
    *,
    oldest_first: bool = False,
) -> Select[Any]:
    """Comparisons that `wanted` finds, from the one `after` which a list goes on."""
    table = comparisons.c
    rows = select(*columns).where(*matching(wanted, connection.dialect.name)).limit(limit)
    rows = rows.order_by(table.id.asc() if oldest_first else table.id.desc())
    if after is None:
        return rows
    return rows.where(table.id > after if oldest_first else table.id < after)


def _votes(connection: Connection, ids: Sequence[str]) -> dict[str, Vote]:
    """The votes on these comparisons, by their ids."""
    rows = connection.execute(select(votes).where(votes.c.comparison.in_(ids))).mappings()
    return {row["comparison"]: vote_of(row) for row in rows}


def _brief_lanes(ids: Iterable[str]) -> Select[tuple[object, ...]]:
    """Of each try of each lane what a list shows, oldest first."""
    table = lanes.c
    return (
        select(
            table.comparison, table.lane, table.model, table.status, table.timings, table.total_s,
            table.cost_usd, table.cost_source, table.cost_estimated, table.rest,
        )
        .where(table.comparison.in_(ids))
        .order_by(table.seq)
    )  # fmt: skip


def _recorded(asked: Asked, ended: list[Ended], vote: Vote | None) -> Recorded:
    """`ended` are all tries, oldest first; the newest of each lane stands."""
    newest = {each.reply.lane: each for each in ended}
    earlier = tuple(each for each in ended if newest[each.reply.lane] is not each)
    return Recorded(asked, _in_order([spec.id for spec in asked.lanes], newest), earlier, vote)


def _in_order(asked: Iterable[str], by_lane: Mapping[str, Part]) -> tuple[Part, ...]:
    """What there is of each lane, in the order in which the lanes were asked; what was added later comes last."""
    return tuple(by_lane[name] for name in dict.fromkeys([*asked, *by_lane]) if name in by_lane)
