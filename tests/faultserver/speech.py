"""What model servers say: the OpenAI form and Ollama's, as bytes and as whole scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Literal

from tests.faultserver.server import Exchange, Script

Protocol = Literal["openai", "ollama"]
TYPES: dict[Protocol, str] = {"openai": "text/event-stream", "ollama": "application/x-ndjson"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def event(data: Any) -> bytes:
    """One server-sent event."""
    return f"data: {data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chunk(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> bytes:
    """One chunk of a chat completion."""
    body = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "created": 1}
    return event(body | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | extra)


def record(message: dict[str, Any] | None = None, **extra: Any) -> bytes:
    """One record of Ollama's stream."""
    body: dict[str, Any] = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False}
    if message is not None:
        body["message"] = {"role": "assistant", **message}
    return (json.dumps(body | extra, ensure_ascii=False) + "\n").encode()


def said(protocol: Protocol, text: str) -> bytes:
    """A piece of the answer."""
    return chunk({"content": text}) if protocol == "openai" else record({"content": text})


def thought(protocol: Protocol, text: str) -> bytes:
    """A piece of reasoning."""
    return chunk({"reasoning_content": text}) if protocol == "openai" else record({"content": "", "thinking": text})


def ending(protocol: Protocol, reason: str = "stop", usage: dict[str, int] | None = USAGE) -> bytes:
    """The regular end: finish_reason, usage and [DONE], or Ollama's last record."""
    if protocol == "openai":
        counted = [event({"id": "c1", "choices": [], "usage": usage})] if usage else []
        return b"".join([chunk({}, reason), *counted, event("[DONE]")])
    counts = {"prompt_eval_count": usage["prompt_tokens"], "eval_count": usage["completion_tokens"]} if usage else {}
    return record({"content": ""}, done=True, done_reason=reason, load_duration=250_000_000, **counts)


def answer(protocol: Protocol, *texts: str) -> list[bytes]:
    """A whole answer, piece by piece."""
    return [*(said(protocol, text) for text in texts), ending(protocol)]


def plays(protocol: Protocol, pieces: Sequence[bytes | float | asyncio.Event], *, then: str = "end") -> Script:
    """A script that sends `pieces`; a number waits so many seconds, an event until it is set.

    `then`: end (regularly), cut (drop the connection), hang (say nothing more).
    """

    async def script(exchange: Exchange) -> None:
        await exchange.head(content_type=TYPES[protocol])
        for piece in pieces:
            match piece:
                case bytes():
                    await exchange.send(piece)
                case asyncio.Event():
                    await piece.wait()
                case _:
                    await asyncio.sleep(piece)
        await {"end": exchange.end, "cut": exchange.cut, "hang": exchange.hang}[then]()

    return script


def refuses(status: int, body: Any = None, content_type: str = "application/json", **headers: str) -> Script:
    """A script that answers with an error; `body` is bytes, text, or something for JSON."""

    async def script(exchange: Exchange) -> None:
        data = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        await exchange.head(status, content_type, **headers)
        await exchange.send(data)
        await exchange.end()

    return script
