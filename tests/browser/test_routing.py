"""The learnt suggestion and the Routing page in a real browser: thirty votes change it, it explains itself, the dial moves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import go
from tests.experiments.learnt.made import comparison, project, vote_of
from tests.history.database.made import keep
from tests.learning.worlds import planted

WORLD = planted(400, 1)


def judged(place: Path, rows: Sequence[int]) -> None:
    """Keep these rows of the planted world, with votes."""

    async def fill() -> None:
        async with open_store(file_place(place)) as store:
            for row in rows:
                made, lanes = comparison(WORLD, row)
                keep(store, made, *lanes)
                await History(store).vote(made.id, vote_of(WORLD, row))

    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop in this one
        thread.submit(asyncio.run, fill()).result()


def typed(page: Page, text: str) -> None:
    page.locator("#prompt textarea").fill(text)


def slid(page: Page, place: int) -> None:
    number = page.locator("#routing-dial input[type=number]")
    number.fill(str(place))
    number.press("Enter")


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_votes_change_the_suggestion_and_the_dial_moves_cost_and_wins(
    tmp_path: Path,
    open_page: OpenPage,
    serve: Serve,
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    dark: bool,
) -> None:
    place, config = tmp_path / "history.sqlite3", tmp_path / "llamafarm.yaml"
    monkeypatch.setenv("LF_DATABASE_URL", f"sqlite:///{place}")
    config.write_text(project().text, encoding="utf-8")
    judged(place, range(29))
    with serve([config]) as url:
        page = open_page(url, width=width, dark=dark)
        typed(page, WORLD.prompts[200])
        expect(page.locator("#routing")).to_contain_text("No evidence yet: 29 of 30 comparisons")
        judged(place, range(29, 100))
        best = ("coder", "writer", "cheap")[int(WORLD.truth[201].argmax())]
        typed(page, WORLD.prompts[201])
        expect(page.locator("#routing")).to_contain_text("from 100 comparisons; nearest: “")
        expect(page.locator("#routing .lf-route-row").last.locator("strong")).to_have_text(best)
        go(page, "Routing")
        expect(page.locator("#routing-state")).to_contain_text("100 comparisons teach")
        expect(page.locator("#routing-state")).to_contain_text("The gate is open")
        dialled = page.locator("#routing-dialled .lf-dialled")
        before = dialled.inner_text()
        slid(page, 100)
        expect(dialled).to_contain_text("$5.00")  # the cheapest alone
        assert dialled.inner_text() != before
        page.locator("#routing-show").click()
        expect(page.locator("#routing-patch")).to_contain_text("strategy: learned")
        page.screenshot(path=artifacts / f"routing-{width}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
