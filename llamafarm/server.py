"""The server: the page, the API and the MCP endpoint on one port, with all that they need opened and closed around."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from llamafarm.api import chat
from llamafarm.api.app import PATHS, build_api
from llamafarm.api.express import Express
from llamafarm.asgi import App, Receive, Scope, Send
from llamafarm.config.samples import FIRST, sample_path
from llamafarm.errors import RequestError
from llamafarm.gate import Gate
from llamafarm.guards import Guards
from llamafarm.mcpserver import McpEndpoint
from llamafarm.reports import PATH as REPORTS
from llamafarm.reports import reports
from llamafarm.runtime import Runtime, open_runtime, zero
from llamafarm.settings import ServerSettings


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
    api: App = Gate(Express(build_api(runtime, settings), chat.router), settings)
    if settings.cors_origins:
        origins, anything = list(settings.cors_origins), ["*"]
        api = CORSMiddleware(
            api, allow_origins=origins, allow_methods=anything, allow_headers=anything, expose_headers=anything
        )
    doors = dict.fromkeys(PATHS, api) | ({"/mcp": Gate(mcp, settings)} if mcp else {})
    doors[REPORTS] = Gate(reports(runtime), settings)
    return Guards(Doors(doors, Gate(_page(runtime, settings), settings)), settings)


def _page(runtime: Runtime, settings: ServerSettings) -> FastAPI:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported
    from llamafarm.ui.app import mount  # noqa: PLC0415 - gradio takes seconds to import, and reads the line above

    return mount(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), runtime, settings=settings)


def serve(configs: Sequence[Path], settings: ServerSettings) -> None:
    """Serve until a signal comes. Without `configs`, the sample that needs nothing is the operator's project.

    Raises RequestError where the port is taken or nothing would keep strangers out, ConfigError where one of
    `configs` is not there.
    """
    settings.check()
    with closing(_listen(settings)) as sock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(configs or [sample_path(FIRST)], settings, sock))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop, where it is to be had."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _listen(settings: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        sock.close()
        raise RequestError(
            f"Port {settings.port} of {settings.host} can't be used: {error.strerror}.",
            hint="Stop what uses it, or choose another with --port.",
        ) from None
    return sock


class _Server(uvicorn.Server):
    """Ends on Ctrl-C and SIGTERM by returning.

    uvicorn's own handling sends the signal to the process again, which then ends before the runtime is closed.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals in the loop; where it can't (Windows), Ctrl-C cancels the server's task instead."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(configs: Sequence[Path], settings: ServerSettings, sock: socket.socket) -> None:
    async with open_runtime(configs) as runtime, McpEndpoint(runtime) as mcp:
        app = build_app(runtime, settings, mcp)
        runtime.prices.load()
        await zero(runtime)
        # A browser tab holds its stream open: without this bound the server would never end.
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=1, server_header=False, access_log=False
        )
        server = _Server(config)
        await asyncio.sleep(0)  # a Ctrl-C from while the page was built ends it here, not within uvicorn's start
        print(f"LlamaFarm Playground: {_address(sock)}", flush=True)  # noqa: T201 - the person needs the address
        await server.serve(sockets=[sock])
    if runtime.store and runtime.store.trouble:  # now that it is closed, what is lost is known
        print(f"lf: {runtime.store.trouble}", file=sys.stderr)  # noqa: T201 - nobody looks at the page any more


def _address(sock: socket.socket) -> str:
    """Where a bound socket is reached; the port is the one that it got, also where 0 was asked for."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"
