"""The server: the page on one port, with everything that it needs opened and closed around it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
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
    async with open_runtime(configs) as runtime:
        app = build_app(runtime, settings)
        # A browser tab holds its stream open: without this bound the server would never end.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
        server = _Server(config)
        await asyncio.sleep(0)  # a Ctrl-C from while the page was built ends it here, not within uvicorn's start
        print(f"LlamaFarm Playground: {_address(sock)}", flush=True)  # noqa: T201 - the person needs the address
        await server.serve(sockets=[sock])


def _address(sock: socket.socket) -> str:
    """Where a bound socket is reached; the port is the one that it got, also where 0 was asked for."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"
