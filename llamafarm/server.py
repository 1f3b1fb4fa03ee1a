"""The server: the page on one port, with everything that it needs opened and closed around it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from llamafarm.config.samples import FIRST, sample_path
from llamafarm.errors import RequestError
from llamafarm.guards import Guards
from llamafarm.runtime import Runtime, open_runtime
from llamafarm.settings import ServerSettings


def build_app(runtime: Runtime, settings: ServerSettings) -> FastAPI:
    """The HTTP application around an open runtime."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported
    from llamafarm.ui.app import mount  # noqa: PLC0415 - gradio takes seconds to import, and reads the line above

    app = FastAPI(title="LlamaFarm Playground", docs_url=None, redoc_url=None, openapi_url=None)
    mount(app, runtime, settings=settings)
    app.add_middleware(Guards, settings=settings)
    return app


def serve(configs: Sequence[Path], settings: ServerSettings) -> None:
    """Serve until a signal comes. Without `configs`, the sample that needs nothing is the operator's project.

    Raises RequestError where the port is taken, ConfigError where one of `configs` is not there.
    """
    with closing(_listen(settings)) as sock:
        asyncio.run(_serve(configs or [sample_path(FIRST)], settings, sock))


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


async def _serve(configs: Sequence[Path], settings: ServerSettings, sock: socket.socket) -> None:
    async with open_runtime(configs) as runtime:
        app = build_app(runtime, settings)
        # A browser tab holds its stream open: without this bound the server would never end.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
        server = uvicorn.Server(config)
        print(f"LlamaFarm Playground: http://{settings.host}:{settings.port}", flush=True)  # noqa: T201 - the address
        await server.serve(sockets=[sock])
