"""The application: the page, the API and the MCP endpoint, each behind its guards."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from llamafarm.access.asgi import MCP_PATH, App, Receive, Scope, Send
from llamafarm.access.attempts import Attempts
from llamafarm.access.auth import Authentication
from llamafarm.access.operator import Operator
from llamafarm.access.settings import ServerSettings
from llamafarm.runtime import Runtime
from llamafarm.server.api.app import PATHS, build_api
from llamafarm.server.api.completions import chat
from llamafarm.server.api.completions.fast_path import FastPath
from llamafarm.server.api.elsewhere import ELSEWHERE, Elsewhere
from llamafarm.server.http.proxies import Proxies
from llamafarm.server.report_pages import PATH as REPORTS
from llamafarm.server.report_pages import reports
from llamafarm.server.security import SecurityMiddleware, Whole


class Doors:
    """Each application at its own addresses, the page at all others: none sees what is meant for another."""

    def __init__(self, apps: Mapping[str, App], page: App) -> None:
        self._apps = apps
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. The server's start and end are the page's: it alone has something to start."""
        first = "/" + scope.get("path", "").split("/", 2)[1] if scope["type"] != "lifespan" else ""
        await self._apps.get(first, self._page)(scope, receive, send)


def build_app(runtime: Runtime, settings: ServerSettings, mcp: App | None = None) -> App:
    """The HTTP application around an open runtime; `mcp` is its endpoint for MCP clients."""
    attempts = Attempts()
    own = build_api(runtime, settings)
    api = _shared(Authentication(FastPath(own, chat.router), settings, attempts), settings)
    doors: dict[str, App] = dict.fromkeys(
        ELSEWHERE, Authentication(Elsewhere(own), settings, attempts)
    ) | dict.fromkeys(PATHS, api)
    if mcp:
        doors[MCP_PATH] = _shared(Authentication(Whole(mcp), settings, attempts), settings)
    doors[REPORTS] = Authentication(reports(runtime), settings, attempts)
    page = Authentication(Operator(_page(runtime, settings), settings), settings, attempts)
    guarded = SecurityMiddleware(Doors(doors, page), settings)
    return Proxies(guarded, settings.forwarded_allow_ips)


def _shared(app: App, settings: ServerSettings) -> App:
    """`app`, which also tells pages of the allowed origins that they may use it, before they are asked for a key."""
    if not settings.cors_origins:
        return app
    origins, anything = list(settings.cors_origins), ["*"]
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=anything, allow_headers=anything, expose_headers=anything
    )


def _page(runtime: Runtime, settings: ServerSettings) -> App:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported
    from llamafarm.ui.app import mount  # noqa: PLC0415 - gradio takes seconds to import, and reads the line above

    return mount(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), runtime, settings=settings)
