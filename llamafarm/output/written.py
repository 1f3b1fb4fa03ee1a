"""Comparisons as the bytes of a file, a few at a time, so that memory stays flat however many there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Literal

from llamafarm.history.model import Recorded
from llamafarm.output import jsonl, markdown, sheet
from llamafarm.output.tables import table

Form = Literal["csv", "jsonl", "markdown", "parquet"]

WRITERS: Mapping[Form, Callable[[Recorded], str]] = {
    "jsonl": jsonl.line,
    "markdown": markdown.document,
}


async def written(
    found: AsyncGenerator[Recorded, None], form: Form, *, excel: bool = False
) -> AsyncGenerator[bytes, None]:
    """`found` in UTF-8: a row a lane (csv, parquet), an object a line (jsonl), or a document. Closes `found`.

    `excel`: a CSV begins with a byte order mark, by which Excel knows UTF-8.
    """
    if form == "csv" or form == "parquet":  # noqa: PLR1714 - mypy narrows no tuple
        async with aclosing(table(found, sheet.LAYOUT, form, excel=excel)) as pieces:
            async for piece in pieces:
                yield piece
        return
    async with aclosing(found):
        async for recorded in found:
            yield WRITERS[form](recorded).encode("utf-8", "replace")
