"""Sends a short request that loads and connects a model before a request whose figures count."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from llamafarm.config.model import Project
from llamafarm.core.conditions import Warmed, Warming
from llamafarm.core.errors import LlamaFarmError
from llamafarm.core.events import CostReported, Event, Loaded, ReasoningDelta, Reclassified, TextDelta, UsageReported
from llamafarm.core.parameters import LENGTH_BOUNDS
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.engine.allowance import Allowance
from llamafarm.engine.lane import Lane, Question, Registry, request_for
from llamafarm.engine.tool_loop.turn import Turn

PROMPT = "Hello."
TOKENS = 8
FOR_THE_ANSWER = ("tool_choice", "parallel_tool_calls", "response_format", "format", "stop")


async def warm(project: Project, lane: Lane, question: Question, providers: Registry) -> AsyncGenerator[Event, None]:
    """Ask the model of `lane` for a few tokens: `Warming`, then `Warmed`, whatever came of it.

    It has the lane's parameters, since a server loads a model anew for another context size; but neither its prompts
    nor its question, which the server could keep and then answer sooner than others.
    """
    began = time.perf_counter()
    yield Warming(at=began, model=lane.model.name)
    turn, load_s, error = Turn(), None, ""
    try:
        turn.request = _request(request_for(project, lane, question))
        allowance = Allowance(lane.model)
        async with aclosing(providers.for_model(lane.model).stream(turn.request)) as events:
            async for event in events:
                load_s = event.seconds if isinstance(event, Loaded) else load_s
                _take(turn, allowance.admit(event))
                allowance.check()
    except LlamaFarmError as failed:
        error = str(failed)
    now = time.perf_counter()
    usage = turn.usage(ended=not error)
    yield Warmed(
        at=now,
        model=lane.model.name,
        seconds=now - began,
        load_s=load_s,
        usage=usage,
        usd=turn.usd,
        error=error,
    )


def _request(request: ChatRequest) -> ChatRequest:
    return replace(request, messages=(Message("user", PROMPT),), tools=(), parameters=_bounded(request.parameters))


def _bounded(parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """`parameters` with the bound on tokens under the name that they have for it."""
    kept = {name: value for name, value in parameters.items() if name not in FOR_THE_ANSWER}
    names = [name for name in LENGTH_BOUNDS if name in kept] or ["max_tokens"]
    return {**kept, **dict.fromkeys(names, TOKENS)}


def _take(turn: Turn, event: Event) -> None:
    match event:
        case TextDelta(text=text):
            turn.begun = True
            turn.text.write(text)
        case Reclassified():
            turn.reclassify()
        case ReasoningDelta(text=text):
            turn.begun = True
            turn.reasoning.write(text)
        case UsageReported(usage=usage):
            turn.told = usage
        case CostReported(usd=usd):
            turn.usd = usd
