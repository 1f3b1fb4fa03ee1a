"""What is written: each function runs on a connection that is inside a transaction, in the writer's thread.

Each is given what it writes with an id, and may be tried again: what is there already stays as it is. Many rows go
into one statement, since a statement costs as much as several rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from llamafarm.core.reply import Reply
from llamafarm.history.codec import encode
from llamafarm.history.database.machine import this_machine
from llamafarm.history.database.rows import asked_row, ended_row, run_row
from llamafarm.history.database.suggestions import rows_of
from llamafarm.history.database.tables.schema import (
    comparisons,
    documents,
    lanes,
    machines,
    runs,
    snapshots,
    suggestions,
    votes,
)
from llamafarm.history.database.tables.words import words_of
from llamafarm.history.model import Asked, Began, Ended, Record, RunBegan, RunEnded, Snapshot, Vote

AT_ONCE = 500  # ids in one statement


def add(connection: Connection, records: Sequence[Record]) -> None:
    """Write records in the order in which they were taken, those of a kind together.

    What a record rests on is of an earlier kind: a lane on its comparison, a comparison on its run. The database
    refuses one whose ground is not there.
    """
    began = [record for record in records if isinstance(record, Began)]
    runs_begun = [record for record in records if isinstance(record, RunBegan)]
    _add_snapshots(connection, [*(each.snapshot for each in runs_begun), *(each.snapshot for each in began)])
    _add_new(connection, runs, [run_row(record.run) for record in runs_begun])
    _add_comparisons(connection, [record.asked for record in began])
    _insert(connection, suggestions, rows_of(began))
    _add_lanes(connection, [record for record in records if isinstance(record, Ended)])
    for record in records:
        if isinstance(record, RunEnded):
            connection.execute(update(runs).where(runs.c.id == record.run).values(ended_at=record.ended_at))


def _add_comparisons(connection: Connection, asked: Sequence[Asked]) -> None:
    if not asked:
        return
    machine = this_machine()
    _insert(connection, machines, [{"digest": machine.digest, "facts": encode(machine)}])
    new = _add_new(connection, comparisons, [{**asked_row(each), "machine": machine.digest} for each in asked])
    texts = {each.id: [message.content for message in each.messages] for each in asked}
    _add_documents(connection, [(identity, texts[identity]) for identity in new])


def _add_lanes(connection: Connection, ended: Sequence[Ended]) -> None:
    new = set(_add_new(connection, lanes, [ended_row(each) for each in ended]))
    _add_documents(connection, [(each.comparison, _words_of(each.reply)) for each in ended if each.id in new])


def _words_of(reply: Reply) -> list[str]:
    """All that may be looked for in a reply."""
    calls = [call.arguments for call in (*reply.tool_calls, *(run.call for run in reply.tool_runs))]
    results = [run.text for run in reply.tool_runs]
    return [reply.text, reply.reasoning, *calls, *results, reply.failure.message if reply.failure else ""]


def is_orphan(connection: Connection, record: Record) -> bool:
    """Whether `record` is a lane whose comparison was deleted meanwhile, so that it is not wanted."""
    if not isinstance(record, Ended):
        return False
    return connection.scalar(select(comparisons.c.id).where(comparisons.c.id == record.comparison)) is None


def set_vote(connection: Connection, comparison: str, vote: Vote | None) -> bool:
    """The vote on a comparison, in the place of an earlier one; None takes it back. False where there is none such."""
    if not connection.scalar(select(exists().where(comparisons.c.id == comparison))):
        return False
    connection.execute(delete(votes).where(votes.c.comparison == comparison))
    if vote is not None:
        connection.execute(
            votes.insert().values(
                comparison=comparison, choice=vote.choice, lane=vote.lane, blind=vote.blind, voted_at=vote.voted_at
            )
        )
    return True


def delete_comparisons(connection: Connection, ids: Sequence[str]) -> int:
    """Delete comparisons with all that belongs to them; gives how many there were."""
    gone = 0
    for start in range(0, len(ids), AT_ONCE):
        gone += connection.execute(
            delete(comparisons).where(comparisons.c.id.in_(ids[start : start + AT_ONCE]))
        ).rowcount
    _forget_snapshots(connection)
    return gone


def delete_run(connection: Connection, run: str) -> int:
    """Delete a run with all its comparisons; gives 1, or 0 where there is none such."""
    gone = connection.execute(delete(runs).where(runs.c.id == run)).rowcount
    _forget_snapshots(connection)
    return gone


def _forget_snapshots(connection: Connection) -> None:
    """Project files that nothing was asked by any more."""
    used = exists().where(comparisons.c.digest == snapshots.c.digest) | exists().where(
        runs.c.digest == snapshots.c.digest
    )
    connection.execute(delete(snapshots).where(~used))


def _add_snapshots(connection: Connection, wanted: Sequence[Snapshot | None]) -> None:
    by_digest = {each.digest: each for each in wanted if each is not None}
    rows = [{"digest": each.digest, "file": each.file, "text": each.text} for each in by_digest.values()]
    _insert(connection, snapshots, rows)


def _add_documents(connection: Connection, wanted: Sequence[tuple[str, list[str]]]) -> None:
    rows = [{"comparison": comparison, "words": " ".join(words_of(texts))} for comparison, texts in wanted]
    if rows:
        connection.execute(documents.insert(), rows)


def _add_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Insert the rows whose ids are not there yet, and give these ids: a try before this one may have written some."""
    by_id = {row["id"]: row for row in rows}
    if not by_id:
        return []
    before = _there(connection, table, by_id)
    new = {identity: row for identity, row in by_id.items() if identity not in before}
    _insert(connection, table, list(new.values()))
    if any(row.get("item") is not None for row in new.values()):
        return list(_there(connection, table, new))  # one whose item stands in its run already was not added
    return list(new)


def _there(connection: Connection, table: Table, ids: Iterable[str]) -> set[str]:
    return set(connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose like another process has added meanwhile stays as that is."""
    if rows:
        connection.execute(INSERTS[connection.dialect.name](table), rows)


@cache
def _sqlite(table: Table) -> Insert:
    return sqlite.insert(table).on_conflict_do_nothing()


@cache
def _postgresql(table: Table) -> Insert:
    return postgresql.insert(table).on_conflict_do_nothing()


INSERTS = {"sqlite": _sqlite, "postgresql": _postgresql}
