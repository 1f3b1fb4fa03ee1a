"""Chat completions, for a project by its name and for the first one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from llamafarm.config.model import Project
from llamafarm.server.api.bodies.answers import ChatCompletion, ChatCompletionChunk, ErrorBody
from llamafarm.server.api.bodies.requests import ChatCompletionRequest
from llamafarm.server.api.completions.answering import ChatAnswer, Order
from llamafarm.server.api.completions.asked import asked
from llamafarm.server.api.completions.fast_path import SESSION_ID, Direct
from llamafarm.server.api.completions.sessions import Key
from llamafarm.server.api.services import Name, Namespace, caller_of, services_of

SessionId = Annotated[
    str | None,
    Header(
        alias="X-Session-ID",
        pattern=SESSION_ID,
        description="Continues the conversation of this name: your key's own, in this project, for an hour after its "
        "last message. Send only the new messages. Without it, or with X-No-Session, nothing is kept.",
    ),
]
NoSession = Annotated[str | None, Header(alias="X-No-Session", description="Any value: nothing is kept.")]

STREAM_EXAMPLE = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fast","choices":[{"index":0,'
    '"delta":{"role":"assistant","content":""},"finish_reason":null}],"llamafarm":{"asked":"fast"}}\n\n'
    "data: [DONE]\n\n"
)
_REFERENCES = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (ChatCompletionChunk, ErrorBody)]
STREAM_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "anyOf": [
                {"const": "[DONE]"},
                {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": _REFERENCES}},
            ]
        }
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ChatCompletion,
        "description": "The answer: JSON, or with `stream` server-sent events, each with a ChatCompletionChunk; the "
        "last is [DONE]. An error after the first event is an event with `error`, and no [DONE] follows. The headers "
        "X-LlamaFarm-Model, -Provider, -Model-ID, -Route, -Route-Reason, -Fallbacks, -TTFT-ms, -TTFR-ms and -Cost-USD "
        "(percent-encoded UTF-8) tell what the extension `llamafarm` tells, as far as it is known by then.",
        "content": {"text/event-stream": {"itemSchema": STREAM_EVENT, "example": STREAM_EXAMPLE}},
    },
    "4XX": {"model": ErrorBody, "description": "What the caller can mend; 429 says in Retry-After when to ask again."},
    "5XX": {"model": ErrorBody, "description": "What the operator or the model's server can mend."},
}


router = APIRouter(route_class=Direct, tags=["chat"])


@router.post("/v1/projects/{namespace}/{project}/chat/completions", responses=ANSWERS, response_class=Response)
async def project_chat(
    namespace: Namespace,
    name: Name,
    body: ChatCompletionRequest,
    request: Request,
    session_id: SessionId = None,
    no_session: NoSession = None,
) -> Response:
    """Answer a conversation with a named model of the project, as OpenAI's chat completions do."""
    _, project = await services_of(request).project(namespace, name)
    return await _answer(request, project, body, None if no_session is not None else session_id)


@router.post("/v1/chat/completions", responses=ANSWERS, response_class=Response)
async def first_chat(
    body: ChatCompletionRequest,
    request: Request,
    session_id: SessionId = None,
    no_session: NoSession = None,
) -> Response:
    """The same for the first project, so that any OpenAI client takes this server's `/v1` as its base URL."""
    _, project = await services_of(request).first()
    return await _answer(request, project, body, None if no_session is not None else session_id)


async def _answer(request: Request, project: Project, body: ChatCompletionRequest, session_id: str | None) -> Response:
    caller, options = caller_of(request), body.stream_options
    order = Order(
        caller=caller,
        stream=bool(body.stream),
        with_usage=bool(options and options.include_usage),
        session=_session(project, caller, session_id),
    )
    return ChatAnswer(services_of(request), await asked(services_of(request).runtime, project, body), order)


def _session(project: Project, caller: str, session_id: str | None) -> Key | None:
    return None if session_id is None else (caller, project.namespace, project.name, session_id)
