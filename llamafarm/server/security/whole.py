"""Bodies that come whole or not at all, for an application that makes an incident of one that breaks off."""

from __future__ import annotations

from llamafarm.access.asgi import App, Message, Receive, Scope, Send


class Whole:
    """Wraps an application, which is called when the body is there; `SecurityMiddleware` bounds and cuts it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and pass it on in one piece; nothing where it breaks off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        pieces, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        body: list[Message] = [{"type": "http.request", "body": b"".join(pieces), "more_body": False}]

        async def given() -> Message:
            return body.pop() if body else await receive()

        await self._app(scope, given, send)
