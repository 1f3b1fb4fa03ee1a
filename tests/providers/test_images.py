"""Pictures in a prompt: each protocol's own form, told by their size where the request is shown."""

from __future__ import annotations

import base64

import pytest

from llamafarm.core.errors import RequestRejected
from llamafarm.core.events import Sent
from llamafarm.core.types import ChatRequest, Image, Message
from llamafarm.engine.fold.metrics import estimated_input, estimated_usage
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays
from tests.providers.helpers import ask, named

PNG = base64.b64encode(b"\x89PNG" + bytes(3000)).decode()
REQUEST = ChatRequest((Message("user", "What is this?", images=(Image("image/png", PNG),)),))


async def test_openai_takes_content_parts() -> None:
    async with FaultServer(plays("openai", answer("openai", "A llama."))) as server:
        events, error = await ask(named("openai", server.url), request=REQUEST)
        [seen] = server.requests
    assert error is None
    assert seen.json()["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        }
    ]
    assert isinstance(events[0], Sent)
    assert PNG[:100] not in str(events[0].request.body)
    assert "data:image/png;base64,… (3,004 bytes in base64)" in str(events[0].request.body)


async def test_ollama_takes_images_beside_the_text() -> None:
    async with FaultServer(plays("ollama", answer("ollama", "A llama."))) as server:
        events, _ = await ask(named("ollama", server.url), request=REQUEST)
        [seen] = server.requests
    assert seen.json()["messages"] == [{"role": "user", "content": "What is this?", "images": [PNG]}]
    assert isinstance(events[0], Sent)
    assert PNG[:100] not in str(events[0].request.body)


async def test_the_embedded_model_says_that_it_sees_nothing() -> None:
    model = named("embedded", "", model="smollm2-135m-instruct", base_url=None)
    async with open_client() as client, EmbeddedModels(client) as models:
        with pytest.raises(RequestRejected, match="can't see pictures"):
            _ = [event async for event in models.provider(model).stream(REQUEST)]


def test_tokens_of_pictures_are_not_guessed() -> None:
    usage = estimated_usage(estimated_input(REQUEST), 3, None)
    assert usage.input is None
    assert usage.output is not None
