"""Writing what the history holds to a file or the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from pathlib import Path
from typing import IO

from llamafarm.errors import RequestError
from llamafarm.export.written import Form, written
from llamafarm.records.find import Filter
from llamafarm.records.model import Recorded
from llamafarm.store.history import History


async def write(kept: History, ids: Sequence[str], wanted: Filter, form: Form, output: Path | None) -> None:
    """Write the comparisons with these ids, or all that `wanted` finds. Raises RequestError where the file can't be."""
    whole_ids = [await kept.identify(each) for each in ids]
    found = _named(kept, whole_ids) if whole_ids else kept.stream(wanted)
    with _opened(output) as out:
        async with aclosing(written(found, form)) as pieces:
            async for data in pieces:
                await asyncio.to_thread(out.write, data)


async def _named(kept: History, ids: Sequence[str]) -> AsyncGenerator[Recorded, None]:
    for identity in ids:
        yield await kept.open(identity)


def _opened(output: Path | None) -> AbstractContextManager[IO[bytes]]:
    if output is None:
        return nullcontext(sys.stdout.buffer)
    try:
        return output.open("wb")
    except OSError as error:
        raise RequestError(f"{output} can't be written: {error.strerror}.") from None
