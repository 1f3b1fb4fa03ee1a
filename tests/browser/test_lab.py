"""The temperature lab in a real browser: plan, run, what was found, and the change of the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import go
from tests.browser.test_page import model_server
from tests.faultserver.server import Exchange
from tests.faultserver.speech import ending, plays, said


async def by_temperature(exchange: Exchange) -> None:
    asked = exchange.seen.json()
    text = "Paris." if asked["temperature"] == 0 else f"Town <b>{asked['seed']}</b>"
    await plays("openai", [said("openai", text), ending("openai")])(exchange)


def project(folder: Path, url: str) -> Path:
    path = folder / "llamafarm.yaml"
    model = f"    - name: m0\n      provider: openai\n      model: x\n      base_url: {url}\n"
    path.write_text(f"# ours\nversion: v1\nname: lab\nnamespace: tests\nruntime:\n  models:\n{model}")
    return path


def open_lab(page: Page) -> None:
    go(page, "Lab")
    page.locator("#lab-values input, #lab-values textarea").first.fill("0, 1")
    page.locator("#lab-repeats input").fill("8")
    page.locator("#lab-prompts textarea").fill("Capital of France?")


@pytest.mark.parametrize("dark", [False, True])
def test_a_sweep_is_planned_run_shown_and_applied(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, dark: bool, serve: Serve
) -> None:
    with model_server(by_temperature) as server:
        path = project(tmp_path, f"{server.url}/v1")
        before = path.read_text()
        with serve([path]) as url:
            page = open_page(url, dark=dark)
            expect(page.locator(".lf-table tbody tr")).to_have_count(1)
            open_lab(page)
            page.locator("#lab-plan").click()
            expect(page.locator("#lab-planned")).to_contain_text("16 calls")
            assert server.requests == []
            page.locator("#lab-start").click()
            expect(page.locator("#lab-findings")).to_contain_text("m0: temperature 0, agreement 1.00 [0.68, 1.00]")
            expect(page.locator("#lab-progress")).to_contain_text("16 of 16")
            expect(page.locator("#lab-findings svg polyline")).to_have_count(2)
            page.locator("#lab-findings details summary").click()
            expect(page.locator("#lab-findings")).to_contain_text("8 × Paris.")
            expect(page.locator("#lab-findings")).to_contain_text("1 × Town <b>3</b>")
            expect(page.locator("#lab-patch")).to_contain_text("temperature: 0")
            page.screenshot(path=artifacts / f"lab-{'dark' if dark else 'light'}.png", full_page=True)
            assert path.read_text() == before
            page.locator("#lab-apply").click()
            expect(page.locator("#lab-apply")).to_be_disabled()
            expect(page.get_by_text("was changed")).to_be_visible()
            assert path.read_text().startswith("# ours\n")
            assert "temperature: 0\n" in path.read_text()


def test_a_sweep_is_stopped_and_what_came_is_measured(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    async def hangs_later(exchange: Exchange) -> None:
        if len(server.requests) > 6:
            await exchange.hang()
        else:
            await by_temperature(exchange)

    with model_server(hangs_later) as server, serve([project(tmp_path, f"{server.url}/v1")]) as url:
        page = open_page(url)
        expect(page.locator(".lf-table tbody tr")).to_have_count(1)
        open_lab(page)
        page.locator("#lab-start").click()
        expect(page.locator("#lab-progress")).to_contain_text("6 of 16")
        page.locator("#lab-stop").click()
        expect(page.locator("#lab-findings")).to_contain_text("no recommendation. Too few repeats to tell")
        expect(page.locator("#lab-start")).to_be_enabled()
        expect(page.locator("#lab-apply")).to_be_disabled()


def test_a_stopped_sweep_is_resumed_after_a_reload_without_asking_twice(
    tmp_path: Path, open_page: OpenPage, serve: Serve
) -> None:
    async def hangs_later(exchange: Exchange) -> None:
        if len(server.requests) == 7:
            await exchange.hang()
        else:
            await by_temperature(exchange)

    with model_server(hangs_later) as server:
        path = project(tmp_path, f"{server.url}/v1")
        with serve([path]) as url:
            page = open_page(url)
            expect(page.locator(".lf-table tbody tr")).to_have_count(1)
            open_lab(page)
            page.locator("#lab-at-once input").fill("1")
            page.locator("#lab-start").click()
            expect(page.locator("#lab-progress")).to_contain_text("6 of 16")
            page.locator("#lab-stop").click()
            expect(page.locator("#lab-start")).to_be_enabled()
            again = open_page(url)
            expect(again.locator(".lf-table tbody tr")).to_have_count(1)
            go(again, "Lab")
            choose_earlier(again, "not ended")
            again.locator("#lab-show").click()
            expect(again.locator("#lab-progress")).to_contain_text("7 of 16 calls")  # the stopped one has ended too
            assert len(server.requests) == 7
            again.locator("#lab-resume").click()
            expect(again.locator("#lab-progress")).to_contain_text("16 of 16")
            expect(again.locator("#lab-findings")).to_contain_text("m0: temperature 0, agreement 1.00 [0.68, 1.00]")
            assert len(server.requests) == 17  # the one that was stopped, twice
            found = again.locator("#lab-findings .lf-heat").inner_text()
            expect(again.locator("#lab-resume")).to_be_enabled()
            shown_at_the_end(open_page(url), found)
            assert len(server.requests) == 17


def choose_earlier(page: Page, state: str) -> None:
    """Waits for the list, and takes the sweep in this state."""
    page.locator("#lab-earlier input").click()
    page.get_by_role("option", name=state).click()


def shown_at_the_end(page: Page, found: str) -> None:
    """A sweep that has ended is shown as it was, in a new tab, and can't be resumed."""
    expect(page.locator(".lf-table tbody tr")).to_have_count(1)
    go(page, "Lab")
    choose_earlier(page, "ended")
    page.locator("#lab-show").click()
    expect(page.locator("#lab-findings .lf-heat")).to_have_text(found, use_inner_text=True)
    expect(page.locator("#lab-patch")).to_contain_text("temperature: 0")
    page.locator("#lab-resume").click()
    expect(page.get_by_text("nothing of it is missing")).to_be_visible()
