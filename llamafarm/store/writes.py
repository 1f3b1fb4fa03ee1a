"""What is written: each function runs on a connection that is inside a transaction, in the writer's thread.

Each is given what it writes with an id, and may be tried again: what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from llamafarm.records.codec import encode
from llamafarm.records.model import Asked, Ended, Record, Run, Snapshot, Vote
from llamafarm.store.machine import this_machine
from llamafarm.store.rows import asked_row, ended_row, run_row
from llamafarm.store.schema import comparisons, documents, lanes, machines, runs, snapshots, votes
from llamafarm.store.words import words_of

AT_ONCE = 500  # ids in one statement


def add_comparison(connection: Connection, asked: Asked, snapshot: Snapshot | None) -> None:
    """A comparison that began, the project file that it was asked by, and the machine, which is this one."""
    _add_snapshot(connection, snapshot)
    machine = this_machine()
    _add(connection, machines, {"digest": machine.digest, "facts": encode(machine)})
    if _add(connection, comparisons, {**asked_row(asked), "machine": machine.digest}):
        _add_document(connection, asked.id, [message.content for message in asked.messages])


def add_lane(connection: Connection, ended: Ended) -> None:
    """A lane that ended. The database refuses it where its comparison is not there."""
    if _add(connection, lanes, ended_row(ended)):
        reply = ended.reply
        calls = [call.arguments for call in (*reply.tool_calls, *(run.call for run in reply.tool_runs))]
        results = [run.text for run in reply.tool_runs]
        failure = reply.failure.message if reply.failure else ""
        _add_document(connection, ended.comparison, [reply.text, reply.reasoning, *calls, *results, failure])


def is_orphan(connection: Connection, record: Record) -> bool:
    """Whether `record` is a lane whose comparison was deleted meanwhile, so that it is not wanted."""
    if not isinstance(record, Ended):
        return False
    return connection.scalar(select(comparisons.c.id).where(comparisons.c.id == record.comparison)) is None


def add_run(connection: Connection, run: Run, snapshot: Snapshot | None) -> None:
    """A run that began."""
    _add_snapshot(connection, snapshot)
    _add(connection, runs, run_row(run))


def end_run(connection: Connection, run: str, ended_at: datetime) -> None:
    """A run that has done all that it had to do."""
    connection.execute(update(runs).where(runs.c.id == run).values(ended_at=ended_at))


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


def _add_snapshot(connection: Connection, snapshot: Snapshot | None) -> None:
    if snapshot is not None:
        values = {"digest": snapshot.digest, "file": snapshot.file, "text": snapshot.text}
        _add(connection, snapshots, values)


def _add_document(connection: Connection, comparison: str, texts: list[str]) -> None:
    connection.execute(documents.insert(), {"comparison": comparison, "words": " ".join(words_of(texts))})


def _add(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row; False where its like is there already. Both databases can do so, and SQLAlchemy spells each."""
    if connection.dialect.name == "sqlite":
        return connection.execute(sqlite.insert(table).on_conflict_do_nothing(), values).rowcount > 0
    (key,) = table.primary_key.columns
    added = postgresql.insert(table).on_conflict_do_nothing().returning(key)
    return connection.execute(added, values).first() is not None
