"""One try to write a batch of records. It runs in the writer's thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from llamafarm.core.errors import LlamaFarmError
from llamafarm.history.database.connecting.connect import Database, open_database
from llamafarm.history.database.connecting.faults import fault_of
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.outcome import Outcome
from llamafarm.history.database.writes import add, is_orphan
from llamafarm.history.model import Record

log = logging.getLogger(__name__)


def open_or_fault(place: Place) -> Database | str:
    """The database at `place`, or why it can't be opened: a sentence for people."""
    try:
        return open_database(place)
    except LlamaFarmError as error:
        return str(error)
    except Exception as error:
        fault = fault_of(error, place)
        if fault is None:
            log.exception("the history at %s can't be opened", place.name)
        return fault or f"The history at {place.name} can't be opened: the log has the details."


def attempt(database: Database, place: Place, batch: Sequence[Record]) -> Outcome:
    """Write all of `batch` in one transaction; where a record of it is at fault, each in one of its own.

    Only then it is asked whether a lane's comparison is still there: that costs as much as writing the lane.
    """
    outcome = _together(database, place, batch)
    if outcome.fault or not outcome.refused:
        return outcome
    over, refused = 0, list[Record]()
    for record in batch:
        alone = _together(database, place, [record], alone=True)
        if alone.fault:
            return Outcome(over, refused, alone.fault)
        over += 1
        refused += alone.refused
    return Outcome(over, refused)


def rehearse(database: Database, records: Sequence[Record]) -> None:
    """Write `records` and take them back: what a first record costs is paid then, and nothing is kept.

    Twice, as the database says for the second time what it has prepared for the first.
    """
    for _ in range(2):
        with database.writer.connect() as connection, connection.begin() as transaction:
            add(connection, records)
            transaction.rollback()


def _together(database: Database, place: Place, batch: Sequence[Record], *, alone: bool = False) -> Outcome:
    try:
        with database.writer.begin() as connection:
            if not (alone and is_orphan(connection, batch[0])):
                add(connection, batch)
    except Exception as error:
        fault = fault_of(error, place)
        if fault is None and alone:
            _log_refused(error)
        return Outcome(0, fault=fault) if fault else Outcome(len(batch), batch)
    return Outcome(len(batch))


def _log_refused(error: Exception) -> None:
    """A database's own words may quote the record, so they are not logged; a defect of ours is, with its place."""
    if isinstance(error, DBAPIError):
        log.error("a record could not be stored: %s", type(error.orig).__name__)
    else:
        log.exception("a record could not be stored")
