"""What runs on the page is kept; where it can't be, the page says so."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from llamafarm.history.model import Recorded
from llamafarm.runtime import open_history
from tests.browser.conftest import OpenPage, Serve
from tests.browser.test_conversation import follow, parrot
from tests.browser.test_page import model_server, project, send


def kept() -> list[Recorded]:
    """The history, oldest first; read in a thread, because Playwright's loop runs in this one."""

    async def read() -> list[Recorded]:
        async with open_history() as history:
            return [each async for each in history.stream(oldest_first=True)]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, read()).result(30)


def test_a_conversation_with_a_retry_is_kept_turn_by_turn(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(parrot) as server:
        models = [f'provider: openai, model: x{index}, base_url: "{server.url}"' for index in range(2)]
        with serve([project(tmp_path, *models)]) as url:
            page = open_page(url)
            box = page.locator("#card-0 .prose.lf-answer")
            send(page, "one")
            expect(box).to_have_text("1 heard: one")
            expect(page.locator("#send")).to_be_enabled()
            page.locator("#card-0 .lf-retry").click()
            expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(2)
            follow(page, "two")
            expect(box).to_have_text("3 heard: two")
    first, second = kept()
    assert [each.asked.kind for each in (first, second)] == ["compare", "chat"]
    assert [each.asked.prompt for each in (first, second)] == ["one", "two"]
    assert second.asked.parent == first.asked.id
    assert {name: reply.text for name, reply in first.replies.items()} == {"m0": "1 heard: one", "m1": "1 heard: one"}
    assert [lane.spec.id for lane in first.earlier] == ["m0"]
    assert {route.strategy for route in first.asked.routes} == {"complexity", "token_budget", "learned"}
    assert [message.content for message in second.lanes[0].spec.history] == ["one", "1 heard: one"]


def test_the_page_says_that_nothing_is_kept(
    tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("LF_DATA_DIR", str(tmp_path / "blocked"))
    with model_server(parrot) as server:
        path = project(tmp_path, f'provider: openai, model: x, base_url: "{server.url}"')
        with serve([path]) as url:
            page = open_page(url)
            send(page, "one")
            expect(page.locator("#card-0 .prose.lf-answer")).to_have_text("1 heard: one")
            expect(page.locator("#table .lf-note")).to_contain_text("can't be opened")
            (tmp_path / "blocked").unlink()
            expect(page.locator("#send")).to_be_enabled()
            follow(page, "two")
            expect(page.locator("#card-0 .prose.lf-answer")).to_have_text("3 heard: two")
    assert [each.asked.prompt for each in kept()] == ["one", "two"]
