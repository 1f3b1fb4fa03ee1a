"""Falling back: who is asked in which order, what is told, and when there is no way back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from llamafarm.config.model import PromptMessage, PromptSet
from llamafarm.core.errors import (
    AuthFailed,
    ConnectFailed,
    ContextTooLong,
    Interrupted,
    LlamaFarmError,
    MissingPartError,
    ModelUnusable,
    ProviderError,
    RateLimited,
    RequestError,
    ServerFailed,
    TimedOut,
)
from llamafarm.core.events import ReasoningDelta, ToolCalled, UsageReported
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, Message, ToolCall, Usage
from llamafarm.engine.cooldown import LONGEST_S, REST_S, Cooldowns
from llamafarm.engine.fallback import chain_of
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.output.contracts import lane_json
from llamafarm.providers.base import Provider
from tests.engine.fakes import FlatPrices, Registry, Scripted, model, project

SETS = (
    PromptSet(name="grave", messages=(PromptMessage(role="system", content="Be grave."),)),
    PromptSet(name="light", messages=(PromptMessage(role="system", content="Be light, {{ who | friend }}."),)),
)
MODELS = (
    model("primary", prompts=("grave",), parameters={"temperature": 0.1}),
    model("second", prompts=("light",), parameters={"temperature": 0.9, "top_k": 4}),
    model("third"),
    model("loose"),
    model("own", fallback=("loose", "own", "primary", "loose")),
)
PROJECT = project(MODELS, prompts=SETS, fallback=("primary", "second", "third"))
DOWN = ConnectFailed("Nothing listens there.")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def run(
    providers: Mapping[str, Provider | LlamaFarmError],
    name: str = "primary",
    cooldowns: Cooldowns | None = None,
    **lane: object,
) -> Reply:
    asked = PROJECT.model(name)
    assert asked is not None
    lane_of = Lane("lane", asked, **lane)  # type: ignore[arg-type]  # each test names fields that exist
    folded = Replies(PROJECT, (lane_of,), FlatPrices())
    async for event in chat(PROJECT, lane_of, Question.of("Hay?"), Registry(providers), cooldowns or Cooldowns()):
        folded.add("lane", event)
    return folded.reply("lane")


@pytest.mark.parametrize(
    ("name", "auto", "chain"),
    [
        ("primary", False, ["primary", "second", "third"]),
        ("second", False, ["second", "third"]),
        ("third", False, ["third"]),
        ("loose", False, ["loose"]),
        ("loose", True, ["loose", "primary", "second", "third"]),
        ("third", True, ["third"]),
        ("own", False, ["own", "loose", "primary"]),
    ],
)
def test_the_chain_of_a_model(name: str, auto: bool, chain: list[str]) -> None:
    asked = PROJECT.model(name)
    assert asked is not None
    assert [each.name for each in chain_of(PROJECT, asked, auto=auto)] == chain


async def test_the_next_model_answers_with_its_own_prompts_and_parameters() -> None:
    second = Scripted("Hay.")
    reply = await run({"primary": Scripted(DOWN), "second": second}, parameters={"seed": 7}, system="Mine.")
    assert (reply.status, reply.text) == ("done", "Hay.")
    assert (reply.asked, reply.model, reply.model_id) == ("primary", "second", "second-id")
    [step] = reply.fallbacks
    assert (step.model, step.to, step.kind, step.message) == (
        "primary", "second", "ConnectFailed", "Nothing listens there.",
    )  # fmt: skip
    assert reply.lost_s == step.lost_s >= 0
    assert reply.timings.ttft_s is not None
    assert reply.timings.ttft_s >= reply.lost_s
    [request] = second.requests
    assert request.parameters == {"temperature": 0.9, "top_k": 4}
    assert request.messages == (Message("system", "Be light, friend."), Message("user", "Hay?"))


@pytest.mark.parametrize(
    "error",
    [
        AuthFailed("no"), DOWN, ContextTooLong("long"), Interrupted("cut"), MissingPartError("none"), RateLimited("slow"),
        ServerFailed("oops"), TimedOut("late", phase="first_token", seconds=1), ModelUnusable("no key"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_what_is_fallen_back_from(error: LlamaFarmError) -> None:
    reply = await run({"primary": Scripted(error), "second": error, "third": Scripted("So.")})
    assert (reply.model, reply.text) == ("third", "So.")
    assert [step.kind for step in reply.fallbacks] == [type(error).__name__] * 2


async def test_what_is_wrong_with_the_request_is_wrong_everywhere() -> None:
    second = Scripted("Hay.")
    reply = await run({"primary": Scripted("x"), "second": second}, system="Be {{ how }}.")
    assert reply.failure is not None
    assert reply.failure.kind == RequestError.__name__
    assert not second.requests


@pytest.mark.parametrize(
    "content",
    ["half", ReasoningDelta(at=0.0, text="hm"), ToolCalled(at=0.0, call=ToolCall("1", "look", "{}"))],
    ids=["text", "reasoning", "tool call"],
)
async def test_after_content_there_is_no_way_back(content: str | ReasoningDelta | ToolCalled) -> None:
    second = Scripted("Hay.")
    reply = await run({"primary": Scripted(content, Interrupted("It was cut.")), "second": second})
    assert (reply.status, reply.model, reply.fallbacks) == ("failed", "primary", ())
    assert not second.requests


async def test_the_last_models_error_ends_the_lane_and_the_steps_stay() -> None:
    reply = await run({name: Scripted(ServerFailed(f"{name} is ill.")) for name in ("primary", "second", "third")})
    assert reply.failure is not None
    assert reply.failure.message == "third is ill."
    assert [(step.model, step.to) for step in reply.fallbacks] == [("primary", "second"), ("second", "third")]


async def test_what_a_failed_try_reported_is_paid_for() -> None:
    usage = UsageReported(at=0.0, usage=Usage(Count(10, "reported"), Count(0, "reported")))
    counted = UsageReported(at=0.0, usage=Usage(Count(10, "reported"), Count(2, "reported")))
    reply = await run({"primary": Scripted(usage, DOWN), "second": Scripted("Hay.", counted)})
    assert reply.usage.input == Count(10, "reported")
    assert reply.cost.usd == Decimal("0.022")
    assert "With $0.01 for tries that failed before it." in reply.cost.detail


async def test_a_model_that_failed_rests_and_is_tried_again() -> None:
    clock = Clock()
    cooldowns = Cooldowns(clock)
    primary = Scripted(DOWN)
    providers = {"primary": primary, "second": Scripted("Hay.")}
    await run(providers, cooldowns=cooldowns)
    clock.now += 10
    reply = await run(providers, cooldowns=cooldowns)
    assert len(primary.requests) == 1
    [step] = reply.fallbacks
    assert (step.kind, step.lost_s) == ("Resting", 0.0)
    assert step.message == "Passed over: it failed 10 s ago and is tried again in 20 s. Nothing listens there."
    clock.now += REST_S
    reply = await run(providers, cooldowns=cooldowns)
    assert len(primary.requests) == 2
    assert [step.kind for step in reply.fallbacks] == ["ConnectFailed"]


async def test_the_last_of_a_chain_is_asked_although_it_rests() -> None:
    cooldowns = Cooldowns()
    third = Scripted(DOWN)
    for _ in range(2):
        await run({"third": third}, "third", cooldowns)
    assert len(third.requests) == 2


async def test_an_answer_ends_the_rest() -> None:
    cooldowns = Cooldowns()
    own = MODELS[0]
    cooldowns.failed(PROJECT, own, DOWN)
    assert cooldowns.why(PROJECT, own)
    cooldowns.answered(PROJECT, own)
    assert cooldowns.why(PROJECT, own) is None


@pytest.mark.parametrize(
    ("error", "span"),
    [
        (RateLimited("slow", retry_after=7), 7), (RateLimited("slow", retry_after=9000), LONGEST_S), (DOWN, REST_S),
        (ServerFailed("oops", retry_after=3), 3), (ContextTooLong("long"), 0), (Interrupted("cut"), 0),
        (ModelUnusable("no key"), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)  # fmt: skip
def test_how_long_a_model_rests(error: LlamaFarmError, span: float) -> None:
    clock = Clock()
    cooldowns = Cooldowns(clock)
    cooldowns.failed(PROJECT, MODELS[0], error)
    clock.now += span - 0.5
    assert bool(cooldowns.why(PROJECT, MODELS[0])) is (span > 0)
    clock.now += 1
    assert cooldowns.why(PROJECT, MODELS[0]) is None


def test_an_edited_file_forgets_the_rests() -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(PROJECT, MODELS[0], ProviderError("base"))
    cooldowns.failed(PROJECT, MODELS[0], DOWN)
    assert cooldowns.why(PROJECT.model_copy(update={"digest": "other"}), MODELS[0]) is None


async def test_machines_are_told_who_was_asked_and_who_answered() -> None:
    told = lane_json(await run({"primary": Scripted(DOWN), "second": Scripted("Hay.")}))
    assert (told["model"], told["answered_by"]) == ("primary", "second")
    assert isinstance(told["fallbacks"], list)
    assert isinstance(told["fallbacks"][0], dict)
    assert told["fallbacks"][0]["kind"] == "ConnectFailed"
