"""One lane: a named model's prompts and parameters, asked, from `Started` to one final event."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.sections.template import render, render_all, variables
from llamafarm.core.errors import AsksToWait, LlamaFarmError, ProviderError
from llamafarm.core.events import Event, Failed, Started
from llamafarm.core.parameters import check_parameters
from llamafarm.core.types import ChatRequest, Image, JsonValue, Message
from llamafarm.engine.allowance import Allowance
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.fallback import chain_of, chained
from llamafarm.engine.tool_loop.loop import Answering, Toolbox
from llamafarm.providers.base import Provider

log = logging.getLogger(__name__)

OUTPUT_BOUNDS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Lane:
    """One named model, with its parameters, in one comparison.

    `id` tells the lanes of a comparison apart. `parameters` override the project's own; a None takes
    a parameter away. `system`, where given, replaces the system messages of the project's prompt sets; it may
    hold template variables as they do. Both are for `model` alone, not for one that stands in for it.
    `history` is what this lane said and heard before, between the project's prompts and the question.
    `auto`: a router picked the model, so that it falls back as `runtime.fallback` says in any case.
    """

    id: str
    model: NamedModel
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    system: str | None = None
    auto: bool = False
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the conversation so far, and values for the prompts' template variables.

    `parameters`, `tools` (OpenAI function definitions) and `system` are the asker's own, for whichever model answers:
    the first two come after the project's, and `system` replaces its system messages as `Lane.system` does. `verbatim`:
    it is sent as it is, whatever stands in it.
    """

    messages: tuple[Message, ...]
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    tools: tuple[Mapping[str, JsonValue], ...] = ()
    system: str | None = None
    verbatim: bool = False

    @classmethod
    def of(
        cls, prompt: str, variables: Mapping[str, JsonValue] | None = None, images: tuple[Image, ...] = ()
    ) -> Question:
        """A single prompt."""
        return cls((Message("user", prompt, images=images),), variables or {})


class Registry(Protocol):
    """What gives a named model its provider; see `llamafarm.providers.registry.Providers`."""

    def for_model(self, model: NamedModel) -> Provider:
        """The provider of `model`; raises RequestError where the model can't be used."""
        ...


def request_for(project: Project, lane: Lane, question: Question, model: NamedModel | None = None) -> ChatRequest:
    """What `lane` asks `model` (its own where none is given): the project's prompts first, then the conversation.

    Raises RequestError when a template variable has no value, or a parameter is none (see `llamafarm.core.parameters`).
    """
    asked = model or lane.model
    own = asked.name == lane.model.name
    prompts = [Message(m.role, render(m.content, question.variables)) for m in project.messages_for(asked)]
    mine = own and lane.system is not None
    system = lane.system if mine else question.system
    if system is not None:
        prompts = [message for message in prompts if message.role != "system"]
        if system.strip():
            text = system if question.verbatim and not mine else render(system, question.variables)
            prompts.insert(0, Message("system", text))
    parameters = overridden(overridden(asked.parameters, lane.parameters if own else {}), question.parameters)
    check_parameters(parameters)
    return ChatRequest(
        messages=(*prompts, *lane.history, *question.messages),
        parameters={name: value for name, value in parameters.items() if value is not None},
        tools=(*(_rendered(tool, question.variables) for tool in asked.tools), *question.tools),
    )


def _rendered(tool: Mapping[str, JsonValue], variables: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A tool of the project with the variables of its texts filled in."""
    return {name: render_all(each, variables) for name, each in tool.items()}


def names_in(project: Project, models: Iterable[NamedModel], system: str | None) -> frozenset[str]:
    """The names of template variables in the prompts that `models` get of their project, and in `system`."""
    texts = [text for model in models for text in project.templates_for(model)]
    return frozenset(each.name for each in variables([*texts, system or ""]))


def overridden(parameters: Mapping[str, JsonValue], by: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """`parameters` with those of `by` in their place.

    The bound on output tokens has two names, and servers know one of them: it goes out under the name that
    `parameters` has, whichever `by` uses.
    """
    names = dict(by)
    own = [name for name in OUTPUT_BOUNDS if name in parameters]
    given = [name for name in OUTPUT_BOUNDS if name in by]
    if len(own) == 1 and len(given) == 1:
        names[own[0]] = names.pop(given[0])
    return {**parameters, **names}


async def chat(
    project: Project,
    lane: Lane,
    question: Question,
    providers: Registry,
    cooldowns: Cooldowns,
    box: Toolbox | None = None,
) -> AsyncGenerator[Event, None]:
    """The events of one lane, whichever model of its chain answers. Every error becomes a `Failed` event.

    Only cancelling ends it otherwise. `cooldowns` says which models to pass over. `box` runs the tools of MCP servers;
    without one no model is told of them.
    """

    allowance = Allowance(lane.model)

    def ask(model: NamedModel) -> AsyncGenerator[Event, None]:
        allowance.begin(model)
        request = request_for(project, lane, question, model)
        return Answering(lane.id, project, model, providers.for_model(model), box).events(request)

    yield Started(at=time.perf_counter())
    try:
        chain = chain_of(project, lane.model, auto=lane.auto)
        async with aclosing(chained(project, chain, ask, cooldowns)) as events:
            async for event in events:
                yield allowance.admit(event)
                allowance.check()
    except LlamaFarmError as error:
        yield failure(error)
    except Exception as error:  # a defect of ours: the lane says so, the others go on
        log.exception("lane %s failed unexpectedly", lane.id)
        yield failure(error)


def failure(error: BaseException) -> Failed:
    """`error` as the event that ends a lane; an unexpected error is told by its type alone."""
    at, kind = time.perf_counter(), type(error).__name__
    match error:
        case LlamaFarmError():
            failed = Failed(at=at, kind=kind, message=error.message, hint=error.hint, culprit=error.culprit)
        case _:
            failed = Failed(
                at=at,
                kind=kind,
                message=f"The playground itself failed here ({kind}).",
                hint="This is a defect of the playground: its log has the details.",
                culprit="playground",
            )
    if not isinstance(error, ProviderError):
        return failed
    return replace(
        failed,
        status=error.status,
        request_id=error.request_id,
        retry_after_s=error.retry_after if isinstance(error, AsksToWait) else None,
        retryable=error.retryable,
    )
