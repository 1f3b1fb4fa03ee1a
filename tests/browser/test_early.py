"""A server that answers before the page has learnt that it asked: on a busy machine, or with models that are quick."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import hide, show
from tests.browser.test_page import model_server
from tests.browser.test_votes import numbered, told, zoo
from tests.browser.wire import SCRIPT, cooldowns, forget, hears, held_up

CLOSED, ENDED = '"close_stream"', '"process_completed"'
TRIES = 5


def leave_a_stream_open(page: Page) -> None:
    """An event ends while the page does not know of it yet: then it opens a stream on which nothing will come.

    What the page asks by itself meanwhile closes it again.
    """
    show(page, "share")
    for prompt in map("Which number are you? {}".format, range(TRIES)):
        cooldowns(page)
        forget(page)
        with held_up(page):
            page.locator("#prompt textarea").fill(prompt)
            page.wait_for_function("window.held.length == 1")
            page.evaluate("window.holding = false")
            page.get_by_role("button", name="Table as CSV").click()
            hears(page, CLOSED)
            streams = page.evaluate("window.streams")
        page.wait_for_function("streams => window.streams > streams", arg=streams)
        cooldowns(page)
        if page.evaluate("window.open") == 1:
            return
    raise AssertionError("No stream stays open any more.")


def test_nothing_of_an_early_answer_is_lost(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(numbered) as server, serve([zoo(tmp_path, server.url)]) as url:
        page = open_page(url, script=SCRIPT)
        expect(page.locator("#table tbody tr")).to_have_count(3)
        leave_a_stream_open(page)
        hide(page, "share")
        show(page, "options")
        page.locator("#blind input").check()
        forget(page)
        with held_up(page):
            page.locator("#send").click()
            hears(page, ENDED)
        expect(page.locator("#verdict-choice label")).to_have_count(5)  # three lanes, a tie, all bad
        expect(page.locator("#send")).to_be_enabled()
        expect(page.locator("#cards .lf-lane:visible")).to_have_count(3)
        assert told(page) == []
