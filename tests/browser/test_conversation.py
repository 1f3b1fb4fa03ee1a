"""Conversations in a real browser: three lanes, two turns, each with its own history."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show
from tests.browser.test_page import model_server, project, send
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays, thought

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def parrot(exchange: Exchange) -> None:
    """Says how many messages it heard, and the last of them."""
    messages = exchange.seen.json()["messages"]
    last = messages[-1]["content"]
    words = last if isinstance(last, str) else f"{len(last) - 1} picture"
    await plays("openai", answer("openai", f"{len(messages)} heard: ", words))(exchange)


def follow(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#follow").click()
    expect(page.locator("#send")).to_be_enabled()


def test_two_turns_over_three_lanes_of_the_real_model(sample_server: str, open_page: OpenPage, artifacts: Path) -> None:
    page = open_page(sample_server)
    expect(page.locator("#follow")).to_be_disabled()
    page.locator("#prompt textarea").fill("Name one animal that gives wool.")
    expect(page.locator("#outlook")).to_contain_text("fits the context of 4,096")
    page.locator("#send").click()
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)
    follow(page, "What does it eat?")
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)
    expect(page.locator(".prose.lf-past:visible")).to_have_count(3)
    expect(page.locator("#card-0 .lf-past").first).to_contain_text("1. Name one animal that gives wool.")
    page.locator("#talk").get_by_text("Conversation (2)").click()
    expect(page.locator(".lf-ledger tbody tr")).to_have_count(3)
    expect(page.locator(".lf-ledger .lf-total")).to_contain_text("tokens")
    page.screenshot(path=artifacts / "conversation.png", full_page=True)


def test_edit_remove_alone_and_clear(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(parrot) as server:
        models = [f'provider: openai, model: x{index}, base_url: "{server.url}"' for index in range(2)]
        with serve([project(tmp_path, *models)]) as url:
            page = open_page(url)
            box = page.locator("#card-0 .prose.lf-answer")
            send(page, "one")
            expect(box).to_have_text("1 heard: one")
            follow(page, "two")
            expect(box).to_have_text("3 heard: two")
            follow(page, "three")
            expect(box).to_have_text("5 heard: three")
            heard = server.requests[-1].json()["messages"]
            assert [m["content"] for m in heard] == ["one", "1 heard: one", "two", "3 heard: two", "three"]

            page.locator("#talk").get_by_text("Conversation (3)").click()
            page.locator("#turn input").click()
            page.get_by_role("option", name="2. two").click()
            page.locator("#edit-turn").click()
            expect(page.locator("#prompt textarea")).to_have_value("two")
            expect(page.locator("#editing")).to_contain_text("Turn 2 is being edited")
            follow(page, "zwei")
            expect(box).to_have_text("3 heard: zwei")
            expect(page.locator("#talk")).to_contain_text("Conversation (2)")

            page.locator("#turn input").click()
            page.get_by_role("option", name="1. one").click()
            page.locator("#remove-turn").click()
            expect(page.locator("#talk")).to_contain_text("Conversation (1)")
            page.locator("#card-0").get_by_role("button", name="Only this").click()
            expect(page.locator(".lf-table tbody tr").filter(has_text="m1")).to_have_count(0)
            before = len(server.requests)
            follow(page, "alone")
            expect(box).to_have_text("3 heard: alone")
            assert len(server.requests) == before + 1

            page.locator("#clear-turns").click()
            expect(page.locator("#talk")).not_to_contain_text("Conversation (")
            expect(page.locator("#follow")).to_be_disabled()


def test_pictures_go_with_the_prompt(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(parrot) as server:
        models = (
            f'provider: openai, model: x, base_url: "{server.url}"',
            "provider: embedded, model: smollm2-135m-instruct",
        )
        with serve([project(tmp_path, *models)]) as url:
            page = open_page(url)
            expect(page.locator(".lf-table tbody tr")).to_have_count(2)
            show(page, "options")
            picture, no_picture = tmp_path / "pixel.png", tmp_path / "words.png"
            picture.write_bytes(PIXEL)
            no_picture.write_text("words")
            for path in (no_picture, picture):
                with page.expect_file_chooser() as chooser:
                    page.locator("#attach").click()
                chooser.value.set_files(path)
                if path is no_picture:
                    expect(page.get_by_text("words.png is no picture.")).to_be_visible()
            expect(page.locator("#attached")).to_contain_text("pixel.png · 1 kB")
            send(page, "What is it?")
            expect(page.locator("#card-0 .prose.lf-answer")).to_have_text("1 heard: 1 picture")
            expect(page.locator("#card-1 .lf-alert")).to_contain_text("can't see pictures")
            expect(page.locator("#outlook")).to_contain_text("pictures: tokens not known")
            page.locator("#detach").click()
            expect(page.locator("#attached .lf-chip")).to_have_count(0)


def test_reasoning_is_folded_with_its_tokens_and_time(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    pieces: list[bytes | float | asyncio.Event] = [thought("openai", "Hay or grass? "), 0.05, *answer("openai", "Hay.")]
    with (
        model_server(plays("openai", pieces)) as server,
        serve([project(tmp_path, f'provider: openai, model: x, base_url: "{server.url}"')]) as url,
    ):
        page = open_page(url)
        send(page)
        fold = page.locator("#card-0 .lf-thoughts")
        expect(fold).to_contain_text(re.compile(r"Reasoning · ~\d+ tokens · \d+ ms"))
        expect(page.locator("#card-0").get_by_text("Hay or grass?")).to_be_hidden()
        fold.get_by_text("Reasoning").click()
        expect(page.locator("#card-0 .lf-reasoning").last).to_contain_text("Hay or grass?")
