"""A probe of scripted servers: one that does all that it should, and one with each flaw."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from llamafarm.core.types import ChatRequest, Count, Usage
from llamafarm.experiments.probe.bounds import stop_word
from llamafarm.experiments.probe.heard import Heard
from llamafarm.experiments.probe.plan import MOST_TOKENS, Questions
from llamafarm.experiments.probe.run import Prober
from llamafarm.experiments.probe.serving import cancelling
from llamafarm.experiments.probe.stream import answering
from llamafarm.history.probe import Finding
from tests.faultserver.probed import CONTEXT, Asked, Counting
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import TYPES, Protocol, ending, refuses
from tests.providers.helpers import asking, named

PROTOCOLS = get_args(Protocol)
OF_BOTH = (
    ("lumps", "stream", "20 tokens in 1 piece"),
    ("no counts", "usage", "without counts"),
    ("counts don't grow", "growth", "11 tokens for a prompt of about"),
    ("cuts untold", "length", "cut after 20 of 20 tokens, and it says “stop”"),
    ("ignores bound", "length", "29 tokens came where 20 were allowed"),
    ("ignores stop", "stop", "stands in an answer that should have stopped at it"),
    ("no stop", "stop", "Refused: "),
    ("cuts prompts", "context", "words were sent, 108 tokens read"),
    ("varies", "repeat", "differs from letter"),
    ("no tools", "tools", "Refused: "),
    ("ignores tools", "tools", "Silently ignored"),
    ("no form", "json", "Refused: "),
    ("ignores form", "json", "It answered: red, red"),
    ("tags", "reasoning", "only its end was marked"),
    ("loads", "waits", "The first answer began after 1."),
    ("cache untold", "cached", "no count of cached tokens"),
)


async def window() -> int:
    return CONTEXT


async def probed(script: Script, protocol: str = "openai", *, free: bool = True, most_s: float = 60.0) -> Prober:
    """A probe of the server that plays `script`, to its end."""
    async with FaultServer(script) as server:
        model = named(protocol, server.url + ("/v1" if protocol != "ollama" else ""), model="m")
        async with asking(model) as provider:
            prober = Prober(model, provider.stream, window, free, most_s)
            async for _ in prober.steps():
                pass
    return prober


def found(prober: Prober) -> dict[str, Finding]:
    return {each.check: each for each in prober.findings()}


@pytest.mark.parametrize("protocol", ["openai", "universal", "lemonade"])
async def test_a_server_that_does_all_that_it_should(protocol: str) -> None:
    prober = await probed(Counting("openai", frozenset({"reasons"}), pace_s=0.015), protocol)
    marks = found(prober)
    assert {name: each.evidence for name, each in marks.items() if each.mark != "yes"} == {
        "waits": "Nothing was told, and no answer came late.",
    }
    assert prober.ended
    assert prober.spent <= MOST_TOKENS
    assert not any(each.meaning for each in marks.values())


async def test_so_does_one_of_ollamas() -> None:
    marks = found(await probed(Counting("ollama", pace_s=0.015), "ollama"))
    assert {name for name, each in marks.items() if each.mark != "yes"} == {"cached", "reasoning", "waits"}, marks


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("flaw", "check", "evidence"), OF_BOTH)
async def test_each_flaw_is_found_with_its_evidence(protocol: Protocol, flaw: str, check: str, evidence: str) -> None:
    finding = found(await probed(Counting(protocol, frozenset({flaw})), protocol))[check]
    assert finding.mark == "no", finding
    assert evidence in finding.evidence
    assert finding.meaning
    assert finding.short


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_another_model_than_the_one_asked(protocol: Protocol) -> None:
    finding = found(await probed(Counting(protocol, frozenset({"another model"})), protocol))["model"]
    assert (finding.mark, finding.evidence) == ("no", "m was asked, and another answered.")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_answers_that_come_one_at_a_time(protocol: Protocol) -> None:
    script = Counting(protocol, frozenset({"one at a time"}), pace_s=0.01)
    finding = found(await probed(script, protocol))["at_once"]
    assert (finding.mark, finding.short) == ("no", "one at a time")
    assert "the second begun after the first" in finding.evidence
    assert "ttft" in finding.figures


async def test_an_answer_that_goes_on_when_it_is_left_keeps_the_next_one_waiting() -> None:
    left = found(await probed(Counting("openai", frozenset({"goes on"}), pace_s=0.02)))["cancel"]
    freed = found(await probed(Counting("openai", frozenset({"one at a time"}), pace_s=0.02)))["cancel"]
    assert (left.mark, freed.mark) == ("no", "yes"), (left, freed)


async def test_a_tool_that_was_read_and_not_called_is_not_called_ignored() -> None:
    finding = found(await probed(Counting("openai", frozenset({"ignores tools", "reads tools"}))))["tools"]
    assert (finding.mark, "was read" in finding.evidence) == ("untold", True)


async def test_a_prompt_over_the_context_is_not_sent_where_it_would_cost() -> None:
    prober = await probed(Counting("openai", frozenset({"cuts prompts"})), free=False)
    finding = found(prober)["context"]
    assert (finding.mark, finding.evidence) == ("untold", "Not tried: a prompt as long as its context would cost.")
    assert prober.long_tokens == 0
    assert prober.ended


@pytest.mark.parametrize(
    ("status", "words"), [(401, "a wrong key"), (404, "model `m` not found"), (500, "a defect"), (429, "too many")]
)
async def test_a_server_that_does_not_answer_is_asked_once_and_nothing_is_held_against_it(
    status: int, words: str
) -> None:
    refusal = refuses(status, {"error": {"message": words}})
    asked = []

    async def script(exchange: Exchange) -> None:
        asked.append(exchange)
        await refusal(exchange)

    prober = await probed(script)
    assert {each.mark for each in prober.findings()} == {"untold"}
    assert len(asked) == 1
    assert not prober.ended
    assert found(prober)["stream"].evidence


async def test_a_model_that_takes_no_temperature_is_asked_without() -> None:
    counting, refusal = Counting("openai"), refuses(400, {"error": {"message": "temperature is not supported"}})

    async def script(exchange: Exchange) -> None:
        await (refusal if "temperature" in exchange.seen.json() else counting)(exchange)

    marks = found(await probed(script))
    assert marks["repeat"].mark == "untold"
    assert (marks["length"].mark, marks["stop"].mark) == ("yes", "yes")


async def test_the_bound_of_tokens_is_kept_by_a_server_with_a_long_prompt_of_its_own() -> None:
    class Wordy(Counting):
        def _usage(self, asked: Asked, made: int) -> dict[str, Any]:
            return {"prompt_tokens": 400, "completion_tokens": made, "total_tokens": 400 + made}

    prober = await probed(Wordy("openai"))
    assert found(prober)["json"].evidence == "Not asked."
    assert prober.spent < MOST_TOKENS + 400


async def test_what_was_found_until_the_time_was_over_stands() -> None:
    prober = await probed(Counting("openai", frozenset({"loads"})), most_s=0.5)
    assert not prober.ended
    assert {each.mark for each in prober.findings()} == {"untold"}


async def test_stopping_leaves_the_server_and_keeps_what_was_found() -> None:
    counting, hanging = Counting("openai"), asyncio.Event()

    async def script(exchange: Exchange) -> None:
        if "response_format" in exchange.seen.json():
            hanging.set()
            await exchange.hang()
        else:
            await counting(exchange)

    async with FaultServer(script) as server:
        model = named("openai", f"{server.url}/v1", model="m")
        async with asking(model) as provider:
            prober = Prober(model, provider.stream, window, free=True)

            async def followed() -> None:
                async for _ in prober.steps():
                    pass

            following = asyncio.create_task(followed())
            await hanging.wait()
            prober.stop()
            await following
            await server.requests[-1].gone.wait()
    marks = found(prober)
    assert (marks["stream"].mark, marks["json"].mark, prober.ended) == ("yes", "untold", False)


def test_an_embedded_model_is_the_one_that_was_asked_and_its_folder_is_told_nobody() -> None:
    heard = Heard(ChatRequest(()), model="/home/somebody/x.gguf")
    asked, ours = answering([heard], "smollm2"), answering([heard], "smollm2", ours=True)
    assert (asked.mark, ours.mark) == ("no", "yes")
    assert "somebody" not in asked.evidence + ours.evidence


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("One, two, three, four, five", "three"),
        ("1234567890123", "5"),
        ("aaaa", None),
        ("", None),
        ("一二三四五六七", "三"),
    ],
)
def test_an_answer_is_to_stop_at_what_stands_in_it_once(text: str, word: str | None) -> None:
    chosen = stop_word(text)
    assert chosen == word or (word is not None and chosen is not None and text.index(chosen) >= len(text) // 3)
    assert chosen is None or text.index(chosen) > 0


@pytest.mark.parametrize(
    ("began", "queue_s", "mark"),
    [
        (0.3, None, "yes"),  # as soon as others
        (2.5, None, "no"),
        (2.5, 0.02, "yes"),  # late, but it waited for nobody: the machine was busy, or a model was loaded
        (2.5, 2.2, "no"),
        (0.9, 0.8, "no"),
    ],
)
def test_a_server_that_tells_how_long_an_answer_waited_is_believed(
    began: float, queue_s: float | None, mark: str
) -> None:
    questions = Questions({})
    counted = Heard(questions.count(), began=0.0, arrivals=[0.2 + 0.03 * at for at in range(20)], ended=0.8)
    counted.usage = Usage(output=Count(20, "reported"))
    left = Heard(questions.count_on(), began=1.0, arrivals=[1.2], cancelled=True, ended=1.2)
    then = Heard(questions.count(), began=1.2, arrivals=[1.2 + began], queue_s=queue_s)
    other = Heard(questions.colour(), began=9.0, arrivals=[9.3])
    finding = cancelling(left, then, counted, [other])
    assert finding.mark == mark, finding
    assert ("in its queue, as it tells" in finding.evidence) is (queue_s is not None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_call_that_its_bound_cut_is_not_called_ignored(protocol: Protocol) -> None:
    counting = Counting(protocol)

    async def script(exchange: Exchange) -> None:
        if not exchange.seen.json().get("tools"):
            await counting(exchange)
            return
        await exchange.head(content_type=TYPES[protocol])
        await exchange.send(ending(protocol, "length", {"prompt_tokens": 20, "completion_tokens": 48}))
        await exchange.end()

    finding = found(await probed(script, protocol))["tools"]
    assert finding.mark == "untold"
    assert finding.evidence == "What came was cut after 48 tokens, before a call was whole."
