"""How endpoints read a request's JSON."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import orjson
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from llamafarm.access.asgi import Receive
from llamafarm.server.api.errors import invalid, invalid_body

WITH_BODY = ("POST", "PUT", "PATCH")
JSON = ("application/json", "text/json", "application/x-json", "text/x-json")
Body = TypeVar("Body", bound=BaseModel)


class _Request(Request):
    """Takes JSON as its standard has it: no NaN, no half surrogate pairs, which couldn't be passed on."""

    async def json(self) -> Any:
        return orjson.loads(await self.body())


class Route(APIRoute):
    """Gives its endpoint such a request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, around the request that reads strictly."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            scope = request.scope
            if request.method in WITH_BODY:
                _check_kind(request)
                others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
                scope = {**scope, "headers": [*others, (b"content-type", JSON[0].encode())]}  # as FastAPI wants it
            return await handle(_Request(scope, request.receive))

        return strict


def _check_kind(request: Request) -> None:
    """Raise ApiError (400) for what says of itself that it is no JSON; what says nothing may be."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind not in JSON and not kind.endswith("+json"):
        raise invalid("The body: send JSON, with the header Content-Type: application/json.")


async def _bytes_of(receive: Receive) -> bytes:
    pieces, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise invalid("The body did not come to its end.")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _why(data: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as wrong:  # as PowerShell 5 and others send letters beyond ASCII by default
        return f"it is not UTF-8 (byte {wrong.start})"
    return f"{error.msg} (byte {error.pos})"


async def body_of(request: Request, form: type[Body]) -> Body:
    """The request's body, as FastAPI would give it to an endpoint. Raises ApiError (400)."""
    data = await _bytes_of(request.receive)
    if data:
        _check_kind(request)
    try:
        return form.model_validate(orjson.loads(data)) if data else form.model_validate(None)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The body is not JSON: {_why(data, error)}.") from None
    except ValidationError as error:
        raise invalid_body(error) from None
