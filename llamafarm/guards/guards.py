"""Hosts, origins, sizes and headers: every request passes here first. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio

from llamafarm.asgi import ADDRESSED, App, Message, Receive, Scope, Send, header, is_api, refuse
from llamafarm.guards.origins import LOOKED_AT, is_foreign
from llamafarm.guards.shape import MAX_VALUES, Shape
from llamafarm.settings import ServerSettings

MAX_BODY = 6_000_000  # four MiB of pictures in base64, and the rest of a request
Refusal = tuple[int, str, str]  # status, code and reason
TOO_LARGE: Refusal = (413, "request_too_large", f"The request is larger than {MAX_BODY // 1_000_000} MB.")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
CORS = b"access-control-"
PAGE = "/gradio_api/"
PAGE_VALUES = 5_000  # ten times what the page's largest listener reads; Gradio walks through them several times

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

    On loopback only this machine's names are answered to (else another site's name could be pointed here). A page of
    another origin gets nothing (but of the API, where the operator allows its origin), and no answer outside the API
    says that it may. A body has at most 6 MB and so many values, and every answer carries the policy that keeps
    what models say from loading anything.
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
        except Exception:
            if not guarded.cut:  # else it is about half a body, which nobody asked for
                raise
        await guarded.end()

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in LOOKED_AT}
        host = scope.get(ADDRESSED, headers.get(b"host", ""))
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._loopback and name not in LOCAL_HOSTS:
            return 421, "wrong_host", f"This server answers to localhost, not to {name!r}."
        if not scope["path"].startswith("/"):
            return 400, "invalid_request", "The address of a request begins with a slash."
        asks_api = scope["method"] == "OPTIONS" and is_api(scope)  # may it? there the API itself answers
        if not asks_api and is_foreign(scope["method"], headers, self._origins if is_api(scope) else ()):
            return 403, "wrong_origin", "Another site's page can't use this server."
        length = header(scope, b"content-length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            return TOO_LARGE
        return None


class _Guarded:
    """One request and its answer: a body ends as soon as it is too much, whatever its length was said to be.

    What the application makes of half a body is not told then: the answer says what is wrong with it.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun = False
        self.cut: Refusal | None = None
        self._scope = scope
        self._receive = receive
        self._send = send
        self._read = 0
        self._shape = Shape(PAGE_VALUES if scope["path"].startswith(PAGE) else MAX_VALUES)
        self._refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        body = message.get("body", b"")
        if body and self.cut is None:
            self._read += len(body)
            if self._read > MAX_BODY:
                self.cut = TOO_LARGE
            elif why := self._shape.trouble(body):
                self.cut = (400, "invalid_request", why)
        return message if self.cut is None else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            if self.cut is not None:
                await self.refuse(self.cut)
                return
            self._begin(message)
        await self._send(message)

    async def end(self) -> None:
        """The application has returned: what it was not given whole may not have made it say anything."""
        if self.cut is not None and not self.begun:
            await self.refuse(self.cut)

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
        given = message.get("headers", [])
        if not is_api(self._scope):
            given = [(name, value) for name, value in given if not name.lower().startswith(CORS)]
        message["headers"] = [*given, *HEADERS]
