"""Messages about whether a sweep or a batch is kept in the history, before it starts and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamafarm.history.database.store import Store


async def check_begun(store: Store | None) -> None:
    """Wait until the run is kept itself. Raises StoreError where it can't be: then nothing shall be asked for it."""
    from llamafarm.core.errors import StoreError

    if store is not None and (trouble := await store.recorded()) is not None:
        raise StoreError(f"{trouble} Nothing was asked.", hint="--no-record asks without keeping anything.")


def what_is_lost(store: Store | None, again: str) -> str | None:
    """Once the store is closed: what of the run is stored, what is lost, and how to ask that again; None where all is.

    `again` is the command that does so.
    """
    if store is None or store.trouble is None:
        return None
    stored, lost = store.answers
    if store.deleted:
        return f"{store.trouble} The run can't be resumed: begin a new one."
    if not lost:
        return store.trouble
    counted = f"{stored:,} of {stored + lost:,} answers are stored, {lost:,} are lost"
    return f"{store.trouble} {counted}; to ask those again: {again}"
