"""Votes in a real browser: with names, without them, by a link, and what nobody may see before the vote."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show, within
from tests.browser.test_conversation import follow
from tests.browser.test_page import model_server, project, send
from tests.browser.test_recording import kept
from tests.browser.wire import SCRIPT, asked, forget, heard
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays

SECRETS = ("zebra", "xylophone")  # in the names of models, and in the ids that their servers know


async def numbered(exchange: Exchange) -> None:
    """Says which of the models is asked, without its name."""
    number = exchange.seen.json()["model"][-1]
    await plays("openai", answer("openai", f"The answer of number {number}."))(exchange)


def zoo(folder: Path, url: str, lanes: int = 3) -> Path:
    path = project(folder, *(f'provider: openai, model: xylophone{at}, base_url: "{url}"' for at in range(lanes)))
    path.write_text(path.read_text().replace("name: m", "name: zebra"))
    return path


def told(page: Page) -> list[str]:
    """What the page's document says of the models."""
    content = page.content()
    return [secret for secret in SECRETS if secret in content]


def settled(page: Page) -> None:
    """Wait until what was asked of the server has come; its stream may stay open, with nothing to tell."""
    with suppress(Error):
        page.wait_for_load_state("networkidle", timeout=5_000)


def choose(page: Page, row: str, choice: str) -> None:
    page.locator(f"#{row}-choice").get_by_text(choice, exact=True).click()


