"""What the History tab's links download: all that a search finds, written while it is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, get_args

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.output.tables import check_form
from llamafarm.output.written import Form, written
from llamafarm.runtime import Runtime
from llamafarm.ui.history.list import Search

FORMS: dict[str, Form] = {form: form for form in get_args(Form)}
PARQUET = "application/vnd.apache.parquet"
MEDIA: dict[Form, tuple[str, str]] = {
    "csv": ("text/csv", "csv"),
    "jsonl": ("application/jsonl", "jsonl"),
    "markdown": ("text/markdown", "md"),
    "parquet": (PARQUET, "parquet"),
}
FILTERS = ("text", "project", "model", "kind", "since", "until")


class Download(StreamingResponse):
    """Closes what it reads from, also where the browser has gone."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], **named: Any) -> None:
        super().__init__(pieces, **named)
        self._pieces = pieces

    async def stream_response(self, send: Any) -> None:
        """Send all pieces."""
        async with aclosing(self._pieces):
            await super().stream_response(send)


def add_downloads(app: FastAPI, runtime: Runtime) -> None:
    """Add `/history/export` to the page's own application: the gate in front of the page guards it too."""

    @app.get("/history/export", include_in_schema=False)
    async def export(request: Request) -> Response:
        query = request.query_params
        try:
            form = FORMS.get(query.get("format", ""))
            if form is None:
                raise RequestError(f"A download's format is one of {', '.join(FORMS)}.")
            check_form(form)
            wanted = Search(**{name: query.get(name) for name in FILTERS}).filter()
            history = runtime.history()
            await history.find(wanted, limit=1)  # what is wrong is told before the file begins
        except LlamaFarmError as error:
            return PlainTextResponse(str(error), 400 if isinstance(error, RequestError) else 503)
        kind, suffix = MEDIA[form]
        name = {"content-disposition": f'attachment; filename="llamafarm-history.{suffix}"'}
        return Download(
            written(history.stream(wanted), form, excel=bool(query.get("excel"))), media_type=kind, headers=name
        )
