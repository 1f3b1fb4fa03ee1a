"""What the wrappers around the application share."""

from __future__ import annotations

import pytest

from llamafarm.access.asgi import HttpMiddleware, Message, Receive, Scope, Send


class Noting(HttpMiddleware):
    """Notes what comes to it."""

    def __init__(self, seen: list[str]) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(f"app {scope['type']}")

        super().__init__(app)
        self.seen = seen

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(f"answered {scope['type']}")


async def nothing() -> Message:
    raise AssertionError("nothing is read")


async def nowhere(message: Message) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize(
    ("kind", "expected"), [("http", "answered http"), ("websocket", "app websocket"), ("lifespan", "app lifespan")]
)
async def test_requests_are_answered_and_all_else_goes_by(kind: str, expected: str) -> None:
    seen: list[str] = []
    await Noting(seen)({"type": kind}, nothing, nowhere)
    assert seen == [expected]
