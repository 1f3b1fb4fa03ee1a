"""Tabs that are left alone, closed, and come back, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from llamafarm.config import sample_path
from llamafarm.ui.tabs import SPEAK_EVERY_S, Tabs
from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import within

HASTE = f"""
const real = window.setInterval;
window.setInterval = (work, pause, ...rest) => real(work, pause === {1000 * SPEAK_EVERY_S:.0f} ? 300 : pause, ...rest);
"""
MANY = 20  # requests of other listeners that may come meanwhile
OTHER = """\
version: v1
name: other
namespace: x
runtime:
  models:
    - {name: only-here, provider: ollama, model: m, base_url: "http://127.0.0.1:9"}
    - {name: here-too, provider: ollama, model: m, base_url: "http://127.0.0.1:9"}
"""


@pytest.fixture
def tabs(monkeypatch: pytest.MonkeyPatch) -> Tabs:
    """Those of the page that is served next; they end when a test says so."""
    made = Tabs()
    monkeypatch.setattr("llamafarm.ui.app.Tabs", lambda: made)
    return made


def test_a_tab_that_comes_back_after_its_session_has_ended_is_told_so(
    tabs: Tabs, open_page: OpenPage, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    with serve([sample_path("embedded"), tmp_path / "other.yaml"]) as url:
        page = open_page(url)
        with within(page, "drawer"):
            page.locator("#source input").click()
            page.get_by_role("option", name="other.yaml").click()
        expect(page.get_by_role("checkbox", name="only-here")).to_be_checked()
        page.locator("#prompt textarea").fill("Hello")
        tabs.now = lambda: 1e12
        tabs.end_quiet()
        # The choice is one that the page did not begin with: Gradio alone would call it wrong.
        page.get_by_role("checkbox", name="here-too").uncheck()
        expect(page.get_by_text("no longer knows this tab").first).to_be_visible()
        expect(page.locator("#prompt textarea")).to_have_value("Hello")
        page.close()
        page = open_page(url)  # what a reload does, without the errors that the page logs of what it breaks off
        expect(page.get_by_role("button", name="Send")).to_be_enabled()


def _newest(tabs: Tabs) -> float:
    return max(tab.spoke_at for tab in tabs._tabs.values())


def test_a_tab_says_that_it_is_there_while_its_person_reads(tabs: Tabs, open_page: OpenPage, serve: Serve) -> None:
    with serve([sample_path("embedded")]) as url:
        page = open_page(url, script=HASTE)
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        spoke, times = _newest(tabs), 0
        while _newest(tabs) == spoke:
            with page.expect_response(lambda response: "/gradio_api/run/" in response.url):
                times += 1
            assert times < MANY


def test_pages_of_a_real_browser_that_were_closed_end(tabs: Tabs, open_page: OpenPage, serve: Serve) -> None:
    with serve([sample_path("embedded")]) as url:
        for _ in range(3):
            page = open_page(url)
            expect(page.get_by_role("button", name="Send")).to_be_enabled()
            page.close()
        tabs.now = lambda: 1e12
        tabs.end_quiet()
        assert not tabs._tabs
