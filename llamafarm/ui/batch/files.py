"""The answers of a batch as a file to download, written as it is read from the history."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException

from llamafarm.core.errors import LlamaFarmError
from llamafarm.experiments.batch.run import answers
from llamafarm.output.batch import Form, written
from llamafarm.output.tables import check_form
from llamafarm.runtime import Runtime
from llamafarm.ui.batch.view import DOWNLOADS
from llamafarm.ui.parts.downloads import PARQUET, Download

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "parquet": PARQUET}


def add_batch_files(app: FastAPI, runtime: Runtime) -> None:
    """Serve the answers of each batch, at addresses of the page's own; memory holds a few rows."""

    async def download(run: str, form: Form, excel: bool = False) -> Any:  # noqa: FBT001, FBT002 - FastAPI's query
        try:
            history = runtime.history()
            found = await history.run(run)
            check_form(form)
        except LlamaFarmError as error:
            raise HTTPException(404, str(error)) from None
        if found.kind != "batch":
            raise HTTPException(404, f"The run {run} is no batch.")
        name = f"batch-{found.id}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        pieces = written(answers(history, found.id), form, excel=excel)
        return Download(pieces, media_type=MEDIA_TYPES[form], headers=headers)

    app.get(f"/{DOWNLOADS}/{{run}}.{{form}}", include_in_schema=False, response_model=None)(download)
