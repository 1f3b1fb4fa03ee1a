"""What servers count, in every form that they count in, and what is made of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.conditions import ServerQueued
from llamafarm.core.events import Asking, CostReported, Event, Finished, Started, UsageReported
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, JsonValue, Message, Usage
from llamafarm.engine.fold.fold import Fold
from llamafarm.pricing import PriceBook
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.http.exchange import parse
from tests.engine.fakes import model
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import TYPES, Protocol, event, record
from tests.providers.helpers import ask, named

REQUEST = ChatRequest((Message("user", "What do llamas eat, and where do they sleep at night?"),))
TEXT = "Hay, grass and leaves; they sleep in a barn."
PROTOCOLS = [("openai", "openai"), ("openai", "universal"), ("openai", "lemonade"), ("ollama", "ollama")]
Numbers = tuple[int | None, int | None, int | None, int | None]


def read(
    *records: dict[str, Any], text: str = TEXT, request: ChatRequest = REQUEST, context: int | None = None
) -> Arrived:
    """What comes of an answer with `text`, and then `records`."""
    chat, came = ChatChunks(Counting(request, context)), Arrived(1.0)
    if text:
        chat.feed({"choices": [{"delta": {"content": text}}]}, came)
    chat.feed({"choices": [{"delta": {}, "finish_reason": "stop"}]}, came)
    for each in records:
        chat.feed(each, came)
    chat.end(came)
    return came


def usage_of(events: list[Event]) -> Usage:
    return next((each.usage for each in reversed(events) if isinstance(each, UsageReported)), Usage())


def numbers(usage: Usage) -> Numbers:
    """Input, output, reasoning, cached."""
    counts = (usage.input, usage.output, usage.reasoning, usage.cached)
    first, second, third, fourth = (None if count is None else count.value for count in counts)
    return first, second, third, fourth


def thought(number: Any) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": number}}


def cached(number: Any) -> dict[str, Any]:
    return {"prompt_tokens_details": {"cached_tokens": number}}


YES: JsonValue = True


def plain(given: Any, made: Any, total: Any = None) -> dict[str, Any]:
    return {"prompt_tokens": given, "completion_tokens": made} | ({} if total is None else {"total_tokens": total})


CONVENTIONS: dict[str, tuple[dict[str, Any], Numbers]] = {
    "reasoning within, told by the total": (plain(12, 309, 321) | thought(300), (12, 309, 300, None)),
    "reasoning within, nothing tells": (plain(12, 309) | thought(300), (12, 309, 300, None)),
    "reasoning beside, told by the total": (plain(12, 9, 321) | thought(300), (12, 309, 300, None)),
    "reasoning beside, told by its size": (plain(12, 9) | thought(300), (12, 309, 300, None)),
    "reasoning beside, and a total that holds more": (plain(12, 9, 341) | thought(300), (12, 309, 300, None)),
    "reasoning beside and smaller than the answer": (plain(12, 9, 26) | thought(5), (12, 14, 5, None)),
    "reasoning that is in the total alone": (plain(12, 9, 341), (12, 329, 320, None)),
    "cached within": (plain(40, 9, 49) | cached(32), (40, 9, None, 32)),
    "cached beside, told by the total": (plain(8, 9, 49) | cached(32), (40, 9, None, 32)),
    "cached beside, told by its size": (plain(8, 9) | cached(32), (40, 9, None, 32)),
    "cached and smaller, but beside": (plain(30, 9, 59) | cached(20), (50, 9, None, 20)),
    "both beside": (plain(8, 9, 79) | cached(32) | thought(30), (40, 39, 30, 32)),
    "both beside, as small as could be within": (plain(30, 9, 64) | cached(20) | thought(5), (50, 14, 5, 20)),
    "Anthropic": (
        {"input_tokens": 8, "output_tokens": 9, "cache_read_input_tokens": 32, "cache_creation_input_tokens": 5},
        (45, 9, None, 32),
    ),
    "Anthropic, everything cached": (
        {"input_tokens": 0, "output_tokens": 9, "cache_read_input_tokens": 32, "cache_creation_input_tokens": 0},
        (32, 9, None, 32),
    ),
    "Anthropic behind LiteLLM, whose prompt holds all": (
        plain(45, 9, 54) | cached(32) | {"cache_read_input_tokens": 32, "cache_creation_input_tokens": 5},
        (45, 9, None, 32),
    ),
    "OpenAI's responses": (
        {"input_tokens": 40, "output_tokens": 309, "total_tokens": 349}
        | {"input_tokens_details": {"cached_tokens": 32}, "output_tokens_details": {"reasoning_tokens": 300}},
        (40, 309, 300, 32),
    ),
    "DeepSeek": (plain(40, 9, 49) | {"prompt_cache_hit_tokens": 32, "prompt_cache_miss_tokens": 8}, (40, 9, None, 32)),
    "Bedrock": (
        {"inputTokens": 8, "outputTokens": 9, "totalTokens": 49, "cacheReadInputTokens": 32},
        (40, 9, None, 32),
    ),
    "the parts of a total": ({"prompt_tokens": 12, "total_tokens": 21}, (12, 9, None, None)),
    "the other part of a total": ({"completion_tokens": 9, "total_tokens": 21}, (12, 9, None, None)),
    "text": (plain("12", "9", "21"), (12, 9, None, None)),
    "text with a point": (plain("12.0", " 9 "), (12, 9, None, None)),
    "floats": (plain(12.0, 9.0, 21.0), (12, 9, None, None)),
    "a reasoning count of zero": (plain(12, 9, 21) | thought(0) | cached(0), (12, 9, 0, 0)),
    "details that are null": (
        plain(12, 9, 21) | {"completion_tokens_details": None} | cached(None),
        (12, 9, None, None),
    ),
}


def written(usage: Usage) -> tuple[int | None, int | None]:
    """Written into a cache, and of that for an hour."""
    return (
        None if usage.written is None else usage.written.value,
        None if usage.written_1h is None else usage.written_1h.value,
    )


ANTHROPIC = {"input_tokens": 8, "output_tokens": 9, "cache_read_input_tokens": 20}
WRITTEN: dict[str, tuple[dict[str, Any], int, tuple[int | None, int | None]]] = {
    "Anthropic": (ANTHROPIC | {"cache_creation_input_tokens": 12}, 40, (12, None)),
    "Anthropic, by how long it is kept": (
        ANTHROPIC
        | {"cache_creation_input_tokens": 12}
        | {"cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 7}},
        40,
        (12, 7),
    ),
    "Anthropic, only by how long": (
        ANTHROPIC | {"cache_creation_input_tokens": None} | {"cache_creation": {"ephemeral_1h_input_tokens": 12}},
        40,
        (12, 12),
    ),
    "OpenRouter": (
        plain(40, 9, 49) | {"prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 12}},
        40,
        (12, None),
    ),
    "LiteLLM": (
        plain(40, 9, 49)
        | {"prompt_tokens_details": {"cached_tokens": 20, "cache_creation_tokens": 12}}
        | {"cache_creation_input_tokens": 12, "cache_read_input_tokens": 20},
        40,
        (12, None),
    ),
    "Model Studio": (
        plain(40, 9, 49)
        | {
            "prompt_tokens_details": {
                "cache_creation": {"ephemeral_5m_input_tokens": 12},
                "cache_creation_input_tokens": 12,
                "cache_type": "ephemeral",
                "cached_tokens": 0,
            }
        },
        40,
        (12, None),
    ),
    "Bedrock": (
        {
            "inputTokens": 8,
            "outputTokens": 9,
            "totalTokens": 49,
            "cacheReadInputTokens": 20,
            "cacheWriteInputTokens": 12,
        },
        40,
        (12, None),
    ),
    "Bedrock without a total": (
        {"inputTokens": 8, "outputTokens": 9, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 32},
        40,
        (32, None),
    ),
    "LangChain": (
        {"input_tokens": 40, "output_tokens": 9, "total_tokens": 49}
        | {"input_token_details": {"cache_read": 20, "cache_creation": 12}},
        40,
        (12, None),
    ),
    "the AI SDK": (
        {"inputTokens": 40, "outputTokens": 9, "totalTokens": 49}
        | {"inputTokenDetails": {"cacheReadTokens": 20, "cacheWriteTokens": 12}},
        40,
        (12, None),
    ),
    "a gateway that leaves the total beside": (
        plain(8, 9, 49) | cached(20) | {"cache_write_tokens": 12},
        40,
        (12, None),
    ),
    "text": (plain("40", "9", "49") | {"cache_write_tokens": "12"}, 40, (12, None)),
    "an hour of more than all": (
        ANTHROPIC | {"cache_creation_input_tokens": 12, "cache_creation": {"ephemeral_1h_input_tokens": 13}},
        40,
        (12, None),
    ),
    "none": (ANTHROPIC | {"cache_creation_input_tokens": 0}, 28, (0, None)),
    "negative": (plain(40, 9, 49) | {"cache_write_tokens": -12}, 40, (None, None)),
    "more than the prompt": (plain(40, 9, 49) | {"cache_write_tokens": 41}, 40, (None, None)),
    "no number": (plain(40, 9, 49) | {"cache_creation_input_tokens": {"n": 1}}, 40, (None, None)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_into_a_cache_is_told_apart(name: str) -> None:
    told, given_, expected = WRITTEN[name]
    usage = usage_of(read({"choices": [], "usage": told}).events())
    assert (numbers(usage)[:2], written(usage)) == ((given_, 9), expected)
    if name in ("negative", "more than the prompt", "no number"):
        assert "tokens written to a cache, not used" in usage.doubts[0]
    elif name == "an hour of more than all":
        assert "13 tokens written to a cache for an hour, not used: all that was written is 12" in usage.doubts[0]
    else:
        assert usage.doubts == ()


def test_it_is_known_in_a_stream_that_tells_it_at_its_start() -> None:
    start = {"message": {"usage": ANTHROPIC | {"cache_creation_input_tokens": 12, "output_tokens": 1}}}
    usage = usage_of(read(start, {"usage": {"output_tokens": 9}}).events())
    assert (numbers(usage)[1], numbers(usage_of(read(start).events()))[0]) == (9, 40)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_are_told_by_evidence(name: str) -> None:
    usage, expected = CONVENTIONS[name]
    assert numbers(usage_of(read({"choices": [], "usage": usage}).events())) == expected


PLACES: dict[str, dict[str, Any]] = {
    "Groq": {"choices": [], "x_groq": {"usage": plain(12, 9, 21)}},
    "a list": {"choices": [], "usage": [plain(12, 3, 15), plain(12, 9, 21)]},
    "a choice": {"choices": [{"delta": {}, "usage": plain(12, 9, 21)}]},
    "Gemini": {"usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 9, "totalTokenCount": 21}},
    "Gemini's Python": {"usage_metadata": {"prompt_token_count": 12, "candidates_token_count": 9}},
    "llama.cpp's completion": {"tokens_evaluated": 12, "tokens_predicted": 9},
    "llama.cpp's timings": {"choices": [], "timings": {"prompt_n": 12, "predicted_n": 9}},
    "llama.cpp's timings with a cache": {"choices": [], "timings": {"prompt_n": 2, "cache_n": 10, "predicted_n": 9}},
    "Ollama's names": {"prompt_eval_count": 12, "eval_count": 9},
    "Anthropic's start": {"message": {"usage": {"input_tokens": 12, "output_tokens": 9}}},
    "a response": {"response": {"usage": {"input_tokens": 12, "output_tokens": 9}}},
    "usage and timings, which leave out what was cached": {
        "usage": plain(12, 9, 21),
        "timings": {"prompt_n": 1, "predicted_n": 9},
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_counts_are_found_wherever_they_stand(place: str) -> None:
    assert numbers(usage_of(read(PLACES[place]).events()))[:2] == (12, 9)


def test_geminis_thoughts_stand_beside_its_candidates() -> None:
    told = {"promptTokenCount": 12, "candidatesTokenCount": 9, "thoughtsTokenCount": 5}
    assert numbers(usage_of(read({"usageMetadata": told}).events())) == (12, 14, 5, None)
    within = read({"usageMetadata": told | {"totalTokenCount": 21}})
    assert numbers(usage_of(within.events())) == (12, 9, 5, None)
    tools = told | {"toolUsePromptTokenCount": 30, "totalTokenCount": 56}
    assert numbers(usage_of(read({"usageMetadata": tools}).events())) == (42, 14, 5, None)


def test_counts_that_grow_and_counts_that_come_once() -> None:
    growing = [{"choices": [], "usage": plain(12, made, 12 + made)} for made in (0, 3, 9)]
    assert numbers(usage_of(read(*growing).events()))[:2] == (12, 9)
    nothings: tuple[JsonValue, ...] = (None, {}, [], "none", 0)
    for nothing in nothings:
        after = read({"usage": plain(12, 9, 21)}, {"choices": [], "usage": nothing})
        assert numbers(usage_of(after.events()))[:2] == (12, 9)
    apart = read({"usage": {"input_tokens": 12, "output_tokens": 1}}, {"usage": {"output_tokens": 9}})
    assert numbers(usage_of(apart.events()))[:2] == (12, 9)
    placeholder = usage_of(read({"usage": plain(12, -1)}, {"usage": plain(12, 9)}).events())
    assert (numbers(placeholder)[:2], placeholder.doubts) == ((12, 9), ())


@pytest.mark.parametrize(
    ("usage", "left", "told"),
    [
        (plain(12, -5), (12, None), "-5 output tokens, not used: that is negative"),
        (plain(-12, 9), (None, 9), "-12 input"),
        (plain(12, float("nan")), (12, None), "nan output"),
        (plain(12, float("inf")), (12, None), "inf output"),
        (plain(YES, 9), (None, 9), "True input tokens, not used: that is no number"),
        (plain(12, 9.5), (12, None), "9.5 output tokens, not used: that is no whole number"),
        (plain(12, "many"), (12, None), "“…” output tokens, not used: that is no whole number"),
        (plain(12, {"text": 9}), (12, None), "output"),
        (plain(12, 10**12), (12, None), "1,000,000,000,000 output tokens, not used: that is more than any"),
        (plain(12, 5_000_000), (12, None), "5,000,000 output tokens, not used: the answer has 44 letters"),
        (plain(12, 900) | thought(0), (12, None), "900 output tokens, not used: the answer has 44 letters"),
        (plain(5_000_000, 9), (None, 9), "5,000,000 input tokens, not used: the prompt is too short"),
        (plain(12, 9) | cached(5000), (12, 9), "5,000 cached tokens, not used: the prompt has 12"),
        (plain(12, 9, 21) | cached(15), (12, 9), "15 cached tokens, not used: the prompt has 12"),
        (plain(12, 9, 21) | thought(300), (12, 9), "300 reasoning tokens, not used"),
        (plain(12, 9, 5), (12, 9), "5 tokens in all, not used"),
        (plain(12, 9) | thought(-1), (12, 9), "-1 reasoning"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_and_not_used(usage: dict[str, Any], left: tuple[Any, Any], told: str) -> None:
    found = usage_of(read({"usage": usage}).events())
    assert numbers(found)[:2] == left
    assert told in " ".join(found.doubts)
    assert "The server counted" in found.doubts[0]


def test_more_than_the_context_cannot_be() -> None:
    found = usage_of(read({"usage": plain(5000, 9)}, context=4096).events())
    assert (numbers(found)[:2], found.doubts) == (
        (None, 9), ("The server counted 5,000 input tokens, not used: the model has a context of 4,096.",)
    )  # fmt: skip
    assert numbers(usage_of(read({"usage": plain(12, 9000)}, text="x" * 8000, context=4096).events()))[:2] == (12, None)


def test_too_few_tokens_for_the_letters_cannot_be() -> None:
    found = usage_of(read({"usage": plain(12, 1)}, text=TEXT * 20).events())
    assert numbers(found)[:2] == (12, None)
    assert "the answer has 880 letters" in found.doubts[0]


def test_zero_beside_an_answer_is_not_told_and_zero_for_nothing_is() -> None:
    assert numbers(usage_of(read({"usage": plain(0, 0, 0)}).events()))[:2] == (None, None)
    assert numbers(usage_of(read({"usage": plain(12, 0, 12)}).events()))[:2] == (12, None)
    assert numbers(usage_of(read({"usage": plain(12, 0, 12)}, text="").events()))[:2] == (12, 0)
    early = ChatChunks(Counting(REQUEST))
    came = Arrived(0.0)
    early.feed({"choices": [], "usage": plain(12, 0)}, came)
    early.feed({"choices": [{"delta": {"content": TEXT}, "finish_reason": "stop"}]}, came)
    early.end(came)
    assert numbers(usage_of(came.events()))[:2] == (12, None)


def test_reasoning_that_came_is_not_zero() -> None:
    chat, came = ChatChunks(Counting(REQUEST)), Arrived(0.0)
    chat.feed({"choices": [{"delta": {"reasoning": "Llamas are"}}]}, came)
    chat.feed({"choices": [{"delta": {"content": TEXT}, "finish_reason": "stop"}]}, came)
    chat.feed({"usage": plain(12, 15, 27) | thought(0)}, came)
    assert numbers(usage_of(came.events())) == (12, 15, None, None)


# --- costs


def test_a_cost_in_every_form() -> None:
    def cost(**usage: Any) -> Decimal | None:
        events = read({"usage": plain(12, 9, 21) | usage}).events()
        return next((each.usd for each in events if isinstance(each, CostReported)), None)

    assert cost(cost=0.0123) == Decimal("0.0123")
    assert cost(cost="0.0123") == cost(cost=" $0.0123 ") == Decimal("0.0123")
    assert cost(cost=0) == 0
    assert cost(cost={"total_cost": 0.006, "request_cost": 0.005}) == Decimal("0.006")
    byok = {"is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}
    assert cost(cost=0, **byok) == Decimal("0.02")
    assert cost(cost=0.001, **byok) == Decimal("0.021")
    assert cost(cost="0", cost_details={"upstream_inference_cost": "0.02"}) == Decimal("0.02")
    assert cost(cost=0.03, cost_details={"upstream_inference_cost": 0.02}) == Decimal("0.03")  # it is in it
    assert cost(cost=1e-30) == 0
    nothings: tuple[JsonValue, ...] = (
        -1,
        float("nan"),
        float("inf"),
        "1e400",
        "much",
        True,
        [],
        {"total_cost": None},
        1e9,
        None,
    )
    for nothing in nothings:
        assert cost(cost=nothing) is None, nothing
    assert cost(cost=0, is_byok=True) is None


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"cost": -0.5}, "a cost of -0.5, not used: that is negative"),
        ({"cost": "1e400"}, "a cost of 1e400, not used"),
        ({"cost": float("nan")}, "a cost of nan, not used: that is no amount"),
        ({"cost": 0, "is_byok": True}, "a cost of 0, not used: your own key is billed by another"),
    ],
)
def test_a_cost_that_cannot_be_is_told(usage: dict[str, Any], told: str) -> None:
    assert told in usage_of(read({"usage": plain(12, 9, 21) | usage}).events()).doubts[0]


def test_groq_tells_of_its_queue() -> None:
    events = read({"x_groq": {"usage": plain(12, 9) | {"queue_time": 0.25}}}, {"usage": {"queue_time": -3}}).events()
    assert [each.seconds for each in events if isinstance(each, ServerQueued)] == [0.25]


# --- all shapes, through the real providers, the fold and the prices

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 400), st.integers(), st.floats(), st.text(max_size=6),
    st.sampled_from(["12", "9.0", "-3", "1e400", "NaN", "9" * 400]), st.just([]), st.just({"n": 1}),
)  # fmt: skip
NAMES = (
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "cache_read_input_tokens",
    "cache_creation_input_tokens", "prompt_cache_hit_tokens", "cached_tokens", "reasoning_tokens", "promptTokenCount",
    "candidatesTokenCount", "thoughtsTokenCount", "prompt_eval_count", "eval_count", "queue_time", "is_byok",
    "cache_write_tokens", "inputTokens", "cacheWriteInputTokens", "ephemeral_1h_input_tokens",
)  # fmt: skip
MONEY = st.one_of(ODD, st.fixed_dictionaries({}, optional={"total_cost": ODD, "upstream_inference_cost": ODD}))
USAGE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(NAMES, ODD)
    | dict.fromkeys(("cost", "cost_details"), MONEY)
    | {
        "prompt_tokens_details": st.one_of(
            ODD,
            st.fixed_dictionaries({"cached_tokens": ODD}, optional={"cache_write_tokens": ODD, "cache_creation": ODD}),
        ),
        "cache_creation": st.one_of(
            ODD,
            st.fixed_dictionaries({}, optional={"ephemeral_5m_input_tokens": ODD, "ephemeral_1h_input_tokens": ODD}),
        ),
        "completion_tokens_details": st.one_of(ODD, st.fixed_dictionaries({"reasoning_tokens": ODD})),
    },
)
PLACED = st.one_of(
    USAGE,
    st.lists(USAGE, max_size=2).map(lambda each: {"usage": each}),
    USAGE.map(lambda each: {"usage": each}),
    USAGE.map(lambda each: {"x_groq": {"usage": each}}),
    USAGE.map(lambda each: {"usageMetadata": each}),
    USAGE.map(lambda each: {"choices": [{"delta": {}, "usage": each}]}),
    USAGE.map(lambda each: {"timings": each}),
    ODD.map(lambda each: {"usage": each, "timings": each, "x_groq": each}),
)


def is_sound(usage: Usage) -> bool:
    """What holds of every usage, whatever came."""
    given, made, thoughts, kept = numbers(usage)
    whole = all(
        isinstance(each, int) and 0 <= each < 10**9 for each in (given, made, thoughts, kept) if each is not None
    )
    put, hour = (each or 0 for each in written(usage))
    fits = 0 <= hour <= put and (kept or 0) + put <= (given or 0)
    return whole and fits and (thoughts is None or thoughts <= (made or 0))


@given(st.lists(PLACED, max_size=3), st.sampled_from(["", TEXT]))
def test_whatever_comes_is_a_number_or_unknown(records: list[dict[str, JsonValue]], text: str) -> None:
    came = read(*records, text=text)
    for each in came.events():
        if isinstance(each, UsageReported):
            assert is_sound(each.usage)
        if isinstance(each, CostReported):
            assert each.usd.is_finite()
            assert each.usd >= 0


PRICED: dict[str, dict[str, Any]] = {
    "table": {"model": "gpt-4o-mini", "base_url": "https://api.openai.com/v1"},
    "config": {"pricing": {"input": "2.5", "output": 10, "cached": 1.25}},
    "writes": {"pricing": {"input": "2.5", "output": 10, "cached": 1.25, "cache_write": 3}},
    "claude": {"model": "claude-sonnet-4-5", "base_url": "https://api.anthropic.com/v1"},
    "unknown": {},
}
BOOK = PriceBook()


@given(st.lists(PLACED, max_size=3), st.sampled_from(sorted(PRICED)))
def test_no_price_ends_a_fold(records: list[dict[str, JsonValue]], priced: str) -> None:
    reply = folded(read(*records).events(), **PRICED[priced])
    assert is_sound(reply.usage)
    assert reply.usage.input is not None
    assert reply.usage.output is not None
    assert (reply.cost.usd is None) is (reply.cost.source == "unknown")
    assert reply.cost.usd is None or (reply.cost.usd.is_finite() and reply.cost.usd >= 0)


def folded(events: list[Event], **settings: Any) -> Reply:
    asked = model("m", **settings)
    fold = Fold("m", asked, {"m": asked}.__getitem__, lambda _, usage, usd: BOOK.price(asked, usage, reported_usd=usd))
    fold.add(Started(at=0.0))
    fold.add(Asking(at=0.0, model="m", request=REQUEST))
    for each in events:
        fold.add(each)
    fold.add(Finished(at=2.0, reason="stop"))
    return fold.reply(3.0)


def test_the_reported_examples() -> None:
    """A cache that is larger than its prompt, at a table's price; reasoning beside the completion."""
    reply = folded(read({"usage": plain(12, 9) | cached(5000)}).events(), **PRICED["table"])
    # 12 × $0.15 + 9 × $0.60, per million
    assert (reply.cost.usd, reply.cost.source) == (Decimal("0.0000072"), "table")
    assert reply.usage.cached is None
    reply = folded(read({"usage": plain(12, 9, 341) | thought(300)}).events(), **PRICED["table"])
    assert reply.cost.usd == Decimal("0.0001872")


