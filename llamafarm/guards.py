"""What the server refuses or adds before anything else sees a request. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from llamafarm.settings import ServerSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 8 * 1024 * 1024
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# Scripts and styles of the page itself are inline, and its plots and events compile functions; nothing may
# come from, or go to, another server.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Guards:
    """Wraps an application.

    On loopback only this machine's names are answered to (else another site's name could be pointed here), a
    page of another origin can't post, a body has at most 8 MiB, and every answer carries the policy that
    keeps what models say from loading anything.
    """

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self._app = app
        self._loopback = settings.loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused request here, and pass on every other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return

        begun = False

        async def guarded_send(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        try:
            await self._app(scope, _bounded(receive), guarded_send)
        except asyncio.CancelledError:
            # Only the end of the server cancels a request: a stream that was open ends here, with no traceback.
            if not begun:
                raise
            await send({"type": "http.response.body", "body": b""})

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._loopback and name not in LOCAL_HOSTS:
            return 421, f"This server answers to localhost, not to {name!r}."
        origin = headers.get("origin")
        if method not in ("GET", "HEAD", "OPTIONS") and origin not in (None, f"http://{host}", f"https://{host}"):
            return 403, "Another site's page can't use this server."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return 413, f"The request is larger than {MAX_BODY // 1024 // 1024} MiB."
        return None


def _bounded(receive: Receive) -> Receive:
    """`receive`, which ends a body of unknown length as soon as it is too long."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= MAX_BODY else {"type": "http.disconnect"}

    return bounded


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
