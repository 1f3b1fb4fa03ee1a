"""Bodies that come whole or not at all, for an application that makes an incident of one that breaks off."""

from __future__ import annotations

from llamafarm.access.asgi import HttpMiddleware, Message, Receive, Scope, Send


class Whole(HttpMiddleware):
    """Wraps an application, which is called when the body is there; `SecurityMiddleware` bounds and cuts it."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and pass it on in one piece; nothing where it breaks off."""
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
