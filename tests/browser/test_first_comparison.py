"""The first comparison of a new server's first page: nothing is imported, opened or compiled while its lanes are timed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.cli.test_zeroed import WATCHED, environment, paced, project
from tests.faultserver.server import FaultServer


@contextmanager
def model_server() -> Iterator[str]:
    """A model's server in a thread of its own; Playwright has this one."""
    ready, ended, found = threading.Event(), asyncio.Event(), list[tuple[str, asyncio.AbstractEventLoop]]()

    async def serve() -> None:
        async with FaultServer(paced("openai")) as server:
            found.append((server.url, asyncio.get_running_loop()))
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0][0]
    finally:
        found[0][1].call_soon_threadsafe(ended.set)
        thread.join(20)


def test_nothing_happens_for_the_first_time_while_its_lanes_run(open_page: OpenPage, tmp_path: Path) -> None:
    command = [sys.executable, *WATCHED, "report.json", "serve", "--config", "llamafarm.yaml", "--port", "0"]
    with model_server() as url:
        project(tmp_path, url, "openai")
        with subprocess.Popen(
            command, cwd=tmp_path, env=os.environ | environment(tmp_path), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                address = re.search(r"http://\S+", process.stdout.readline())
                assert address is not None
                page = open_page(address[0], stranger=True, server_ends=True)
                page.locator("#prompt textarea").fill("hi")
                page.locator("#send").click()
                expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
    assert json.loads((tmp_path / "report.json").read_text()) == {"lanes": 3, "late": []}
