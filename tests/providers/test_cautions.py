"""What makes an answer other than it looks is found out: a prompt that was cut, an answer that may be, one in circles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamafarm.core import tokens
from llamafarm.core.conditions import Caution, Cautioned
from llamafarm.core.errors import Interrupted
from llamafarm.core.events import Event, Finished
from llamafarm.core.types import REPEATED, ChatRequest, Count, JsonValue, Message
from llamafarm.providers.answers.bounds import output_bound, perhaps_cut
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, answer, chunk, ending, event, plays, record, refuses, said
from tests.providers.captured import sends
from tests.providers.helpers import PROMPT, ask, named, text_of

LONG = "The llama eats grass and looks at the mountains. " * 300  # about 3,000 tokens
BOTH: tuple[Protocol, ...] = ("openai", "ollama")


def cautions(events: list[Event]) -> list[Caution]:
    return [event.caution for event in events if isinstance(event, Cautioned)]


def asked(text: str, *more: Message, **parameters: JsonValue) -> ChatRequest:
    return ChatRequest((*more, Message("user", text)), parameters)


async def counted(protocol: Protocol, text: str, **usage: Any) -> list[Caution]:
    """The cautions where a server counts `usage` for the prompt `text`."""
    given = {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12} | usage
    if protocol == "openai":
        last = b"".join([chunk({}, "stop"), event({"choices": [], "usage": given}), event("[DONE]")])
    else:
        last = record({"content": ""}, done=True, done_reason="stop", prompt_eval_count=given["prompt_tokens"],
                      eval_count=1)  # fmt: skip
    async with FaultServer(plays(protocol, [said(protocol, "so"), last])) as server:
        events, error = await ask(named(protocol, server.url), request=asked(text))
    assert error is None
    return cautions(events)


@pytest.mark.parametrize("protocol", BOTH)
async def test_a_count_of_a_part_of_the_prompt_is_told(protocol: Protocol) -> None:
    (found,) = await counted(protocol, LONG, prompt_tokens=128, total_tokens=129)
    assert found.kind == "prompt_cut"
    assert found.text == (
        f"The server counted 128 tokens of a prompt of about {tokens.estimate(LONG) + 4:,}: it was probably cut."
    )


@pytest.mark.parametrize(
    "text",
    ["word " * 3000, "据说这只羊驼每天早上都要去山上吃草。" * 200, "Лама ест траву и смотрит на горы. " * 300,
     "def eat(grass):\n    return [blade for blade in grass if blade.green]\n" * 150, "लामा घास खाता है। " * 500],
    ids=["words", "Chinese", "Russian", "code", "Hindi"],
)  # fmt: skip
async def test_in_any_language(text: str) -> None:
    (found,) = await counted("openai", text, prompt_tokens=128, total_tokens=129)
    assert found.kind == "prompt_cut"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("-" * 5000, 90),  # runs of one character are few tokens
        (" " * 20_000 + "so", 200),
        ("a" * 3000, 150),
        ("2019 2020 2021 2022 " * 200, 800),
        ("The llama eats grass and looks at the mountains. " * 300, 2700),
        ("short", 128),
        ("🦙" * 200, 60),
        ("aGVsbG8gd29ybGQ" * 300, 1500),
    ],
)
@pytest.mark.parametrize("protocol", BOTH)
async def test_what_is_few_tokens_by_its_nature_is_no_cut(protocol: Protocol, text: str, count: int) -> None:
    assert await counted(protocol, text, prompt_tokens=count, total_tokens=count + 1) == []


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 3000, "prompt_tokens_details": {"cached_tokens": 2990}, "total_tokens": 3001},
        {"prompt_tokens": 10, "cache_read_input_tokens": 2990, "total_tokens": 11},
        {"prompt_tokens": 10, "input_tokens": 10, "cache_creation_input_tokens": 2990, "total_tokens": 11},
        {"prompt_tokens": 10, "prompt_cache_hit_tokens": 2990, "total_tokens": 3001},
        {"prompt_tokens": 1, "total_tokens": 2},
        {"prompt_tokens": 0, "total_tokens": 1},
    ],
)
async def test_cached_tokens_are_no_cut(usage: dict[str, Any]) -> None:
    assert await counted("openai", LONG, **usage) == []


async def test_timings_of_llama_cpp_with_a_cache_are_no_cut() -> None:
    last = chunk({}, "stop", timings={"cache_n": 2990, "prompt_n": 1, "predicted_n": 1})
    async with FaultServer(plays("openai", [said("openai", "so"), last, event("[DONE]")])) as server:
        events, _ = await ask(named("openai", server.url), request=asked(LONG))
    assert cautions(events) == []


@pytest.mark.parametrize(("name", "count"), [("ollama_cut_0_17", 128), ("ollama_cut_0_33", 66)])
async def test_what_the_real_ollama_cut(name: str, count: int) -> None:
    async with FaultServer(sends(name)) as server:
        events, error = await ask(named("ollama", server.url), request=asked("word " * 3000))
    assert error is None
    assert [caution.kind for caution in cautions(events)] == ["prompt_cut"]
    assert f"counted {count} tokens" in cautions(events)[0].text


async def test_messages_that_vanish_are_a_cut_too() -> None:
    turns = [Message("user", LONG), Message("assistant", "so")]
    async with FaultServer(plays("ollama", answer("ollama", "so"))) as server:
        events, _ = await ask(named("ollama", server.url), request=asked("And you?", *turns))
    assert [caution.kind for caution in cautions(events)] == ["prompt_cut"]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"truncated": True, "truncated_messages": 3, "strategy_used": "sliding_window", "total_context": 2048,
          "prompt_tokens": 1900}, "3 messages shortened or left out (sliding window), 1,900 tokens left"),
        ({"truncated": True}, "The server cut the prompt."),
        ({"truncated": True, "truncated_messages": "many", "strategy_used": 7}, "The server cut the prompt."),
        ({"truncated": False, "prompt_tokens": 12}, None),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
async def test_what_the_universal_runtime_tells(told: JsonValue, says: str | None) -> None:
    body = {"choices": [{"message": {"content": "so"}, "finish_reason": "stop"}], "x_context_usage": told}
    async with FaultServer(refuses(200, body)) as server:
        events, error = await ask(named("universal", server.url))
    assert error is None
    found = cautions(events)
    assert len(found) == (says is not None)
    assert says is None or says in found[0].text


# --- an answer in circles ----------------------------------------------------------------------------


async def test_a_real_stream_without_its_last_record_is_a_repeated_token() -> None:
    async with FaultServer(sends("ollama_repeats")) as server:
        events, error = await ask(named("ollama", server.url))
    assert error is None
    assert text_of(events).endswith("1111")
    assert [caution.kind for caution in cautions(events)] == ["repeated"]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == REPEATED


@pytest.mark.parametrize("pieces", [["so", *["\n"] * 31], ["so", *[" x"] * 31], ["x", *["\n", "\t", " "] * 12]])
async def test_blanks_around_the_token_do_not_matter(pieces: list[str]) -> None:
    async with FaultServer(plays("ollama", [said("ollama", piece) for piece in pieces])) as server:
        events, error = await ask(named("ollama", server.url))
    assert error is None
    assert [caution.kind for caution in cautions(events)] == ["repeated"]


@pytest.mark.parametrize("pieces", [["so"], ["so", " it", " goes"], ["x"] * 5, [*["x"] * 40, "y"]])
async def test_a_stream_that_ends_otherwise_is_incomplete(pieces: list[str]) -> None:
    async with FaultServer(plays("ollama", [said("ollama", piece) for piece in pieces])) as server:
        events, error = await ask(named("ollama", server.url))
    assert isinstance(error, Interrupted)
    assert text_of(events) == "".join(pieces)
    assert cautions(events) == []


async def test_a_connection_that_breaks_in_circles_is_a_broken_one() -> None:
    async with FaultServer(plays("ollama", [said("ollama", "x")] * 40, then="cut")) as server:
        events, error = await ask(named("ollama", server.url))
    assert isinstance(error, Interrupted)
    assert cautions(events) == []


async def test_an_answer_that_repeats_and_ends_is_whole() -> None:
    async with FaultServer(plays("ollama", [*[said("ollama", "x")] * 40, ending("ollama")])) as server:
        events, error = await ask(named("ollama", server.url))
    assert error is None
    assert isinstance(events[-1], Finished)
    assert (events[-1].reason, cautions(events)) == ("stop", [])


# --- an answer that may have been cut ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "parameters", "made", "found"),
    [
        ("universal", {}, Count(512, "estimated"), True),
        ("universal", {}, Count(450, "estimated"), True),
        ("universal", {}, Count(300, "estimated"), False),
        ("universal", {"max_tokens": 100}, Count(100, "reported"), True),
        ("universal", {"max_tokens": 1000}, Count(600, "estimated"), False),
        ("universal", {"think": True, "thinking_budget": 500}, Count(600, "estimated"), False),
        ("universal", {"think": True, "thinking_budget": 500}, Count(1000, "estimated"), True),
        ("openai", {"max_tokens": 20}, Count(20, "reported"), True),
        ("openai", {"max_completion_tokens": 20}, Count(19, "reported"), False),
        ("openai", {"max_tokens": 20}, Count(18, "estimated"), False),
        ("openai", {}, Count(5000, "reported"), False),
        ("ollama", {"num_predict": 20}, Count(20, "reported"), True),
        ("ollama", {"num_predict": -1}, Count(20, "reported"), False),
        ("lemonade", {"max_tokens": "20"}, Count(20, "reported"), False),
        ("lemonade", {"max_tokens": 20}, None, False),
    ],
)
def test_an_answer_as_long_as_it_may_be(
    provider: str, parameters: dict[str, JsonValue], made: Count | None, found: bool
) -> None:
    caution = perhaps_cut(named(provider, "http://127.0.0.1"), asked("so", **parameters), made)
    assert (caution is not None) is found
    assert caution is None or (caution.kind == "answer_cut" and "may have been cut" in caution.text)


def test_the_bound_of_a_body_of_ones_own_counts() -> None:
    assert output_bound(named("openai", "http://x", extra_body={"max_tokens": 9}), asked("so", max_tokens=20)) == 9


def test_least_is_never_more_than_the_estimate_by_much() -> None:
    for text in (PROMPT, LONG, json.dumps({"a": [1, 2, 3]}), "据说这只羊驼" * 9):
        assert tokens.least(text) <= tokens.estimate(text)
    assert tokens.least("") == 0
