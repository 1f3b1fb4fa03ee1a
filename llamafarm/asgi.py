"""ASGI's types, and an answer that refuses: what the wrappers around the application share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API_PATH = "/v1"
CALLER = "llamafarm.caller"  # in the scope: who calls, as the gate found
ANYBODY = "anybody"
ADDRESSED = "llamafarm.host"  # in the scope: the host that the request itself named, whatever a proxy says


def header(scope: Scope, name: bytes) -> str | None:
    """The first header `name` (lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def is_api(scope: Scope) -> bool:
    """Whether the request is for the API, whose errors are in OpenAI's form."""
    path: str = scope["path"]
    return path == API_PATH or path.startswith(f"{API_PATH}/")


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
    """Answer with an error: to programs that call the API in OpenAI's form, to others as plain text."""
    if is_api(scope):
        error = {"message": message, "type": kind, "param": None, "code": code}
        body, media = json.dumps({"error": error}).encode(), b"application/json"
    else:
        body, media = message.encode(), b"text/plain; charset=utf-8"
    described = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
