"""Bytes that the embedded server sent (scripts/capture_embedded.py), in any split, give the same events."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import httpx
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.errors import ContextTooLong
from llamafarm.core.events import Event, UsageReported
from llamafarm.core.types import ChatRequest, Count, Usage
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.wire.records import Records
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import refuses
from tests.providers.helpers import ask, named, text_of

FIXTURES = Path(__file__).parent / "fixtures"
STREAM = (FIXTURES / "embedded_stream.sse").read_bytes()
WHOLE = json.loads((FIXTURES / "embedded_whole.json").read_bytes())
TEXT = WHOLE["choices"][0]["message"]["content"]


def events(parts: list[bytes]) -> tuple[list[Event], str | None]:
    """The events of a stream that comes in `parts`, all at the instant 0."""
    stream, chat = Records(), ChatChunks(Counting(ChatRequest(())))
    told = [event for part in parts for event in stream.feed(part)] + list(stream.end())
    came = Arrived(0.0)
    for each in told:
        if each.data != "[DONE]":
            chat.feed(json.loads(each.data), came)
    chat.end(came)
    return came.events(), chat.finish_reason


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert events([STREAM[start:end] for start, end in itertools.pairwise(edges)]) == events([STREAM])


def test_byte_by_byte() -> None:
    assert events([STREAM[at : at + 1] for at in range(len(STREAM))]) == events([STREAM])


def test_the_stream_is_the_whole_answer() -> None:
    said, reason = events([STREAM])
    assert text_of(said) == TEXT
    assert reason == WHOLE["choices"][0]["finish_reason"] == "length"
    assert said[-1] == UsageReported(
        at=0.0, usage=Usage(Count(46, "reported"), Count(24, "reported"), cached=Count(0, "reported"))
    )


async def test_its_refusal_of_a_prompt_that_is_too_long() -> None:
    refusal = refuses(httpx.codes.BAD_REQUEST, (FIXTURES / "embedded_too_long.json").read_bytes())
    async with FaultServer(refusal) as server:
        _, error = await ask(named("openai", server.url))
    assert isinstance(error, ContextTooLong)
    assert "4096" in error.message
