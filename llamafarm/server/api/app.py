"""The API put together: its routes, its errors, and its description at /docs."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from llamafarm import __version__
from llamafarm.access.settings import ServerSettings
from llamafarm.core.errors import LlamaFarmError
from llamafarm.runtime import Runtime
from llamafarm.server.api import compare, health, projects
from llamafarm.server.api.bodies.answers import ChatCompletionChunk
from llamafarm.server.api.completions import chat
from llamafarm.server.api.elsewhere import on_http_error
from llamafarm.server.api.errors import ApiError, on_api_error, on_defect, on_known_error, on_validation_error
from llamafarm.server.api.services import Services

PATHS = ("/v1", "/health", "/docs", "/openapi.json")
DESCRIPTION = """\
One engine for the page, the `lf` command and this API: OpenAI's chat completions for the named models of your
llamafarm.yaml, with TTFT, tokens, cost, routing and fallbacks told in headers and in the extension `llamafarm`.

Errors are in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`.
"""


def build_api(runtime: Runtime, settings: ServerSettings) -> FastAPI:
    """The API's application around an open runtime; who may call is looked at before."""
    api = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs/static",
        title="LlamaFarm Playground",
        version=__version__,
        description=DESCRIPTION,
        swagger_ui_oauth2_redirect_url="/docs/oauth2-redirect",
    )
    api.state.services = Services(runtime, settings)
    bearer = [Security(HTTPBearer(auto_error=False, description="One of the server's API keys."))]
    for part in (chat, projects, compare):
        api.include_router(part.router, dependencies=bearer if settings.protected else [])
    api.include_router(health.router)
    api.state.routes = [route for part in (chat, projects, compare, health) for route in part.router.routes]
    for kind, handler in (
        (ApiError, on_api_error),
        (LlamaFarmError, on_known_error),
        (RequestValidationError, on_validation_error),
        (HTTPException, on_http_error),
        (Exception, on_defect),
    ):
        api.add_exception_handler(kind, handler)
    _describe_chunks(api)
    return api


def _describe_chunks(api: FastAPI) -> None:
    """Add the form of a stream's events, which no endpoint names as its own, to the description."""
    describe = api.openapi

    def described() -> dict[str, Any]:
        schema = describe()
        chunk = ChatCompletionChunk.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"] |= chunk.pop("$defs") | {ChatCompletionChunk.__name__: chunk}
        return schema

    api.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation shows