def test_a_zero_is_not_the_price_of_what_has_one() -> None:
    free = {"usage": plain(12, 9, 21) | {"cost": 0}}
    sold, known, local = (folded(read(free).events(), **PRICED[name]) for name in ("table", "config", "unknown"))
    assert (sold.cost.source, known.cost.source) == ("table", "config")
    assert "somebody else may be billed" in sold.cost.detail
    assert local.cost.usd == 0
    assert local.cost.source == "reported"


def test_numbers_too_long_to_be_read_are_no_reason_to_lose_an_answer() -> None:
    told = parse('{"usage": {"prompt_tokens": 12, "completion_tokens": %s, "cost": 1e400}}' % ("9" * 5000))
    assert isinstance(told, dict)
    found = usage_of(read(told).events())
    assert numbers(found)[:2] == (12, None)
    assert len(found.doubts) == 2


def telling(protocol: Protocol, counts: dict[str, Any]) -> Script:
    """An answer whose server counts so, in the protocol's own form, with NaN and all."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(content_type=TYPES[protocol])
        if protocol == "openai":
            await exchange.send(event({"choices": [{"delta": {"content": TEXT}, "finish_reason": "stop"}]}))
            await exchange.send(event({"choices": [], "usage": counts}) + event("[DONE]"))
        else:
            await exchange.send(record({"content": TEXT}))
            names = {"prompt_tokens": "prompt_eval_count", "completion_tokens": "eval_count"}
            own = {names.get(name, name): value for name, value in counts.items()}
            await exchange.send(record({"content": ""}, done=True, done_reason="stop", **own))
        await exchange.end()

    return script


@pytest.mark.parametrize(("protocol", "provider"), PROTOCOLS)
@pytest.mark.parametrize(
    ("counts", "left"),
    [
        (plain(12, 9), (12, 9)),
        (plain("12", 9.0), (12, 9)),
        (plain(12, -1), (12, None)),
        (plain(0, 0), (None, None)),
        (plain(float("nan"), 10**9), (None, None)),
        (plain(YES, []), (None, None)),
    ],
)
async def test_every_protocol_reads_its_counts_so(
    protocol: Protocol, provider: str, counts: dict[str, Any], left: tuple[Any, Any]
) -> None:
    async with FaultServer(telling(protocol, counts)) as server:
        events, error = await ask(named(provider, server.url))
    assert error is None
    assert numbers(usage_of(events))[:2] == left
    json.dumps([repr(each) for each in events])
