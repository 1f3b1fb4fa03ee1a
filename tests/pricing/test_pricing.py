from decimal import Decimal
from importlib.metadata import version
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config.model import NamedModel
from llamafarm.core.display import usd
from llamafarm.core.types import Count, Usage
from llamafarm.pricing import PriceBook
from llamafarm.pricing import book as book_module
from tests.engine.fakes import model

BOOK = PriceBook()
OPENAI = "https://api.openai.com/v1"


def used(given: int, made: int, cached: int | None = None, source: str = "reported") -> Usage:
    def count(value: int) -> Count:
        return Count(value, "reported" if source == "reported" else "estimated")

    return Usage(count(given), count(made), cached=None if cached is None else count(cached))


def sold(name: str, address: str | None = OPENAI, **settings: Any) -> NamedModel:
    return model("m", model=name, base_url=address, **settings)


@pytest.mark.parametrize(
    ("name", "usage", "usd"),
    [
        # 1,000 × $30 + 100 × $60, per million
        ("gpt-4", used(1000, 100), "0.036"),
        # 1,234 × $10 + 567 × $30
        ("gpt-4-turbo", used(1234, 567), "0.02935"),
        # (1,000 − 400) × $0.15 + 400 × $0.075 + 7 × $0.60
        ("gpt-4o-mini", used(1000, 7, cached=400), "0.0001242"),
        # one token each way is not nothing
        ("gpt-4o-mini", used(1, 1), "0.00000075"),
    ],
)
def test_the_table_to_the_last_digit(name: str, usage: Usage, usd: str) -> None:
    cost = BOOK.price(sold(name), usage)
    assert (cost.usd, cost.source, cost.estimated) == (Decimal(usd), "table", False)
    assert version("genai-prices") in cost.detail


def test_the_projects_own_prices_win() -> None:
    pricing = {"input": "2.5", "output": "10", "cached": "1.25"}
    cost = BOOK.price(sold("gpt-4", pricing=pricing), used(1000, 100, cached=600))
    # 400 × $2.50 + 600 × $1.25 + 100 × $10
    assert (cost.usd, cost.source) == (Decimal("0.00275"), "config")


def test_cached_tokens_without_a_price_cost_what_others_do() -> None:
    cost = BOOK.price(sold("x", pricing={"input": 3, "output": 0}), used(1000, 5, cached=600))
    assert cost.usd == Decimal("0.003")


ANTHROPIC = "https://api.anthropic.com/v1"


def kept(given: int, made: int, read: int = 0, written: int | None = None, hour: int | None = None) -> Usage:
    counts = (None if each is None else Count(each, "reported") for each in (given, made, read, written, hour))
    first, second, third, fourth, fifth = counts
    return Usage(first, second, cached=third, written=fourth, written_1h=fifth)


@pytest.mark.parametrize(
    ("name", "address", "usage", "usd", "doubt"),
    [
        # (1,000 − 100 − 300) × $3 + 100 × $0.30 + 300 × $3.75 + 10 × $15
        ("claude-sonnet-4-5", ANTHROPIC, kept(1000, 10, 100, 300), "0.003105", ""),
        # of them 200 for an hour, at $6
        ("claude-sonnet-4-5", ANTHROPIC, kept(1000, 10, 100, 300, 200), "0.003555", ""),
        ("claude-sonnet-4-5", ANTHROPIC, kept(1000, 10, 100, 0), "0.00288", ""),
        ("claude-sonnet-4-5", ANTHROPIC, kept(1000, 10, 100), "0.00288", ""),
        ("anthropic/claude-sonnet-4.5", "https://openrouter.ai/api/v1", kept(1000, 10, 0, 1000), "0.0039", ""),
        ("anthropic/claude-sonnet-4.5", "https://openrouter.ai/api/v1", kept(1000, 10, 0, 1000, 500), "0.0039",
         "500 tokens were written to a cache for an hour: only the price for some minutes is known."),
        # no price of its own: that of input, and it is said
        ("gpt-4o", OPENAI, kept(1000, 10, 100, 300), "0.002475",
         "300 tokens were written to a cache: no price is known for that, so it is that of input."),
        ("gpt-4o", OPENAI, kept(1000, 10, 100, 0), "0.002475", ""),
        # more than there is
        ("claude-sonnet-4-5", ANTHROPIC, kept(100, 10, 40, 900, 9000), "0.000522", ""),
    ],
)  # fmt: skip
def test_what_is_written_into_a_cache_has_a_price_of_its_own(
    name: str, address: str, usage: Usage, usd: str, doubt: str
) -> None:
    cost = BOOK.price(sold(name, address), usage)
    assert (cost.usd, cost.source, cost.estimated) == (Decimal(usd), "table", bool(doubt))
    assert cost.detail.endswith(doubt)
    assert bool(doubt) is ("written to a cache" in cost.detail)


@pytest.mark.parametrize(
    ("prices", "usage", "usd", "doubt"),
    [
        # 600 × $2 + 100 × $1 + 300 × $5 + 10 × $10
        ({"cached": 1, "cache_write": 5}, kept(1000, 10, 100, 300), "0.0029", ""),
        ({"cache_write": 5}, kept(1000, 10, 100, 300), "0.0030", ""),
        ({"cached": 1}, kept(1000, 10, 100, 300), "0.0020", "300 tokens were written to a cache: no price"),
        ({}, kept(1000, 10, 100, 0), "0.0021", ""),
        ({"cache_write": 5}, kept(1000, 10, 0, 300, 200), "0.0030", "200 tokens were written to a cache for an hour"),
        ({"cache_write": 0}, kept(1000, 10, 0, 1000), "0.0001", ""),
    ],
)
def test_the_projects_own_price_of_what_is_written(prices: dict[str, int], usage: Usage, usd: str, doubt: str) -> None:
    cost = BOOK.price(sold("x", pricing={"input": 2, "output": 10, **prices}), usage)
    assert (cost.usd, cost.source, cost.estimated) == (Decimal(usd), "config", bool(doubt))
    assert doubt in cost.detail
    assert bool(doubt) is ("written to a cache" in cost.detail)


