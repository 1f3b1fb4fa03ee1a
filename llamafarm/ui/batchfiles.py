"""The answers of a batch as a file to download, written as it is read from the history."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from llamafarm.engine.batchrun import answers
from llamafarm.errors import LlamaFarmError
from llamafarm.export.batch import Form, header, line, row_object
from llamafarm.runtime import Runtime
from llamafarm.store.history import History
from llamafarm.ui.batchview import DOWNLOADS

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def add_batch_files(app: FastAPI, runtime: Runtime) -> None:
    """Serve the answers of each batch, at addresses of the page's own; memory holds a few rows."""

    async def download(run: str, form: Form, excel: bool = False) -> Any:  # noqa: FBT001, FBT002 - FastAPI's query
        try:
            history = runtime.history()
            found = await history.run(run)
        except LlamaFarmError as error:
            raise HTTPException(404, error.message) from None
        if found.kind != "batch":
            raise HTTPException(404, f"The run {run} is no batch.")
        name = f"batch-{found.id}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(
            _lines(history, found.id, form, excel=excel), media_type=MEDIA_TYPES[form], headers=headers
        )

    app.get(f"/{DOWNLOADS}/{{run}}.{{form}}", include_in_schema=False, response_model=None)(download)


async def _lines(history: History, run: str, form: Form, *, excel: bool) -> AsyncGenerator[bytes, None]:
    yield header(form, excel=excel)
    async with aclosing(answers(history, run)) as found:
        async for each in found:
            told = each.sample
            yield line(form, row_object(each.row, each.recorded, each.ended, passed=told.passed, notes=told.notes))
