"""A real Chromium in front of a real server, which runs in a thread with its own loop.

The tests are plain functions with Playwright's synchronous interface. While it is open a loop runs in the main
thread, where no other can run then, so it is closed after the last test of this folder: the asynchronous tests
of other folders come next. Screenshots go to $LF_ARTIFACTS, or to a folder of the run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from llamafarm.access.settings import ServerSettings
from llamafarm.config import sample_path
from tests.serving import link_to, serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-extensions",
]
PATIENCE_MS = 60_000  # a real model on a busy machine takes its time
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With LF_REQUIRE_BROWSER a page's test that is skipped, for whatever reason, is a failure."""
    report = yield
    if report.skipped and os.environ.get("LF_REQUIRE_BROWSER"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and LF_REQUIRE_BROWSER is set: {report.longreprtext}"
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("No Chromium was found (apt install chromium): the page's tests need one.")
    expect.set_options(timeout=PATIENCE_MS)
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
    """Opens an address as the server's operator does; afterwards the page must have had no error and asked no other host.

    `stranger`: without the operator's link.
    `server_ends`: the test ends the server, and what the browser logs of that is no error. `script` runs before the
    page's own scripts.
    """
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def opener(
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        server_ends: bool = False,
        script: str = "",
        stranger: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(script)
        page.on("pageerror", lambda error: trouble.append(f"page error: {error}"))
        if not server_ends:
            page.on("console", lambda said: trouble.append(f"console: {said.text}") if _is_error(said) else None)
        page.on("request", lambda sent: trouble.append(f"asked {sent.url}") if _is_foreign(sent.url) else None)
        is_page = urlsplit(url).path in ("", "/")
        page.goto(link_to(url) if is_page and not stranger else url)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert trouble == []


def _is_error(said: ConsoleMessage) -> bool:
    """Whether the page tells of an error; that a stream ends with its page, which Gradio logs, is none."""
    return said.type == "error" and not said.text.startswith("AbortError: signal is aborted")


Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def serve(browser: Browser) -> Serve:
    """As `serving`, and the server's pages are closed before it ends: what it tells them in ending is no error."""

    @contextmanager
    def serve_pages(configs: list[Path], settings: ServerSettings | None = None) -> Iterator[str]:
        with serving(configs, settings) as url:
            yield url
            for page in [page for context in browser.contexts for page in context.pages if page.url.startswith(url)]:
                page.close()

    return serve_pages


def _is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1"


@pytest.fixture(scope="session")
def sample_server() -> Iterator[str]:
    """A server as it comes: with the embedded sample."""
    with serving([sample_path("embedded")]) as url:
        yield url
