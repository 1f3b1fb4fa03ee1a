"""What proxies say of a request: who asked, by which scheme and name. Believed of those that are trusted alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from uvicorn._types import Scope as UvicornScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from llamafarm.access.asgi import ADDRESSED, App, Receive, Scope, Send, header

FORWARDED_HOST = b"x-forwarded-host"
PREFIXES = (b"x-forwarded-", b"x-original-")
NAMES = (b"forwarded", b"x-real-ip", b"x-gradio-server")  # the last: Gradio takes its own address from it


class Proxies:
    """Wraps an application, which finds in the scope who asked and at which address, and no header that claims it.

    From a trusted address `X-Forwarded-For` names the client, `-Proto` the scheme and `-Host` the host; the host that
    the request itself named stays in the scope under `ADDRESSED`. `trusted` are addresses, networks, or `*`.
    """

    def __init__(self, app: App, trusted: Sequence[str]) -> None:
        self._app = app
        self._believing = ProxyHeadersMiddleware(cast("ASGI3Application", self._passed), list(trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as whoever is trusted tells it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope[ADDRESSED] = header(scope, b"host") or ""
        if not any(_claims(name) for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        host = header(scope, FORWARDED_HOST) if client and client[0] in self._believing.trusted_hosts else None
        if host is not None:
            named = host.split(",")[0].strip().encode("latin-1")
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", named), *kept]
        await self._believing(
            cast("UvicornScope", scope), cast("ASGIReceiveCallable", receive), cast("ASGISendCallable", send)
        )

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [(name, value) for name, value in scope["headers"] if not _claims(name)]
        await self._app(scope, receive, send)


def _claims(name: bytes) -> bool:
    return name in NAMES or name.startswith(PREFIXES)
