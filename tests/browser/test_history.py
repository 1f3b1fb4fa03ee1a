"""The History tab in a real browser: found, opened as it was, compared, asked again, downloaded, deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import go, within
from tests.browser.test_conversation import follow, parrot
from tests.browser.test_page import model_server, project, send
from tests.browser.test_recording import kept


def ask(page: Page, prompt: str, lanes: int = 2) -> None:
    send(page, prompt)
    expect(page.locator("#table .lf-pill.lf-done")).to_have_count(lanes)
    expect(page.locator("#send")).to_be_enabled()


def show_history(page: Page, rows: int) -> None:
    go(page, "History")
    expect(page.locator("#history-list tbody tr")).to_have_count(rows)


def figures(page: Page, table: str) -> list[str]:
    return page.locator(f"{table} .lf-table tbody td").all_inner_texts()


def asked_without_m0(page: Page, path: Path) -> None:
    """The opened comparison is asked again, when one of its models has gone."""
    path.write_text(path.read_text().replace("name: m0", "name: fresh"))
    with within(page, "drawer"):
        page.locator("#path input, #path textarea").fill(str(path))
        page.locator("#open-path").click()
    expect(page.locator("#models")).to_contain_text("fresh")
    page.locator("#history-rerun").click()
    expect(page.locator("#notice")).to_contain_text("m0 is no longer in the project")
    expect(page.locator("#notice")).to_contain_text("The project file has changed since")
    expect(page.locator("#prompt textarea")).to_have_value("What do llamas **eat**?")
    page.locator("#send").click()
    expect(page.locator("#card-1 .prose.lf-answer")).to_have_text("1 heard: What do llamas eat?")
    expect(page.locator("#send")).to_be_enabled()


def compared_and_deleted(page: Page) -> None:
    """The first and the second time side by side; then the second is deleted."""
    show_history(page, 2)  # the filter still stands
    for box in page.locator("#history-list .lf-tick").all():
        box.check()
    page.locator("#history-diff").click()
    expect(page.locator("#history-opened")).to_contain_text("only in the first")
    expect(page.locator("#history-opened")).to_contain_text("project file")
    page.locator("#history-delete").click()
    expect(page.locator("#history-asked")).to_contain_text("Delete these 2 comparisons for good?")
    page.locator("#history-no").click()
    expect(page.locator("#history-asked")).to_be_hidden()
    page.locator("#history-list .lf-tick").first.uncheck()
    page.locator("#history-delete").click()
    page.locator("#history-yes").click()
    expect(page.locator("#history-list tbody tr")).to_have_count(1)


def test_a_past_comparison_is_found_opened_asked_again_and_deleted(
    tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path
) -> None:
    with model_server(parrot) as server:
        models = [f'provider: openai, model: x{index}, base_url: "{server.url}"' for index in range(2)]
        path = project(tmp_path, *models)
        with serve([path]) as url:
            page = open_page(url)
            expect(page.locator("#table tbody tr")).to_have_count(2)
            page.get_by_role("tab", name="m1").click()
            page.get_by_label("send temperature").check()
            page.get_by_label("Max tokens").locator("visible=true").fill("33")
            ask(page, "What do llamas **eat**?")
            shown = figures(page, "#table")
            ask(page, "Why is the sky blue?")
            follow(page, "And at night?")
            show_history(page, 3)
            page.screenshot(path=artifacts / "history.png", full_page=True)
            page.locator("#history-text input, #history-text textarea").first.fill("llam")
            page.locator("#history-search").click()
            expect(page.locator("#history-list tbody tr")).to_have_count(1)
            with page.expect_download() as download:
                page.locator("#history-list").get_by_role("link", name="JSON Lines").click()
            assert json.loads(Path(download.value.path()).read_text())["messages"][0]["content"].endswith("**eat**?")
            page.locator("#history-list a[data-comparison]").click()
            expect(page.locator("#kept-1 .prose.lf-answer")).to_have_text("1 heard: What do llamas eat?")
            assert figures(page, "#history-opened") == shown
            expect(page.locator("#kept-1")).to_contain_text('"max_tokens": 33')
            expect(page.locator("#kept-0")).not_to_contain_text("max_tokens")
            page.screenshot(path=artifacts / "history-opened.png", full_page=True)
            asked_without_m0(page, path)
            sent = server.requests[-1].json()
            assert (sent["max_tokens"], sent["temperature"]) == (33, 0.7)
            compared_and_deleted(page)
    asked = [(each.asked.prompt, each.asked.parent is not None) for each in kept()]
    assert asked == [("Why is the sky blue?", False), ("And at night?", True), ("What do llamas **eat**?", True)]


def test_a_conversation_is_taken_up_again_where_it_was(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(parrot) as server:
        path = project(tmp_path, f'provider: openai, model: x, base_url: "{server.url}"')
        with serve([path]) as url:
            page = open_page(url)
            expect(page.locator("#table tbody tr")).to_have_count(1)
            ask(page, "one", 1)
            follow(page, "two")
            page = open_page(url)
            expect(page.locator("#table tbody tr")).to_have_count(1)
            show_history(page, 2)
            page.locator("#history-list a[data-comparison]", has_text="two").click()
            expect(page.locator("#kept-0")).to_contain_text("Earlier in its conversation (2 messages)")
            page.locator("#history-rerun").click()
            expect(page.locator("#notice")).to_contain_text("Follow up asks it, after the conversation before it.")
            expect(page.locator("#talk")).to_contain_text("Conversation (1)")
            page.locator("#follow").click()
            expect(page.locator("#card-0 .prose.lf-answer")).to_have_text("3 heard: two")
            expect(page.locator("#send")).to_be_enabled()
            show_history(page, 3)
            expect(page.locator("#history-list tbody tr").first).to_contain_text(re.compile(r"two.*chat"))
