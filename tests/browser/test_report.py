"""A report in a real Chromium: with the network off, at every width, on paper; and the way to it from the lab."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.output.report.page import report
from tests.browser.conftest import OpenPage
from tests.browser.test_batch import ROWS, doubles, open_batch
from tests.browser.test_batch import project as batch_project
from tests.browser.test_lab import by_temperature, open_lab, project
from tests.browser.test_page import model_server
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays
from tests.output.report.made import grid, swept, with_judge
from tests.serving import serving


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it, as a file."""
    folder = tmp_path_factory.mktemp("report")

    async def write() -> str:
        async with open_store(file_place(folder / "h.sqlite3")) as store:
            identity = swept(store, with_judge(grid()), judged=True)
            return await report(History(store), identity)

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
        html = thread.submit(asyncio.run, write()).result(30)
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_it_opens_with_the_network_off(
    browser: Browser, written: Path, artifacts: Path, width: int, dark: bool
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=True
    )
    page, asked, said = context.new_page(), list[str](), list[str]()
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("console", lambda told: said.append(told.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(written.as_uri())
    assert asked == [written.as_uri()]
    assert said == []
    expect(page.get_by_role("heading", level=1)).to_have_text("Which temperature? 2 × 2 settings, 24 calls")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("script").count() == 0
    assert page.locator("polyline").count() == 7  # one word has no pairs: no diversity for one model
    assert page.locator(".bar svg").count() == 6
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(243, 246, 244)") is not dark
    page.screenshot(path=artifacts / f"report-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    context.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints(browser: Browser, written: Path, artifacts: Path, paper: str) -> None:
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(written.as_uri())
    data = page.pdf(path=artifacts / f"report-{paper}.pdf", format=paper, print_background=True)
    assert data.startswith(b"%PDF")
    assert 3 <= data.count(b"/Type /Page\n") <= 12
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    context.close()


def test_the_lab_leads_to_it(tmp_path: Path, open_page: OpenPage) -> None:
    with model_server(by_temperature) as server, serving([project(tmp_path, f"{server.url}/v1")]) as url:
        page = open_page(url)
        expect(page.locator(".lf-table tbody tr")).to_have_count(1)
        open_lab(page)
        page.locator("#lab-fair input").check()
        page.locator("#lab-start").click()
        expect(page.locator("#lab-progress")).to_contain_text("16 of 16")
        expect(page.locator("#lab-start")).to_be_enabled()
        link = page.locator("#lab-report a")
        expect(link).to_have_text("Report")
        with page.expect_popup() as opened:
            link.click()
        report_page = opened.value
        expect(report_page.get_by_role("heading", level=1)).to_have_text("Which temperature? 1 × 2 settings, 16 calls")
        expect(report_page.locator("body")).to_contain_text("16 had it alone")
        assert len(server.requests) == 17
        report_page.close()


def test_the_batch_tab_leads_to_it_and_takes_turns(tmp_path: Path, open_page: OpenPage) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)

    async def greets(exchange: Exchange) -> None:
        warming = exchange.seen.json()["messages"][-1]["content"] == "Hello."
        await (plays("openai", answer("openai", "Hi.")) if warming else doubles)(exchange)

    with model_server(greets) as server, serving([batch_project(tmp_path, f"{server.url}/v1")]) as url:
        page = open_page(url)
        open_batch(page, tmp_path / "rows.csv")
        page.locator("#batch-fair input").check()
        page.locator("#batch-start").click()
        expect(page.locator("#batch-progress")).to_contain_text("12 of 12")
        expect(page.locator("#batch-start")).to_be_enabled()
        expect(page.locator("#batch-results")).not_to_contain_text("shared a server")
        assert len(server.requests) == 12 + 2
        with page.expect_popup() as opened:
            page.locator("#batch-results a.lf-button").click()
        report_page = opened.value
        expect(report_page.locator("body")).to_contain_text("rows.csv: 6 rows")
        expect(report_page.locator("body")).to_contain_text("6 had it alone")
        report_page.close()
