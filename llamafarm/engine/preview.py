"""The request that a lane would send: shown, not sent."""

from __future__ import annotations

from contextlib import aclosing

from llamafarm.config.model import Project
from llamafarm.core.errors import RequestError
from llamafarm.core.events import Sent
from llamafarm.core.types import SentRequest
from llamafarm.engine.lane import Lane, Question, Registry, request_for


async def preview(project: Project, lane: Lane, question: Question, providers: Registry) -> SentRequest:
    """What `lane` would send to its own model, with the key masked; nothing leaves this process.

    A provider tells `Sent` before anything leaves (see `Provider`), and there it is closed. Raises RequestError where
    a template variable has no value or the model runs in this process, ModelUnusable where it can't be asked.
    """
    request = request_for(project, lane, question)
    if lane.model.profile.embedded:
        raise RequestError(
            f"{lane.model.name} runs inside of the command itself: there is no request to show.",
            hint="Start `lf serve`, and show the request to that: lf chat --url http://127.0.0.1:8000 --curl.",
        )
    async with aclosing(providers.for_model(lane.model).stream(request)) as events:
        async for event in events:
            if isinstance(event, Sent):
                return event.request
    raise AssertionError("a provider ended without a request")
