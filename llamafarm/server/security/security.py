"""Hosts, origins, sizes and headers: every request passes here first. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from llamafarm.access.asgi import (
    App,
    HttpMiddleware,
    Message,
    Receive,
    Scope,
    Send,
    header,
    is_for_programs,
    refuse,
    tidied,
)
from llamafarm.access.settings import ServerSettings
from llamafarm.server.security.coding import CODINGS, UNTOUCHED, Garbled, Plain
from llamafarm.server.security.hosts import Hosts
from llamafarm.server.security.origins import LOOKED_AT, is_foreign
from llamafarm.server.security.shape import MAX_VALUES, Shape

MAX_BODY = 6_000_000  # four MiB of pictures in base64, and the rest of a request
Refusal = tuple[int, str, str]  # status, code and reason
TOO_LARGE: Refusal = (413, "request_too_large", f"The request is larger than {MAX_BODY // 1_000_000} MB.")
GARBLED: Refusal = (400, "invalid_request", "The body is not what its Content-Encoding says.")
UNKNOWN_CODING = "The body's Content-Encoding is {}: send it as it is, or with gzip or deflate."
PACKED = (b"content-encoding", b"content-length")
LONGEST_NAME = 40
ACCEPTED = {415: ((b"accept-encoding", b"gzip, deflate"),)}
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


class SecurityMiddleware(HttpMiddleware):
    """Wraps an application.

    On loopback only known names are answered to. A page of another origin gets nothing (but of the API and the MCP
    endpoint, where the operator allows its origin), and no other answer says that it may. A body, unpacked, has at most
    6 MB and so many values, and every answer carries the policy that keeps what models say from loading anything.
    """

    def __init__(self, app: App, settings: ServerSettings) -> None:
        super().__init__(app)
        self._hosts = Hosts(settings)
        self._origins = settings.cors_origins

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused request here, and pass on every other."""
        scope = tidied(scope)
        guarded = _Guarded(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await guarded.refuse(refusal)
            return
        try:
            await self._app(_unpacked(scope), guarded.receive, guarded.send)
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
        if why := self._hosts.trouble(scope):
            return 421, "wrong_host", why
        if not scope["path"].startswith("/"):
            return 400, "invalid_request", "The address of a request begins with a slash."
        programs = is_for_programs(scope)
        asks = scope["method"] == "OPTIONS" and programs  # may it? there the application itself answers
        if not asks and is_foreign(scope["method"], headers, self._origins if programs else ()):
            return 403, "wrong_origin", "Another site's page can't use this server."
        length = header(scope, b"content-length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            return TOO_LARGE
        coding = _coding(scope)
        if coding not in CODINGS and coding not in UNTOUCHED:
            return 415, "unsupported_content_encoding", UNKNOWN_CODING.format(coding[:LONGEST_NAME])
        return None


def _coding(scope: Scope) -> str:
    """How the body is packed."""
    return (header(scope, b"content-encoding") or "").strip().lower()


def _unpacked(scope: Scope) -> Scope:
    """`scope` as it is for a body that was not packed."""
    if _coding(scope) in UNTOUCHED:
        return scope
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in PACKED]}


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
        self._plain = Plain(_coding(scope))
        self._shape = Shape(PAGE_VALUES if scope["path"].startswith(PAGE) else MAX_VALUES)
        self._refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and self.cut is None:
            last = not message.get("more_body", False)
            message = {**message, "body": b"".join(self._bounded(message.get("body", b""), last=last))}
        return message if self.cut is None else {"type": "http.disconnect"}

    def _bounded(self, body: bytes, *, last: bool) -> Iterator[bytes]:
        """The body as it was before it was packed, until it is too much."""
        try:
            for piece in self._plain.feed(body, last=last):
                self._read += len(piece)
                if self._read > MAX_BODY:
                    self.cut = TOO_LARGE
                elif why := self._shape.trouble(piece):
                    self.cut = (400, "invalid_request", why)
                if self.cut is not None:
                    return
                yield piece
        except Garbled:
            self.cut = GARBLED

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
        await refuse(self._scope, self._refusing, status, reason, code=code, headers=ACCEPTED.get(status, ()))

    async def _refusing(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        await self._send(message)

    def _begin(self, message: Message) -> None:
        self.begun = True
        given = message.get("headers", [])
        if not is_for_programs(self._scope):
            given = [(name, value) for name, value in given if not name.lower().startswith(CORS)]
        message["headers"] = [*given, *HEADERS]
