"""Serving: a port is taken, all that is needed is opened, and closed when a signal comes."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from pydantic import SecretStr

from llamafarm.access.asgi import App
from llamafarm.access.operator import link, new_token
from llamafarm.access.settings import ServerSettings
from llamafarm.access.signals import stopping_signals
from llamafarm.config.samples import FIRST, sample_path
from llamafarm.core.errors import RequestError
from llamafarm.runtime import open_runtime, zero
from llamafarm.server.app import build_app
from llamafarm.server.http.protocol import bounded
from llamafarm.server.mcp import McpEndpoint

PAGE_FOLDER = "GRADIO_TEMP_DIR"


def serve(configs: Sequence[Path], settings: ServerSettings) -> None:
    """Serve until a signal comes. Without `configs`, the sample that needs nothing is the operator's project.

    Raises RequestError where the port is taken or nothing would keep strangers out, ConfigError where one of
    `configs` is not there.
    """
    settings.check()
    settings = replace(settings, operator_token=SecretStr(new_token()) if settings.has_operator else None)
    with _own_folder(), closing(_listen(settings)) as sock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(configs or [sample_path(FIRST)], settings, sock))


def http_config(app: App, log_level: str = "warning") -> uvicorn.Config:
    """How uvicorn serves `app`: with bounds on what comes, and none of its own belief in what proxies say."""
    return uvicorn.Config(
        app,
        http=bounded(),
        lifespan="on",  # a page that can't start is said, not served
        log_level=log_level,
        # A browser tab holds its stream open: without this bound the server would never end.
        timeout_graceful_shutdown=1,
        server_header=False,
        access_log=False,
        proxy_headers=False,
        use_colors=False,  # what is logged is cleaned of all that steers a terminal
    )


@contextmanager
def _own_folder() -> Iterator[None]:
    """Gradio's files in a folder of this process alone, which goes with it: its usual one is everybody's.

    A folder that the operator names (`GRADIO_TEMP_DIR`) is used as it is.
    """
    if os.environ.get(PAGE_FOLDER):
        yield
        return
    with TemporaryDirectory(prefix="lf-page-", ignore_cleanup_errors=True) as folder:
        os.environ[PAGE_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[PAGE_FOLDER]


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
    """Ends on Ctrl-C, SIGTERM and SIGHUP by returning, and takes its time for that, however often they come.

    uvicorn's own handling sends the signal to the process again, which then ends before the runtime is closed, and a
    second Ctrl-C would leave behind what still runs. Ending is bounded without that.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """End."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals in the loop; where it can't (Windows), Ctrl-C cancels the server's task instead."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):
            for number in stopping_signals():
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(configs: Sequence[Path], settings: ServerSettings, sock: socket.socket) -> None:
    async with open_runtime(configs, generations=settings.generations) as runtime, McpEndpoint(runtime) as mcp:
        app = build_app(runtime, settings, mcp)
        runtime.prices.load()
        await zero(runtime)
        server = _Server(http_config(app))
        await asyncio.sleep(0)  # a Ctrl-C from while the page was built ends it here, not within uvicorn's start
        _tell(_address(sock), settings)
        await server.serve(sockets=[sock])
    if runtime.store and runtime.store.trouble:  # now that it is closed, what is lost is known
        print(f"lf: {runtime.store.trouble}", file=sys.stderr)  # noqa: T201 - nobody looks at the page any more


def _tell(address: str, settings: ServerSettings) -> None:
    """Where the page is: on loopback by the operator's link, which is told here and nowhere else."""
    token = settings.operator_token
    told = link(address, token.get_secret_value()) if token else address
    print(f"LlamaFarm Playground: {told}", flush=True)  # noqa: T201 - the person needs the address
    if token:
        print(  # noqa: T201 - the same
            f"The link is yours alone: it lets you trust files and open them by path. All else works at {address} too.",
            flush=True,
        )


def _address(sock: socket.socket) -> str:
    """Where a bound socket is reached; the port is the one that it got, also where 0 was asked for."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"
