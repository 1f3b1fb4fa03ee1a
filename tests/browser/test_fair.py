"""Lanes that share a server on the page, and the switch that lets them take turns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.shell import show
from tests.browser.test_page import model_server, project, send
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays
from tests.serving import serving


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_lanes_that_shared_are_marked_and_may_take_turns(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, width: int, dark: bool
) -> None:
    together, gate = asyncio.Event(), asyncio.Event()

    async def holds(exchange: Exchange) -> None:
        if len(server.requests) == 3:
            together.set()
        await together.wait()
        if len(server.requests) == 5:  # the first lane's question, after three at once and its warming
            await gate.wait()
        await plays("openai", answer("openai", "Fine."))(exchange)

    with model_server(holds) as server:
        models = [f'provider: openai, model: x{index}, base_url: "{server.url}"' for index in range(3)]
        with serving([project(tmp_path, *models)]) as url:
            page = open_page(url, width=width, dark=dark)
            table, lanes = page.locator(".lf-table"), page.locator(".lf-table tbody tr")
            expect(lanes).to_have_count(3)
            send(page)
            expect(table.locator(".lf-chip.lf-warn", has_text="shared")).to_have_count(3)
            expect(page.locator("#send")).to_be_enabled()
            show(page, "options")
            page.locator("#fair input").check()
            send(page)
            expect(lanes.nth(2)).to_contain_text("its turn: one model is asked at a time")
            expect(page.locator("#table")).to_contain_text("m0 was warmed before: ")
            page.screenshot(path=artifacts / f"fair-{width}.png")
            server._loop.call_soon_threadsafe(gate.set)
            expect(table.locator(".lf-pill.lf-done")).to_have_count(3)
            expect(table.locator(".lf-chip", has_text="shared")).to_have_count(0)
            expect(page.locator("#table")).to_contain_text("m2 was warmed before: ")
            expect(page.locator("#send")).to_be_enabled()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert len(server.requests) == 9
