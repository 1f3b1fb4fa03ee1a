"""The probe on the page: what it takes is told first, then what each model's server does; and it can be stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.shell import hide, show
from tests.browser.test_page import model_server, project, send
from tests.faultserver.probed import Counting
from tests.faultserver.server import Exchange, FaultServer
from tests.serving import serving


def free(folder: Path, server: FaultServer) -> Path:
    """A project of one model, which costs nothing."""
    prices = "pricing: {input: 0, output: 0}, context_window: 100"
    return project(folder, f'provider: openai, model: m, base_url: "{server.url}", {prices}')


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_probe_is_told_run_and_marks_the_figures(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, width: int, dark: bool
) -> None:
    flawed = Counting("openai", frozenset({"lumps", "ignores tools"}))
    with model_server(flawed) as server, serving([free(tmp_path, server)]) as url:
        page = open_page(url, width=width, dark=dark)
        show(page, "drawer")
        page.get_by_text("Probe: what the servers do").click()
        page.locator("#probe-plan").click()
        expect(page.locator("#probe-told")).to_contain_text("at most 600 tokens and 60 s each")
        expect(page.locator("#probe-told")).to_contain_text("Cost: nothing.")
        assert server.requests == []
        page.locator("#probe-start").click()
        expect(page.locator("#probe-told .lf-done")).to_have_count(1)
        found = page.locator("#probe-found")
        expect(found.locator(".lf-probe-no")).to_have_count(2)
        expect(found).to_contain_text("20 tokens in 1 piece")
        expect(found).to_contain_text("Silently ignored")
        expect(page.locator("#probe-stop")).to_be_hidden()
        page.locator("#probe").screenshot(path=artifacts / f"probe-{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        hide(page, "drawer")
        send(page)
        expect(page.locator(".lf-table .lf-warn-text", has_text="✗ in lumps").first).to_be_visible()
        expect(page.locator("#table")).to_contain_text("in lumps (probe of 20")
        page.locator("#table").screenshot(path=artifacts / f"probe-table-{width}.png")


def test_a_probe_is_stopped_and_shows_what_it_found(tmp_path: Path, open_page: OpenPage) -> None:
    counting = Counting("openai")

    async def script(exchange: Exchange) -> None:
        if "response_format" in exchange.seen.json():
            await exchange.hang()
        else:
            await counting(exchange)

    with model_server(script) as server, serving([free(tmp_path, server)]) as url:
        page = open_page(url)
        show(page, "drawer")
        page.get_by_text("Probe: what the servers do").click()
        page.locator("#probe-plan").click()
        page.locator("#probe-start").click()
        expect(page.locator("#probe-told")).to_contain_text("asking for JSON")
        page.locator("#probe-stop").click()
        expect(page.locator("#probe-found")).to_contain_text("not to its end")
        expect(page.locator("#probe-found .lf-probe-yes").first).to_be_visible()
        expect(page.locator("#probe-stop")).to_be_hidden()
