"""Tools that are not to be called, on every protocol that knows no such choice."""

from __future__ import annotations

from typing import Any

import pytest

from llamafarm.core.types import ChatRequest, Message
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays
from tests.providers.helpers import ask, named

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("choice", "sent"), [("none", None), ("auto", [TOOL]), ("required", [TOOL]), (None, [TOOL])], ids=str
)
async def test_ollama_is_not_sent_tools_that_are_not_to_be_called(choice: str | None, sent: Any) -> None:
    parameters = {"seed": 1, "parallel_tool_calls": False} | ({"tool_choice": choice} if choice else {})
    request = ChatRequest((Message("user", "Hi"),), parameters, (TOOL,))
    async with FaultServer(plays("ollama", answer("ollama", "Hay."))) as server:
        _, error = await ask(named("ollama", server.url), request=request)
    body = server.requests[0].json()
    assert error is None
    assert body.get("tools") == sent
    assert body["options"] == {"seed": 1}
