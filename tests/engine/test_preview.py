"""The request that would be sent, without sending it."""

from __future__ import annotations

import pytest

from llamafarm.core.errors import LlamaFarmError, ModelUnusable, Problem, RequestError
from llamafarm.core.types import SentRequest
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.preview import preview
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from llamafarm.providers.registry import Providers
from tests.engine.fakes import model, project
from tests.faultserver.server import Exchange, FaultServer


async def shown(url: str, provider: str = "openai", **settings: object) -> SentRequest:
    named = model("m", provider=provider, base_url=f"{url}/v1", **settings)
    async with open_client() as client, EmbeddedModels(client) as embedded:
        providers = Providers(client, embedded.provider)
        return await preview(project([named]), Lane("m", named), Question.of("Hi"), providers)


@pytest.mark.parametrize(("provider", "path"), [("openai", "/v1/chat/completions"), ("ollama", "/api/chat")])
async def test_nothing_leaves(provider: str, path: str) -> None:
    async with FaultServer(Exchange.hang) as server:
        sent = await shown(server.url, provider, api_key="a-secret", key_variable="THE_KEY", parameters={"seed": 1})
        assert server.requests == []
        assert not server.arrived.is_set()
    assert (sent.method, sent.url) == ("POST", server.url + path)
    assert sent.headers["Authorization"] == "Bearer $THE_KEY"
    assert sent.body["messages"] == [{"role": "user", "content": "Hi"}]
    assert "a-secret" not in str(sent)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"provider": "embedded"}, RequestError, "there is no request to show"),
        ({"problems": (Problem(3, "api_key", "X is not set."),)}, ModelUnusable, "X is not set"),
    ],
)
async def test_what_has_no_request(settings: dict[str, object], error: type[LlamaFarmError], words: str) -> None:
    with pytest.raises(error, match=words):
        await shown("http://127.0.0.1:9", **settings)  # type: ignore[arg-type]