def test_the_servers_word_wins_over_all() -> None:
    cost = BOOK.price(sold("gpt-4", pricing={"input": 1, "output": 1}), used(1, 1), reported_usd=Decimal("0.123"))
    assert (cost.usd, cost.source) == (Decimal("0.123"), "reported")


@pytest.mark.parametrize(
    ("provider", "address", "name", "source"),
    [
        ("embedded", None, "smollm2-135m-instruct", "free"),
        ("ollama", "http://localhost:11434", "llama3.1:8b", "free"),
        ("ollama", "http://192.168.1.5:11434", "llama3.1:8b", "free"),
        ("ollama", "http://ollama:11434", "llama3.1:8b", "free"),
        ("universal", "http://127.0.0.1:11540/v1", "Qwen/Qwen2.5-7B-Instruct", "free"),
        ("lemonade", "http://[::1]:11534/api/v1", "x", "free"),
        ("ollama", "http://localhost:11434", "gpt-oss:120b-cloud", "unknown"),
        ("ollama", "https://ollama.com", "gpt-oss:120b", "unknown"),
        ("openai", "http://localhost:8000/v1", "gpt-4", "unknown"),
        ("openai", "https://api.nobody.example/v1", "gpt-4", "unknown"),
        ("openai", "https://evil.example/api.openai.com/v1", "gpt-4", "unknown"),
        ("openai", OPENAI, "gpt-99", "unknown"),
        ("openai", "https://api.together.xyz/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "table"),
    ],
)
def test_what_is_free_what_is_sold_and_what_nobody_knows(
    provider: str, address: str | None, name: str, source: str
) -> None:
    cost = BOOK.price(sold(name, address, provider=provider), used(10, 10))
    assert cost.source == source
    assert (cost.usd is None) is (source == "unknown")
    assert source != "free" or cost.usd == 0


@pytest.mark.parametrize("settings", [{}, {"pricing": {"input": 1, "output": 1}}])
def test_unknown_tokens_are_an_unknown_cost(settings: dict[str, Any]) -> None:
    cost = BOOK.price(sold("gpt-4", **settings), Usage(input=Count(5, "reported")))
    assert (cost.usd, cost.source) == (None, "unknown")


def test_a_cost_of_estimated_tokens_is_an_estimate() -> None:
    assert BOOK.price(sold("gpt-4"), used(1000, 100, source="estimated")).estimated


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        ("0", "$0"),
        ("0.00000075", "$0.000000750"),
        ("0.036", "$0.0360"),
        ("0.9996", "$1.000"),
        ("1", "$1.00"),
        ("12.345", "$12.35"),
        ("1234567", "$1,234,567.00"),
    ],
)
def test_dollars_are_never_rounded_to_nothing(value: str | None, text: str) -> None:
    assert usd(None if value is None else Decimal(value)) == text


def test_the_table_is_read_once_and_only_where_a_model_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    monkeypatch.setattr(book_module, "_calculated", lambda name, *_, **__: reads.append(name))
    fresh, own = PriceBook(), model("m", pricing={"input": 1, "output": 2})
    fresh.prepare([own])
    assert reads == []
    for _ in range(3):
        fresh.prepare([own, sold("gpt-4o-mini")])
    assert len(reads) == 1


AMOUNTS = st.one_of(st.none(), st.integers(), st.integers(0, 5000))


@given(
    st.lists(AMOUNTS, min_size=5, max_size=5),
    st.decimals(),
    st.sampled_from(["gpt-4o", "gpt-99", "o1", "", "own", "claude-sonnet-4-5"]),
)
def test_no_usage_is_without_an_answer(amounts: list[int | None], told: Decimal, name: str) -> None:
    given_, made, cached, put, hour = (None if value is None else Count(value, "reported") for value in amounts)
    usage = Usage(given_, made, cached=cached, written=put, written_1h=hour)
    pricing = {"input": 2, "output": 5, "cached": 1, "cache_write": 3} if name == "own" else None
    asked = sold(name, ANTHROPIC if name.startswith("claude") else OPENAI, pricing=pricing)
    for reported in (None, told):
        cost = BOOK.price(asked, usage, reported_usd=reported)
        assert (cost.usd is None) is (cost.source == "unknown")
        assert cost.usd is None or (cost.usd.is_finite() and cost.usd >= 0)
        assert usd(cost.usd, estimated=cost.estimated)


def test_a_cache_larger_than_its_prompt_is_the_prompt() -> None:
    assert BOOK.price(sold("gpt-4o-mini"), used(12, 9, cached=5000)).usd == Decimal("0.0000063")
    cost = BOOK.price(sold("x", pricing={"input": 2, "output": 1, "cached": 1}), used(12, 9, cached=5000))
    assert cost.usd == Decimal("0.000021")


def test_a_table_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(genai_prices, "calc_price", fails)
    cost = PriceBook().price(sold("gpt-4o"), used(10, 10))
    assert (cost.usd, cost.source) == (None, "unknown")
