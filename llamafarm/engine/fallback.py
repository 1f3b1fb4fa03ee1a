"""Falling back: the models of a chain are asked in turn until one begins to answer."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import LlamaFarmError, MissingPartError, ModelUnusable, ProviderError
from llamafarm.core.events import Event, FellBack, is_content
from llamafarm.engine.cooldown import Cooldowns

Ask = Callable[[NamedModel], AsyncGenerator[Event, None]]


def chain_of(project: Project, model: NamedModel, *, auto: bool = False) -> tuple[NamedModel, ...]:
    """`model` and those that stand in for it, in order; each once.

    Its own `fallback` wins; else those after it in `runtime.fallback`. A model that is not in that list has no
    chain, but one that a router picked (`auto`) takes the whole list.
    """
    order = project.fallback
    names: tuple[str, ...] = ()
    if model.fallback:
        names = model.fallback
    elif model.name in order:
        names = order[order.index(model.name) + 1 :]
    elif auto:
        names = order
    others = [other for name in dict.fromkeys(names) if name != model.name and (other := project.model(name))]
    return (model, *others)


async def chained(
    project: Project, chain: tuple[NamedModel, ...], ask: Ask, cooldowns: Cooldowns
) -> AsyncGenerator[Event, None]:
    """The events of the first model that begins to answer, with a `FellBack` for each that failed before.

    After the first content there is no way back: then its error ends the lane. Raises the error of the last model.
    """
    for model, then in zip(chain, (*chain[1:], None), strict=True):
        begun, asked_at = False, time.perf_counter()
        resting = cooldowns.why(project, model) if then else None
        if then and resting:
            yield FellBack(at=asked_at, model=model.name, to=then.name, lost_s=0.0, kind="Resting", message=resting)
            continue
        try:
            async with aclosing(ask(model)) as events:
                async for event in events:
                    begun = begun or is_content(event)
                    yield event
        except (ProviderError, MissingPartError, ModelUnusable) as error:
            cooldowns.failed(project, model, error)
            if begun or then is None:
                raise
            yield _fell_back(model, then, asked_at, error)
        else:
            cooldowns.answered(project, model)
            return


def _fell_back(model: NamedModel, then: NamedModel, asked_at: float, error: LlamaFarmError) -> FellBack:
    now = time.perf_counter()
    return FellBack(
        at=now, model=model.name, to=then.name, lost_s=now - asked_at, kind=type(error).__name__, message=error.message
    )
