"""What the server refuses or adds before anything else sees a request. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio

from llamafarm.asgi import App, Message, Receive, Scope, Send, is_api, refuse
from llamafarm.settings import ServerSettings

MAX_BODY = 8 * 1024 * 1024
Refusal = tuple[int, str, str]  # status, code and reason
TOO_LARGE: Refusal = (413, "request_too_large", f"The request is larger than {MAX_BODY // 1024 // 1024} MiB.")
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

        guarded = _Guarded(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await guarded.refuse(refusal)
            return
        try:
            await self._app(scope, guarded.receive, guarded.send)
        except asyncio.CancelledError:
            # Only the end of the server cancels a request: a stream that was open ends here, with no traceback.
            if not guarded.begun:
                raise
            await send({"type": "http.response.body", "body": b""})

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in LOOKED_AT}
        host = headers.get(b"host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._loopback and name not in LOCAL_HOSTS:
            return 421, "wrong_host", f"This server answers to localhost, not to {name!r}."
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._may_post(scope, host, headers):
            return 403, "wrong_origin", "Another site's page can't use this server."
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return TOO_LARGE
        return None

    def _may_post(self, scope: Scope, host: str, headers: dict[bytes, str]) -> bool:
        origin = headers.get(b"origin")
        own = (None, f"http://{host}", f"https://{host}")
        return origin in own or (is_api(scope) and origin in self._origins)


class _Guarded:
    """One request and its answer: a body ends as soon as it is too long, whatever its length was said to be.

    What the application makes of half a body is not told then: the answer says that it is too long.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._read = 0
        self._refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        return message if self._read <= MAX_BODY else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._read > MAX_BODY:
                await self.refuse(TOO_LARGE)
                return
            self._begin(message)
        if not self._refused:
            await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        self._refused = True
        status, code, reason = refusal
        await refuse(self._scope, self._refusing, status, reason, code=code)

    async def _refusing(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        await self._send(message)

    def _begin(self, message: Message) -> None:
        self.begun = True
        message["headers"] = [*message.get("headers", []), *HEADERS]
