"""One conversation to several named models at once, as a stream of their lanes' events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from llamafarm.access.asgi import Receive, Scope, Send
from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import TooManyGenerations
from llamafarm.core.events import is_final
from llamafarm.core.types import Route as Taken
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Origin
from llamafarm.output.contracts import lane_json
from llamafarm.server.api.bodies.answers import ErrorBody
from llamafarm.server.api.bodies.reading import Route
from llamafarm.server.api.bodies.requests import CompareRequest
from llamafarm.server.api.completions.asked import named, parameters_of, prompt_of
from llamafarm.server.api.completions.trace import route_json
from llamafarm.server.api.disconnect import until_gone
from llamafarm.server.api.errors import error_of, invalid, stopping
from llamafarm.server.api.lanes import lane_event, sse
from llamafarm.server.api.services import Name, Namespace, Services, caller_of, services_of

router = APIRouter(route_class=Route, tags=["compare"])

EXAMPLE = (
    'event: started\ndata: {"lanes":["fast"],"routes":[]}\n\n'
    'event: lane\ndata: {"lane":"fast","type":"text_delta","at_s":0.21,"text":"Llamas"}\n\n'
    'event: reply\ndata: {"model":"fast","status":"done","text":"Llamas eat grass."}\n\n'
    "event: done\ndata: {}\n\n"
)
STREAM_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["started", "lane", "reply", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": {"type": "object"}},
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events. `started`: the lanes and what each routing strategy would pick. `lane`: "
        "something happened in a lane; `type` is started, warming, warmed, asking, waiting, loading, "
        "sent, shared, lagged, reasoning_delta, text_delta, reclassified, tool_called, usage_reported, retrying, "
        "fell_back, finished, failed, …, `at_s` is in seconds since the start. `reply`: a lane has "
        "ended; its text, usage, timings and cost, and whether other requests shared its server. "
        "`done`: all have. `error`: the server is being stopped, and nothing more comes.",
        "content": {"text/event-stream": {"itemSchema": STREAM_EVENT, "example": EXAMPLE}},
    },
    "4XX": {"model": ErrorBody, "description": "What the caller can mend."},
}


@router.post("/v1/projects/{namespace}/{project}/compare", responses=ANSWERS, response_class=Response)
async def compare(namespace: Namespace, name: Name, body: CompareRequest, request: Request) -> Response:
    """Ask several named models the same, side by side: none waits for another, and each ends by itself."""
    _, project = await services_of(request).project(namespace, name)
    parameters = parameters_of(body.parameters or {}, "parameters")
    messages = tuple(message.message() for message in body.messages)
    question = Question(messages, body.variables or {}, parameters)
    lanes = _lanes(project, body.models)
    return CompareAnswer(services_of(request), project, lanes, question, caller_of(request), fair=body.fair)


def _lanes(project: Project, names: Sequence[str] | None) -> list[Lane]:
    if names is None:
        return [Lane(model.name, model) for model in _usable(project)]
    if len(set(names)) != len(names):
        raise invalid("models: each named model can be in a comparison once.", "models")
    return [Lane(name, named(project, name)) for name in names]


def _usable(project: Project) -> list[NamedModel]:
    """All models that can be asked, or all: then their errors say why."""
    return [model for model in project.models if model.usable] or list(project.models)


class CompareAnswer(Response):
    """Runs the comparison while its caller listens."""

    def __init__(
        self,
        services: Services,
        project: Project,
        lanes: list[Lane],
        question: Question,
        caller: str,
        *,
        fair: bool,
    ) -> None:
        super().__init__()
        self._services = services
        self._project = project
        self._lanes = lanes
        self._question = question
        self._caller = caller
        self._fair = fair
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Stream all events, until the last lane has ended or the client has gone."""
        try:
            await until_gone(receive, self._run(send))
        except TooManyGenerations as error:
            raise error_of(error) from None
        except asyncio.CancelledError:
            if self._begun:
                await _send(send, sse("error", stopping().body()))
            raise

    async def _run(self, send: Send) -> None:
        runtime, lanes = self._services.runtime.of(self._caller), self._lanes
        started = time.perf_counter()
        fair = runtime.fair() if self._fair else None
        routes = await runtime.suggested(prompt_of(self._question.messages), self._project)
        origin = Origin(routes=routes)
        async with (
            runtime.compare(self._project, lanes, self._question, origin=origin, fair=fair) as comparison,
            aclosing(comparison.batches(heartbeat_s=None)) as batches,
        ):
            await self._begin(send, routes)
            async for batch in batches:
                pieces = []
                for told in batch:
                    pieces.append(sse("lane", lane_event(told, started)))
                    if is_final(told.event):
                        pieces.append(sse("reply", lane_json(comparison.reply(told.lane))))
                await _send(send, b"".join(pieces))
        await _send(send, sse("done", {}), more=False)

    async def _begin(self, send: Send, routes: Sequence[Taken]) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._begun = True
        opening = {"lanes": [lane.id for lane in self._lanes], "routes": [route_json(route) for route in routes]}
        await _send(send, sse("started", opening))


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})
