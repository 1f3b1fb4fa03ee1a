"""Answers 404 and 405 with the address or method that the caller may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from llamafarm.access.asgi import API_PATH, Receive, Scope, Send
from llamafarm.config.nearest import nearest
from llamafarm.server.api.errors import ApiError

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
# First parts of addresses of the API's own, of OpenAI's, and of servers like it: what asks for them asks the API.
# Without "batches", where the page has the answers of a batch as files.
ELSEWHERE = tuple(
    f"/{name}"
    for name in (
        "api", "audio", "chat", "completions", "embeddings", "engines", "files", "images", "messages",
        "models", "moderations", "openai", "projects", "responses", "threads", "v0", "v1beta", "v2",
    )
)  # fmt: skip
PROJECT = re.compile(r"/v1/projects/[^/]+/[^/]+")
_DOUBLED = re.compile(r"((?:/[^/]+){1,2})\1+$")


class Elsewhere:
    """Answers at addresses beside the API's own: 404 in OpenAI's form, with the address that may have been meant."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await nothing_at(scope["path"], self._api.state.routes).response()(scope, receive, send)


def nothing_at(path: str, routes: Iterable[BaseRoute]) -> ApiError:
    """404 for `path`, which is none of `routes`."""
    shown = path[:200]
    message = f"There is nothing at {shown}: {_help(path, [each for each in routes if isinstance(each, APIRoute)])}"
    return ApiError(404, message, "not_found")


def not_taken(method: str, path: str, allowed: str) -> ApiError:
    """405 for a method that `path` does not take; it takes those `allowed`."""
    ways = f"use {allowed}" if allowed else "look at /docs"
    return ApiError(405, f"{path[:200]} does not take {method}: {ways}.", "method_not_allowed")


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: an unknown address, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    headers = dict(error.headers or {})
    match HTTPStatus(error.status_code):
        case HTTPStatus.NOT_FOUND:
            told = nothing_at(request.url.path, request.app.state.routes)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            told = not_taken(request.method, request.url.path, headers.get("Allow", ""))
        case status:
            told = ApiError(status, f"{error.detail}.", status.phrase.lower().replace(" ", "_"))
    told.headers = headers
    return told.response()


def _help(path: str, routes: list[APIRoute]) -> str:
    for meant in _meant(path):
        if any(route.path_regex.match(meant) for route in routes if "{model" not in route.path):
            return f"the API is under /v1, and this address is {meant}."
    known = sorted({_filled(route.path, path) for route in routes})
    if near := nearest(path, known):
        return f"did you mean {near}?"
    return f"the API is under /v1, with chat completions at {CHAT} and models at {MODELS}; /docs tells what there is."


def _meant(path: str) -> Iterator[str]:
    """What `path` may be a slip of: /v1 left out or doubled, another server's prefix, a base URL that says too much."""
    plain = path.rstrip("/")
    for each in (plain, _DOUBLED.sub(r"\1", plain)):
        yield API_PATH + each
        yield each if each != plain else ""
        before, found, after = each.rpartition(f"{API_PATH}/")
        if found and PROJECT.fullmatch(before):
            yield f"{before}/{after}"
        if found:
            yield f"{API_PATH}/{after}"


def _filled(template: str, path: str) -> str:
    """The address that `template` gives with the project of `path`."""
    asked = PROJECT.match(path)
    return re.sub(r"^/v1/projects/\{namespace\}/\{project\}", lambda _: asked[0], template) if asked else template
