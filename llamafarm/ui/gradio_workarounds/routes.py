"""Which of Gradio's addresses the page uses. Nothing answers at the others, uploads and recordings among them."""

from __future__ import annotations

import logging

from llamafarm.access.asgi import HttpMiddleware, Message, Receive, Scope, Send, refuse
from llamafarm.ui.batch.view import DOWNLOADS
from llamafarm.ui.parts.shell import PAGES

log = logging.getLogger(__name__)
READ = ("GET", "HEAD")
# The pages that have an address of their own are one page to Gradio: its script shows the one that is named.
NAMED = tuple(f"/{name}" for name, _, _ in PAGES[1:])
ADDRESSES = {
    "/": READ,
    "/config": READ,
    "/theme.css": READ,
    "/favicon.ico": READ,
    "/robots.txt": READ,
    "/history/export": READ,
    "/gradio_api/app_id": READ,
    "/gradio_api/queue/join": ("POST",),
    "/gradio_api/queue/data": ("GET",),
    "/gradio_api/run/predict": ("POST",),  # for listeners that wait in no queue; for others it answers 404
}
GRADIO = ("/gradio_api/", "/assets/", "/static/")
FAILED = 500
LOGGED = 100
FOLDERS = ("/assets/", "/static/", f"/{DOWNLOADS}/")


class OwnRoutes(HttpMiddleware):
    """Wraps the page's application: Gradio brings some seventy addresses, each with its own way to fail."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what the page uses, under each of its addresses; 404 for the rest, 405 for another method."""
        if scope["path"] in NAMED:
            scope = {**scope, "path": "/", "raw_path": b"/"}
        methods = _methods(scope["path"])
        if methods is None:
            await refuse(scope, send, 404, "There is nothing here.", code="not_found")
        elif scope["method"] not in methods:
            allowed = ((b"allow", ", ".join(methods).encode()),)
            message = f"This address takes {' and '.join(methods)}."
            await refuse(scope, send, 405, message, code="method_not_allowed", headers=allowed)
        elif scope["path"].startswith(GRADIO):
            await self._graceful(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _graceful(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Where Gradio fails at what no page of ours sends (an unknown listener), the request is wrong."""
        failed = False

        async def watched(message: Message) -> None:
            nonlocal failed
            failed = failed or (message["type"] == "http.response.start" and message["status"] == FAILED)
            if not failed:
                await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if not failed:
                raise
            log.warning("%s %r was refused: %s", scope["method"], scope["path"][:LOGGED], type(error).__name__)
        if failed:
            await refuse(scope, send, 400, "The page sends nothing like this.", code="invalid_request")


def _methods(path: str) -> tuple[str, ...] | None:
    return READ if path.startswith(FOLDERS) else ADDRESSES.get(path)
