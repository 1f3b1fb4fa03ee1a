"""What servers refuse is told in their words alone, with the advice that fits: bytes of real ones where there are any."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from llamafarm.core.errors import (
    AuthFailed,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    RequestRejected,
    ServerFailed,
)
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.providers.http.said import words
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import refuses
from tests.providers.captured import sends
from tests.providers.helpers import QUICK, ask, named

REAL = [
    ("ollama", "ollama_truncate_false", ContextTooLong, "413 tokens, the context 256", "num_ctx"),
    ("ollama", "ollama_bad_option", RequestRejected, 'option "temperature" must be of type float32', "temperature"),
    ("openai", "llamacpp_too_long", ContextTooLong, "10,725 tokens, the context 2,048", "n_ctx"),
    ("openai", "llamacpp_bad_option", RequestRejected, "Field 'temperature'", "parameters"),
    ("openai", "litellm_too_long", ContextTooLong, "10,704 tokens, the context 4,096", "n_ctx"),
    ("openai", "litellm_bad_option", RequestRejected, "type must be number, but is string", "parameters"),
    ("openai", "litellm_unknown_model", ModelNotFound, "Invalid model name passed in model=no-such-model", "`model`"),
    ("openai", "litellm_wrong_key", AuthFailed, "No connected db", "LANE_KEY"),
    ("openai", "transformers_unknown_model", ModelNotFound, "Server is pinned to '/models/smollm2'", "`model`"),
    ("openai", "vllm_too_long", ContextTooLong, "2,049 tokens, the context 2,048", "--max-model-len"),
    ("openai", "vllm_max_tokens", ContextTooLong, "max_tokens=100000 cannot be greater", "Lower max_tokens"),
    ("openai", "vllm_bad_option", RequestRejected, "body.temperature: Input should be a valid number", "parameters"),
    ("openai", "vllm_unknown_model", ModelNotFound, "The model `no-such-model` does not exist", "`model`"),
    ("openai", "vllm_wrong_key", AuthFailed, "Unauthorized", "LANE_KEY"),
]


@pytest.mark.parametrize(("provider", "name", "kind", "says", "hint"), REAL, ids=[row[1] for row in REAL])
async def test_what_real_servers_refuse(
    provider: str, name: str, kind: type[ProviderError], says: str, hint: str
) -> None:
    async with FaultServer(sends(name)) as server:
        _, error = await ask(named(provider, server.url), QUICK)
        assert len(server.requests) == 1  # nothing to try again
    assert type(error) is kind
    assert says in error.message
    assert hint in error.hint
    assert not set("{}\\") & set(error.message)


WRITTEN: list[tuple[JsonValue, type[ProviderError], str, str]] = [
    # the Universal runtime
    ({"detail": {"error": "context_length_exceeded", "message": "Prompt too long for the context size",
                 "context_usage": {"total_context": 2048, "prompt_tokens": 3000}}},
     ContextTooLong, "3,000 tokens, the context 2,048", ""),
    ({"error": {"message": "This model's maximum context length is 8192 tokens. However, your messages resulted in "
                           "10001 tokens.", "code": "context_length_exceeded"}},
     ContextTooLong, "10,001 tokens, the context 8,192", "longer context"),
    ({"type": "error", "error": {"type": "invalid_request_error",
                                 "message": "prompt is too long: 210000 tokens > 200000 maximum"}},
     ContextTooLong, "210,000 tokens, the context 200,000", ""),
    ([{"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed "
                                         "(1048576).", "status": "INVALID_ARGUMENT"}}],
     ContextTooLong, "1,200,000 tokens, the context 1,048,576", ""),
    ({"object": "error", "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens)."},
     ContextTooLong, "5,000 tokens, the context 4,096", "--context-length"),
    ({"error": {"message": "The model `gpt-5` does not exist or you do not have access to it.",
                "code": "model_not_found"}}, ModelNotFound, "does not exist", "`model`"),
    ({"error": "model 'llama3.1:8b' not found"}, ModelNotFound, "not found", "`model`"),
    ({"error": {"message": "nobody/none is not a valid model ID", "code": 400}}, ModelNotFound, "not a valid", "`model`"),
    ([{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], AuthFailed,
     "API key not valid", "LANE_KEY"),
    ({"error": {"message": "Incorrect API key provided."}}, AuthFailed, "Incorrect API key", "LANE_KEY"),
    ({"error": "bad top_k"}, RequestRejected, "bad top_k", "parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "says", "hint"), WRITTEN)
async def test_other_forms_under_a_400(body: JsonValue, kind: type[ProviderError], says: str, hint: str) -> None:
    async with FaultServer(refuses(400, body)) as server:
        _, error = await ask(named("openai", server.url))
    assert type(error) is kind
    assert says in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("provider", "option"),
    [("ollama", "num_ctx"), ("universal", "n_ctx"), ("lemonade", "--ctx-size")],
)
async def test_a_refusal_without_numbers_is_told_with_ours(provider: str, option: str) -> None:
    long = ChatRequest((Message("user", "word " * 3000),), {"num_ctx": 128})
    async with FaultServer(refuses(400, {"error": "the input length exceeds the context length"})) as server:
        _, error = await ask(named(provider, server.url), request=long)
    assert type(error) is ContextTooLong
    assert "about 3,004 tokens, the context 128" in error.message
    assert option in error.hint


async def test_other_options_of_a_wrong_type_are_not_tried_again() -> None:
    for text, name in (
        ('option "num_ctx" must be of type integer', "num_ctx"),
        ("invalid options: mirostatt", "mirostatt"),
    ):
        async with FaultServer(refuses(500, {"error": text})) as server:
            _, error = await ask(named("ollama", server.url), QUICK)
            assert len(server.requests) == 1
        assert type(error) is RequestRejected
        assert name in error.hint


async def test_other_failures_of_a_server_still_are() -> None:
    async with FaultServer(refuses(500, {"error": "an option of mine broke"})) as server:
        _, error = await ask(named("ollama", server.url), QUICK)
        assert len(server.requests) == 3
    assert type(error) is ServerFailed


FORMS: list[tuple[JsonValue, str]] = [
    ({"detail": "Not Found"}, "Not Found"),
    ({"detail": [{"loc": ["body", "messages", 0], "msg": "field required", "type": "missing"},
                 {"loc": ["body", "top_k"], "msg": "not a number", "input": "my own words"}]},
     "body.messages.0: field required; body.top_k: not a number"),
    ({"detail": {"error": "context", "message": "Too long"}}, "Too long"),
    ({"error": json.dumps({"error": {"message": json.dumps({"detail": "deep"}), "code": 400}})}, "deep"),
    ({"error": {"message": 'litellm.BadRequestError: OpenAIException - {"error":{"message":"bad top_p"}}\n\nThe end.'}},
     "litellm.BadRequestError: OpenAIException - bad top_p The end"),
    ({"error": {"message": "Error code: 400 - {'error': {'message': \"it's bad\", 'code': 400}}"}},
     "Error code: 400 - it's bad"),
    ({"errors": ["one", {"message": "two"}, {"detail": "three"}]}, "one; two; three"),
    ({"errors": {"model": ["can't be blank"], "top_k": ["is odd"]}}, "model: can't be blank; top_k: is odd"),
    ({"message": {"text": "in here", "code": 7}}, "text: in here; code: 7"),
    ({"error": "invalid_request", "error_description": "No such scope"}, "No such scope"),
    ({"title": "Bad Request", "status": 400, "detail": "The port is closed"}, "The port is closed"),
    ({"error": {"message": "Provider returned error", "code": 400,
                "metadata": {"raw": '{"error":{"message":"top_k is unknown"}}', "provider_name": "X"}}},
     "Provider returned error: top_k is unknown"),
    ({"code": 5, "msg": "zu lang"}, "zu lang"),
    ('{"error":{"message":"cut off in the mid', "cut off in the mid"),
    ("plain words", "plain words"),
    ("Unexpected token } in {this}", "Unexpected token } in {this}"),
    ({"error": {}}, ""),
    (None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), FORMS)
def test_the_words_of_an_error(body: JsonValue, said: str) -> None:
    assert words(body) == said


def test_what_is_nested_without_end_has_no_words() -> None:
    body: Mapping[str, JsonValue] = {"error": "x"}
    for _ in range(100):
        body = {"error": dict(body)}
    assert words(dict(body)) == ""


async def test_the_prompt_is_not_repeated_even_where_its_lines_are_joined() -> None:
    prompt = "A first line of the prompt that is long enough.\n\nAnd a second one."
    async with FaultServer(
        refuses(400, {"detail": json.dumps({"error": {"message": f"Can't read: {prompt}"}})})
    ) as server:
        _, error = await ask(named("openai", server.url), request=ChatRequest((Message("user", prompt),)))
    assert error is not None
    assert "Can't read: (prompt)" in error.message
