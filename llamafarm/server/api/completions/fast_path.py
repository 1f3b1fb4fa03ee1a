"""Chat completions on a way of their own through the API's application.

FastAPI's general way (nine layers of wrappers and routers, and the solving of parameters) takes as long as all else
that happens before the model's server is asked, and a proxy's users wait for that with each request. It goes on to
describe these endpoints by their signatures, and answers everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRouter

from llamafarm.access.asgi import Message, Receive, Scope, Send
from llamafarm.core.errors import LlamaFarmError
from llamafarm.server.api.bodies.reading import Route, body_of
from llamafarm.server.api.bodies.requests import ChatCompletionRequest
from llamafarm.server.api.errors import ADVICE, ApiError, error_of, invalid, on_defect

SESSION_ID = r"^[!-~]{1,128}$"
_SESSION_ID = re.compile(SESSION_ID)
Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class Direct(Route):
    """Reads what chat completions take by itself."""

    def get_route_handler(self) -> Answer:
        """The endpoint, called with the request's parts. Raises ApiError (400) for what it does not allow."""
        endpoint: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint

        async def direct(request: Request) -> Response:
            headers, place = request.headers, request.path_params
            session_id = headers.get("x-session-id")
            if session_id is not None and not _SESSION_ID.fullmatch(session_id):
                raise invalid(f"X-Session-ID: {ADVICE['X-Session-ID']}.", "X-Session-ID")
            body = await body_of(request, ChatCompletionRequest)
            named = {"namespace": place["namespace"], "name": place["project"]} if place else {}
            return await endpoint(
                **named, body=body, request=request, session_id=session_id, no_session=headers.get("x-no-session")
            )

        return direct


class FastPath:
    """Wraps the API's application: answers what is posted to `router`'s `Direct` routes, and passes on the rest."""

    def __init__(self, api: FastAPI, router: APIRouter) -> None:
        self._api = api
        direct = [route for route in router.routes if isinstance(route, Direct)]
        self._ways = [(route.path_regex, route.get_route_handler()) for route in direct]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. An unexpected error is told in OpenAI's form, and raised for the server's log."""
        if scope["type"] == "http" and scope["method"] == "HEAD":  # GET without its body, which the server leaves out
            scope = {**scope, "method": "GET"}
        answer = self._answer(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if answer is None:
            await self._api(scope, receive, send)
            return
        scope["app"] = self._api
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            response = await answer(Request(scope, receive))
            await response(scope, receive, begin)
        except ApiError as error:  # an answer that has begun tells its error itself
            await error.response()(scope, receive, send)
        except LlamaFarmError as error:
            if begun:
                raise
            await error_of(error).response()(scope, receive, send)
        except Exception as error:
            if not begun:
                response = await on_defect(Request(scope), error)
                await response(scope, receive, send)
            raise

    def _answer(self, scope: Scope) -> Answer | None:
        for path, answer in self._ways:
            if found := path.match(scope["path"]):
                scope["path_params"] = found.groupdict()
                return answer
        return None
