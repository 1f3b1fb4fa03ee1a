"""What the server refuses or adds before anything else sees a request. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio

from llamafarm.asgi import App, Message, Receive, Scope, Send, is_api, refuse
from llamafarm.settings import ServerSettings

MAX_BODY = 8 * 1024 * 1024
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOOKED_AT = (b"host", b"origin", b"content-length")

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
    page of another origin can't post (but to the API, where the operator allows its origin), a body has at most
    8 MiB, and every answer carries the policy that keeps what models say from loading anything.
    """

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self._app = app
        self._loopback = settings.loopback
        self._origins = settings.cors_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused request here, and pass on every other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def guarded_send(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            status, code, reason = refusal
            await refuse(scope, guarded_send, status, reason, code=code)
            return
        try:
            await self._app(scope, _bounded(receive), guarded_send)
        except asyncio.CancelledError:
            # Only the end of the server cancels a request: a stream that was open ends here, with no traceback.
            if not begun:
                raise
            await send({"type": "http.response.body", "body": b""})

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        """Status, code and reason, where the request is refused."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in LOOKED_AT}
        host = headers.get(b"host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._loopback and name not in LOCAL_HOSTS:
            return 421, "wrong_host", f"This server answers to localhost, not to {name!r}."
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._may_post(scope, host, headers):
            return 403, "wrong_origin", "Another site's page can't use this server."
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return 413, "request_too_large", f"The request is larger than {MAX_BODY // 1024 // 1024} MiB."
        return None

    def _may_post(self, scope: Scope, host: str, headers: dict[bytes, str]) -> bool:
        origin = headers.get(b"origin")
        own = (None, f"http://{host}", f"https://{host}")
        return origin in own or (is_api(scope) and origin in self._origins)


def _bounded(receive: Receive) -> Receive:
    """`receive`, which ends a body of unknown length as soon as it is too long."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= MAX_BODY else {"type": "http.disconnect"}

    return bounded
