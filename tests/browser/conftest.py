"""A real Chromium in front of a real server, which runs in a thread with its own loop.

The tests are plain functions with Playwright's synchronous interface: it and pytest-asyncio's loop don't
share a thread. Screenshots go to $LF_ARTIFACTS, or to a folder of the run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from llamafarm.runtime import open_runtime
from llamafarm.server import build_app
from llamafarm.settings import ServerSettings

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-extensions"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("LF_REQUIRE_BROWSER"):
            pytest.fail("No Chromium was found, and LF_REQUIRE_BROWSER asks for one.")
        pytest.skip("No Chromium was found (apt install chromium): the page's tests need one.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("LF_ARTIFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address; afterwards the page must have had no error and asked no other host."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def opener(url: str, *, width: int = 1440, height: int = 900, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: trouble.append(f"page error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("request", lambda sent: trouble.append(f"asked {sent.url}") if _is_foreign(sent.url) else None)
        page.goto(url)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert trouble == []


def _is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1"


@contextmanager
def serving(configs: list[Path], settings: ServerSettings | None = None) -> Iterator[str]:
    """The address of a real server with these projects."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        stop, ready = threading.Event(), threading.Event()

        async def run() -> None:
            async with open_runtime(configs) as runtime:
                app = build_app(runtime, settings or ServerSettings(port=sock.getsockname()[1]))
                server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
                task = asyncio.create_task(server.serve(sockets=[sock]))
                while not server.started:
                    await asyncio.sleep(0.01)
                ready.set()
                await asyncio.to_thread(stop.wait)
                server.should_exit = True
                await task

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        assert ready.wait(60)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def sample_server() -> Iterator[str]:
    """A server as it comes: with the embedded sample."""
    from llamafarm.config import sample_path  # noqa: PLC0415 - not before the environment is clean

    with serving([sample_path("embedded")]) as url:
        yield url
