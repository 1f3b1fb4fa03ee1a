"""A scripted provider: says what it is told to, when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from decimal import Decimal

from llamafarm.config.model import NamedModel, Project
from llamafarm.errors import LlamaFarmError, RequestError
from llamafarm.providers.base import Provider
from llamafarm.types import ChatRequest, Cost, Event, Finished, TextDelta, Usage

Step = str | Event | asyncio.Event | BaseException | Callable[[], None]


class Scripted:
    """A provider that plays `steps`: text to say, an event to tell, a gate to wait for, an error to raise."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.requests: list[ChatRequest] = []
        self.closed = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        try:
            for step in self._steps:
                match step:
                    case str():
                        yield TextDelta(at=time.perf_counter(), text=step)
                    case asyncio.Event():
                        await step.wait()
                    case BaseException():
                        raise step
                    case Event():
                        yield step
                    case _:
                        step()
            yield Finished(at=time.perf_counter(), reason="stop")
        finally:
            self.closed.set()


class Registry:
    """Gives each named model the provider that the test scripted for it."""

    def __init__(self, providers: Mapping[str, Provider | LlamaFarmError]) -> None:
        self._providers = providers

    def for_model(self, model: NamedModel) -> Provider:
        provider = self._providers[model.name]
        if isinstance(provider, LlamaFarmError):
            raise provider
        return provider


class FlatPrices:
    """A thousandth of a dollar a token."""

    def price(self, model: NamedModel, usage: Usage, *, reported_usd: Decimal | None = None) -> Cost:
        if reported_usd is not None:
            return Cost(reported_usd, "reported")
        count = sum(part.value for part in (usage.input, usage.output) if part is not None)
        return Cost(Decimal(count) / 1000, "config", estimated=usage.source == "estimated")


def model(name: str, **settings: object) -> NamedModel:
    return NamedModel.model_validate(
        {"name": name, "provider": "openai", "model": f"{name}-id", "base_url": "http://127.0.0.1:9/v1"} | settings
    )


def project(models: Sequence[NamedModel], **settings: object) -> Project:
    return Project.model_validate(
        {"namespace": "default", "name": "test", "models": tuple(models), "default_model": models[0].name} | settings
    )


def unusable(name: str) -> LlamaFarmError:
    return RequestError(f"{name} can't be used.", hint="Set the variable X.")