def blind_answer(page: Page, number: int) -> str:
    """The letter under which model `number` answered."""
    card = page.locator("#cards .lf-lane:visible", has_text=f"The answer of number {number}.")
    return card.locator("h3").inner_text()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_blind_vote_hides_everything_until_it_is_given(
    tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path, width: int, dark: bool
) -> None:
    with model_server(numbered) as server, serve([zoo(tmp_path, server.url)]) as url:
        page = open_page(url, width=width, dark=dark, script=SCRIPT)
        expect(page.locator("#table tbody tr")).to_have_count(3)
        if width > 768:  # where all that names a model is in sight before
            with within(page, "drawer"):
                page.get_by_text("The file's text").click()
                page.get_by_text("Fault injection").click()
            page.get_by_role("tab", name="zebra1").click()
            page.locator("#talk").get_by_text("Conversation").click()
            assert told(page) == list(SECRETS)
        with asked(page):
            page.locator("#prompt textarea").fill("Which number are you?")
        expect(page.locator("#outlook")).to_contain_text("zebra2")
        forget(page)
        show(page, "options")
        page.locator("#blind input").check()
        page.locator("#send").click()
        expect(page.locator("#verdict-choice label")).to_have_count(5)
        expect(page.locator("#send")).to_be_enabled()
        expect(page.locator("#cards .lf-lane:visible")).to_have_count(3)
        expect(page.locator("#verdict-said a")).to_have_count(0)  # its link waits too
        with asked(page):
            page.locator("#prompt textarea").fill("Which number are you? Say it.")  # routes what is typed
        assert told(page) == []
        said = heard(page)
        assert "The answer of number 2." in said
        assert [secret for secret in SECRETS if secret in said] == []
        page.screenshot(path=artifacts / f"blind-{width}-{'dark' if dark else 'light'}.png", full_page=True)
        best = blind_answer(page, 1)
        choose(page, "verdict", best)
        expect(page.locator("#verdict-said")).to_contain_text(f"{best} was zebra1 (openai xylophone1).")
        expect(page.locator("#table tbody tr")).to_have_count(3)
        expect(page.locator("#card-1")).to_contain_text("zebra1")
        expect(page.locator("#card-1 .prose.lf-answer")).to_have_text("The answer of number 1.")
        expect(page.locator("#routing")).to_contain_text("zebra0")
        expect(page.locator("#models")).to_contain_text("zebra2")
        expect(page.locator("#verdict-choice input:checked")).to_have_count(1)
        page.screenshot(path=artifacts / f"voted-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    (recorded,) = kept()
    assert recorded.vote is not None
    assert (recorded.vote.lane, recorded.vote.blind) == ("zebra1", True)


def test_neither_a_reload_nor_a_new_prompt_nor_the_history_tells_the_names(
    tmp_path: Path, open_page: OpenPage, serve: Serve
) -> None:
    with model_server(numbered) as server, serve([zoo(tmp_path, server.url, 2)]) as url:
        page = open_page(url)
        expect(page.locator("#table tbody tr")).to_have_count(2)
        show(page, "options")
        page.locator("#blind input").check()
        send(page, "one")
        expect(page.locator("#verdict-choice label")).to_have_count(4)
        expect(page.locator("#send")).to_be_enabled()
        follow(page, "two")
        expect(page.locator("#verdict-choice label")).to_have_count(4)
        assert told(page) == []
        # Another tab, which is not blind itself: the names are the server's secret.
        other = open_page(f"{url}/?comparison={kept()[0].asked.id}")
        expect(other.locator("#history-opened")).to_contain_text("hidden until the vote")
        expect(other.locator("#kept-0")).to_contain_text("Answer A")
        assert told_in(other, "#history") == []
        expect(other.locator("#history-list tbody tr")).to_have_count(2)
        expect(other.locator("#history-list")).to_contain_text("hidden until the vote")
        assert told_in(other, "#history") == []
        choose(other, "history-verdict", "all bad")
        expect(other.locator("#history-verdict-said")).to_contain_text("was zebra")
        expect(other.locator("#history-list")).to_contain_text("all bad (blind)")
        expect(other.locator("#kept-0")).to_contain_text("openai · xylophone0")
        # In the first tab the names are told without a vote.
        page.locator("#verdict-show").click()
        expect(page.locator("#card-0")).to_contain_text("zebra0")
        expect(page.locator("#ledger")).to_have_count(0)
        follow(page, "three")  # whose names are known can't become blind
        expect(page.locator("#talk")).to_contain_text("Conversation (3)")
        expect(page.locator("#card-0 .prose.lf-answer")).to_have_text("The answer of number 0.")
        expect(page.locator("#table tbody tr")).to_have_count(2)
    assert [each.vote.choice if each.vote else None for each in kept()] == ["bad", None, None]


def told_in(page: Page, place: str) -> list[str]:
    content = page.locator(place).inner_html()
    return [secret for secret in SECRETS if secret in content]


def test_a_vote_is_changed_taken_back_and_counted_and_a_link_opens_it(
    tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path
) -> None:
    with model_server(numbered) as server, serve([zoo(tmp_path, server.url, 2)]) as url:
        page = open_page(url)
        expect(page.locator("#table tbody tr")).to_have_count(2)
        expect(page.locator("#verdict")).to_be_hidden()
        send(page, "Which is best?")
        expect(page.locator("#verdict-choice label")).to_have_count(4)
        choose(page, "verdict", "a tie")
        expect(page.locator("#verdict-clear")).to_be_visible()
        choose(page, "verdict", "zebra1")
        expect(page.locator("#verdict-choice input").nth(1)).to_be_checked()
        link = page.locator("#verdict-said a[data-comparison]").get_attribute("href") or ""
        page.locator("#verdict-said a[data-comparison]").click()
        expect(page.locator("#kept-1 .prose.lf-answer")).to_have_text("The answer of number 1.")
        expect(page.locator("#history-opened")).to_contain_text("zebra1 is best")
        expect(page.locator("#history-list tbody")).to_contain_text("zebra1 is best")
        page.locator("#history-rates summary").click()
        expect(page.locator("#history-rates tbody tr").first).to_contain_text("zebra1")
        expect(page.locator("#history-rates")).to_contain_text("100%")
        expect(page.locator("#history-rates")).not_to_contain_text("Blind votes")
        page.screenshot(path=artifacts / "rates.png", full_page=True)
        page.locator("#history-verdict-clear").click()
        expect(page.locator("#history-rates")).to_be_empty()
        opened = open_page(f"{url}/{link}")
        expect(opened.locator("#kept-0 .prose.lf-answer")).to_have_text("The answer of number 0.")
        expect(opened.locator("#history-opened")).to_be_in_viewport()
        lost = open_page(f"{url}/?comparison=0nothing")
        expect(lost.locator("#history-opened .lf-alert")).to_contain_text("it was deleted, or the link is not whole")
        for each in (page, opened, lost):
            settled(each)
        assert urlsplit(link).query == f"comparison={kept()[0].asked.id}"
    assert kept()[0].vote is None
