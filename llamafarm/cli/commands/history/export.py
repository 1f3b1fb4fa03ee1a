"""Writing what the history holds to a file or the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from pathlib import Path
from typing import IO

from llamafarm.cli.terminal.pipes import OutputLost
from llamafarm.cli.terminal.streams import data_out
from llamafarm.core.errors import RequestError
from llamafarm.core.files import replacing_in_thread
from llamafarm.history.database.history import History
from llamafarm.history.model import Recorded
from llamafarm.history.query import Filter
from llamafarm.output.written import Form, written


async def write(
    kept: History, ids: Sequence[str], wanted: Filter, form: Form, output: Path | None, *, excel: bool = False
) -> None:
    """Write the comparisons with these ids, or all that `wanted` finds. Raises RequestError where the file can't be."""
    whole_ids = [await kept.identify(each) for each in ids]
    found = _named(kept, whole_ids) if whole_ids else kept.stream(wanted)
    try:
        async with _opened(output) as out, aclosing(written(found, form, excel=excel)) as pieces:
            async for data in pieces:
                await asyncio.to_thread(out.write, data)
    except OSError as error:
        if output is None:
            raise OutputLost(error) from None
        raise RequestError(f"{output} can't be written: {error.strerror}.") from None


async def _named(kept: History, ids: Sequence[str]) -> AsyncGenerator[Recorded, None]:
    for identity in ids:
        yield await kept.open(identity)


def _opened(output: Path | None) -> AbstractAsyncContextManager[IO[bytes]]:
    return nullcontext(data_out()) if output is None else replacing_in_thread(output)
