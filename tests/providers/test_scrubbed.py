"""A server that echoes what it was sent: no event and no error holds the model's secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.config.secrets.known import model_scrubber
from llamafarm.config.secrets.secret import HIDDEN
from llamafarm.core.errors import AuthFailed, LlamaFarmError, ProviderError, RequestError
from llamafarm.core.events import (
    Event,
    FellBack,
    Finished,
    ReasoningDelta,
    Relayed,
    Sent,
    TextDelta,
    ToolCalled,
    UsageReported,
)
from llamafarm.core.types import ChatRequest, JsonValue, Message, Route, SentRequest, ToolCall, Usage
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.policies.scrubbed import Scrubbed
from tests.providers.helpers import KEY

REQUEST = ChatRequest((Message("user", "Hello."),))
MODEL = NamedModel.model_validate(
    {
        "name": "a", "provider": "openai", "model": "m", "api_key": KEY, "base_url": "http://u:pass-word-9@h/v1?key=query-key-9",
        "extra_body": {"auth": "body-auth-9", "user": "me"},
    }
)  # fmt: skip
SECRETS = (KEY, "pass-word-9", "query-key-9", "body-auth-9", base64.b64encode(KEY.encode()).decode()[:20])


async def test_counts_that_cannot_be_tell_no_secret() -> None:
    """Neither a whole one nor the beginning of a long one, whether the scrubber knows it or not."""
    long = "sk-" + "x" * 160
    values: tuple[JsonValue, ...] = (KEY, long, [long], {long: long}, f"{KEY} ")
    for value in values:
        chat, came = ChatChunks(Counting(REQUEST)), Arrived(0.0)
        chat.feed({"usage": {"prompt_tokens": value, "completion_tokens": value, "cost": value}}, came)
        (event,) = came.events()
        assert isinstance(event, UsageReported)
        assert len(event.usage.doubts) >= 2
        assert "sk-" not in "".join(event.usage.doubts)


class Said:
    """Says `events`, then raises `error`."""

    def __init__(self, events: list[Event], error: LlamaFarmError | None = None) -> None:
        self.events, self.error = events, error

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        for event in self.events:
            yield event
        if self.error:
            raise self.error


async def scrubbed(*events: Event, error: LlamaFarmError | None = None) -> list[Event]:
    provider = Scrubbed(Said(list(events), error), model_scrubber(MODEL))
    told: list[Event] = []
    try:
        async with aclosing(provider.stream(REQUEST)) as stream:
            async for event in stream:
                told.append(event)  # noqa: PERF401 - what came before an error must be kept
    except LlamaFarmError as raised:
        assert raised is error  # noqa: PT017 - the events before it are asked for too
        told += [FellBack(at=0, model="", to="", lost_s=0, kind=repr(vars(raised)), message=repr(raised.args))]
    return told


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 5, 13, 100])
async def test_an_echo_over_pieces_is_hidden_with_counts_in_between(size: int) -> None:
    usage = UsageReported(at=0, usage=Usage())
    events: list[Event] = []
    for at, piece in enumerate(pieces(f"You sent Bearer {KEY} to me.", size)):
        events += [TextDelta(at=at, text=piece), usage]
    told = await scrubbed(*events, Finished(at=99, reason="stop"))
    text = "".join(event.text for event in told if isinstance(event, TextDelta))
    begun = [KEY[:letters] for letters in range(3)]  # too little to tell by: it may have been told already
    assert text in [f"You sent Bearer {letters}{HIDDEN} to me." for letters in begun]
    assert isinstance(told[-1], Finished)
    instants = [event.at for event in told if isinstance(event, TextDelta)]
    assert instants == sorted(instants)


async def test_every_kind_of_event_is_scrubbed() -> None:
    call = ToolCall(f"id-{KEY}", f"do-{KEY}", json.dumps({"key": KEY, "b": base64.b64encode(KEY.encode()).decode()}))
    told = await scrubbed(
        ReasoningDelta(at=1, text=f"I got {KEY[:9]}"),
        ReasoningDelta(at=2, text=f"{KEY[9:]} there"),
        TextDelta(at=3, text="pass-word-9 query-key-9 body-auth-9"),
        ToolCalled(at=4, call=call),
        Relayed(
            at=5,
            model=KEY,
            provider="p",
            model_id="m",
            route=Route("s", "m", f"for {KEY}", {"x": [f"{KEY}", {"y": KEY}]}),
        ),
        Finished(at=6, reason=f"stop {KEY}"),
    )
    words = repr(told)
    assert not any(secret in words for secret in SECRETS)
    assert [type(event) for event in told if not isinstance(event, TextDelta | ReasoningDelta)] == [
        ToolCalled,
        Relayed,
        Finished,
    ]
    assert next(event for event in told if isinstance(event, ToolCalled)).call.arguments.count(HIDDEN) == 2


@pytest.mark.parametrize(
    "error",
    [
        AuthFailed(f"no: {KEY}", hint=f"{KEY}?", status=401, request_id=f"req-{KEY}", excerpt=f"Bearer {KEY}"),
        RequestError(f"no: {KEY}", hint=f"{KEY}?"),
        ProviderError(f"no: {base64.b64encode(f'Bearer {KEY}'.encode()).decode()}"),
    ],
)
async def test_errors_are_scrubbed_and_what_waited_is_told_first(error: LlamaFarmError) -> None:
    told = await scrubbed(TextDelta(at=1, text=f"It is {KEY[:4]}"), error=error)
    words = repr(told)
    assert not any(secret in words for secret in SECRETS)
    assert HIDDEN in words
    assert "".join(event.text for event in told if isinstance(event, TextDelta)) == f"It is {KEY[:4]}"


async def test_a_request_is_shown_without_what_is_secret_in_its_address_and_body() -> None:
    sent = SentRequest(
        "POST",
        "http://h/v1/chat/completions?key=query-key-9&v=1",
        {"Authorization": "Bearer $LANE_KEY"},
        {"messages": [{"content": "my password: x"}], "auth": "body-auth-9", "token": "x", "user": "me"},
    )
    (told,) = await scrubbed(Sent(at=0, request=sent))
    assert isinstance(told, Sent)
    assert told.request == SentRequest(
        "POST",
        f"http://h/v1/chat/completions?key={HIDDEN}&v=1",
        {"Authorization": "Bearer $LANE_KEY"},
        {"messages": [{"content": "my password: x"}], "auth": HIDDEN, "token": HIDDEN, "user": "me"},
    )


async def test_text_that_holds_nothing_is_told_as_it_came() -> None:
    events = [TextDelta(at=1, text="Llamas"), TextDelta(at=2, text=" eat s"), TextDelta(at=3, text="ky-high grass.")]
    assert await scrubbed(*events) == events
