"""What a lane asks: prompts, variables, parameters."""

from __future__ import annotations

from typing import Any

import pytest

from llamafarm.config.model import NamedModel, Project, PromptMessage, PromptSet
from llamafarm.core.errors import QuotaExceeded, RateLimited, RequestError, ServerFailed
from llamafarm.core.events import Event, Failed, Finished
from llamafarm.core.types import Message
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat, failure, request_for
from tests.engine.fakes import Registry, Scripted, model, project, unusable

SETS = (
    PromptSet(name="a", messages=(PromptMessage(role="system", content="You are {{ who | a llama }}."),)),
    PromptSet(
        name="b", messages=(PromptMessage(role="user", content="Hi"), PromptMessage(role="assistant", content="Yo"))
    ),
)
MODEL = model("m", parameters={"temperature": 0.7, "top_k": 5}, prompts=("a", "b"))
PROJECT = project([MODEL], prompts=SETS)


def asked(lane: Lane, **variables: Any) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in request_for(PROJECT, lane, Question.of("Hay?", variables)).messages]


def test_the_projects_prompts_come_first() -> None:
    assert asked(Lane("m", MODEL)) == [
        ("system", "You are a llama."), ("user", "Hi"), ("assistant", "Yo"), ("user", "Hay?"),
    ]  # fmt: skip
    assert asked(Lane("m", MODEL), who="a goat")[0] == ("system", "You are a goat.")


@pytest.mark.parametrize(("system", "first"), [("Be {{ how }}.", ("system", "Be brief.")), (" ", ("user", "Hi"))])
def test_a_system_prompt_of_the_lanes_own(system: str, first: tuple[str, str]) -> None:
    messages = asked(Lane("m", MODEL, system=system), how="brief")
    assert messages[0] == first
    assert len([role for role, _ in messages if role == "system"]) <= 1


def test_the_askers_system_prompt_is_for_whichever_model_answers() -> None:
    other = model("other", prompts=("a",))
    question = Question((Message("user", "Hay?"),), {"how": "brief"}, system="Be {{ how }}.")
    lanes = Project.model_validate(dict(PROJECT) | {"models": (MODEL, other)})

    def first(lane: Lane, asked: NamedModel | None = None) -> str:
        return request_for(lanes, lane, question, asked).messages[0].content

    assert first(Lane("m", MODEL)) == first(Lane("m", MODEL), other) == "Be brief."
    assert first(Lane("m", MODEL, system="Be loud.")) == "Be loud."
    assert first(Lane("m", MODEL, system="Be loud."), other) == "Be brief."


def test_parameters_override_and_none_takes_away() -> None:
    lane = Lane("m", MODEL, {"temperature": 0.1, "top_k": None, "seed": 3})
    assert request_for(PROJECT, lane, Question.of("Hay?")).parameters == {"temperature": 0.1, "seed": 3}


def test_the_users_words_are_no_template() -> None:
    request = request_for(PROJECT, Lane("m", MODEL), Question.of("What is {{ x }}?"))
    assert request.messages[-1] == Message("user", "What is {{ x }}?")


async def events_of(registry: Registry, lane: Lane) -> list[Event]:
    return [event async for event in chat(PROJECT, lane, Question.of("Hay?"), registry, Cooldowns())]


async def test_a_missing_variable_fails_the_lane() -> None:
    events = await events_of(Registry({"m": Scripted("x")}), Lane("m", MODEL, system="Be {{ how }}."))
    assert isinstance(events[-1], Failed)
    assert "a value for: how" in events[-1].message


async def test_a_model_that_cannot_be_used_fails_the_lane() -> None:
    events = await events_of(Registry({"m": unusable("m")}), Lane("m", MODEL))
    assert isinstance(events[-1], Failed)
    assert (events[-1].kind, events[-1].hint) == (RequestError.__name__, "Set the variable X.")


async def test_a_lane_ends_with_one_final_event() -> None:
    events = await events_of(Registry({"m": Scripted("Hay", ".")}), Lane("m", MODEL))
    assert [type(event).__name__ for event in events] == ["Started", "Asking", "TextDelta", "TextDelta", "Finished"]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    ("own", "given", "sent"),
    [
        ({"max_tokens": 1}, {"max_completion_tokens": 2}, {"max_tokens": 2}),
        ({"max_completion_tokens": 1}, {"max_tokens": 2}, {"max_completion_tokens": 2}),
        ({}, {"max_completion_tokens": 2}, {"max_completion_tokens": 2}),
        ({"max_tokens": 1}, {"max_completion_tokens": None}, {}),
        ({"max_tokens": 1}, {"max_tokens": 2, "max_completion_tokens": 3}, {"max_tokens": 2, "max_completion_tokens": 3}),
    ],
)  # fmt: skip
def test_the_bound_on_output_keeps_the_name_that_the_project_gives_it(
    own: dict[str, Any], given: dict[str, Any], sent: dict[str, Any]
) -> None:
    bounded = model("m", parameters=own)
    question = Question((Message("user", "Hay?"),), parameters=given)
    assert request_for(project([bounded]), Lane("m", bounded), question).parameters == sent
    assert request_for(project([bounded]), Lane("m", bounded, given), Question.of("Hay?")).parameters == sent


def test_a_failure_tells_how_long_the_server_asked_to_wait() -> None:
    limited = failure(RateLimited("Slow down.", retry_after=7.5))
    assert (limited.retry_after_s, limited.status, limited.culprit) == (7.5, 429, "account")
    assert failure(QuotaExceeded("None left.")).status == 429
    assert failure(ServerFailed("Broken.", retry_after=2)).status is None
    assert failure(ServerFailed("Broken.")).retry_after_s is None
