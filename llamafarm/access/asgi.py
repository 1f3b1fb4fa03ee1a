"""ASGI's types, and an answer that refuses: what the wrappers around the application share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API_PATH, MCP_PATH = "/v1", "/mcp"
CALLER = "llamafarm.caller"  # in the scope: who calls, as the gate found
ANYBODY = "anybody"
ADDRESSED = "llamafarm.host"  # in the scope: the host that the request itself named, whatever a proxy says


class HttpMiddleware:
    """Wraps an application: requests go to `answer`, all else goes by."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See https://asgi.readthedocs.io/en/latest/specs/main.html."""
        await (self.answer if scope["type"] == "http" else self._app)(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        raise NotImplementedError


def header(scope: Scope, name: bytes) -> str | None:
    """The first header `name` (lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def is_api(scope: Scope) -> bool:
    """Whether the request is for the API."""
    return _is_under(scope["path"], API_PATH)


def is_for_programs(scope: Scope) -> bool:
    """Whether the request is for the API or for the MCP endpoint, which pages of other sites may use where allowed."""
    return is_api(scope) or _is_under(scope["path"], MCP_PATH)


def tidied(scope: Scope) -> Scope:
    """`scope` with the path that was meant: a base URL that ends in a slash gives two in a row, or one at the end."""
    given: str = scope["path"]
    if given.startswith("/") and "//" not in given and (given == "/" or not given.endswith("/")):
        return scope
    path = "/" + "/".join(part for part in given.split("/") if part)
    if path == given or not is_for_programs({"path": path}):
        return scope
    return {**scope, "path": path, "raw_path": quote(path).encode()}


def takes_json(scope: Scope) -> bool:
    """Whether a program asks, which is told of errors in OpenAI's form wherever it has come."""
    accepted = header(scope, b"accept") or ""
    sent = header(scope, b"content-type") or ""
    return is_api(scope) or "json" in sent or ("json" in accepted and "html" not in accepted)


def _is_under(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


async def refuse(
    scope: Scope,
    send: Send,
    status: int,
    message: str,
    *,
    code: str,
    kind: str = "invalid_request_error",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Answer with an error: to programs in OpenAI's form, to others as plain text."""
    if takes_json(scope):
        error = {"message": message, "type": kind, "param": None, "code": code}
        body, media = json.dumps({"error": error}).encode(), b"application/json"
    else:
        body, media = message.encode(), b"text/plain; charset=utf-8"
    described = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
