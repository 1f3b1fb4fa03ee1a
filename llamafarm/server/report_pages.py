"""Reports over HTTP: `/report/ID` is the page of a run or a comparison. Plain ASGI."""

from __future__ import annotations

from llamafarm.access.asgi import App, Receive, Scope, Send, refuse
from llamafarm.core.errors import RequestError, StoreError
from llamafarm.output.report.page import report
from llamafarm.runtime import Runtime

PATH = "/report"


def reports(runtime: Runtime) -> App:
    """The application at `PATH`. Who may call is looked at before; what was recorded is shown to whoever may."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
        name = str(scope["path"]).removeprefix(PATH).strip("/")
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(scope, send, 405, "A report can only be read.", code="method_not_allowed")
            return
        try:
            html = await report(runtime.history(), name)
        except RequestError as error:
            await refuse(scope, send, 404, str(error), code="not_found")
            return
        except StoreError as error:
            await refuse(scope, send, 503, str(error), code="no_history")
            return
        body = html.encode("utf-8", "replace")
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"content-disposition", f'inline; filename="report-{_plain(name)}.html"'.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return answer


def _plain(name: str) -> str:
    """`name` without what does not belong into a header."""
    return "".join(sign for sign in name if sign.isascii() and sign.isalnum())
