"""The frame of the page: its pages with their addresses, and where what stands at which size."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import go, show
from tests.browser.test_page import model_server, project, send
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays, said

LINES = [f"Line {number} of a long answer.\n\n" for number in range(60)]
SIZES = [(1280, 720, True), (1440, 900, False), (1920, 1080, True), (768, 1024, False), (390, 844, True)]
WIDE = 901
CONTROLS = "button, input, textarea, select"


def three(folder: Path, url: str, lanes: int = 3) -> Path:
    priced = 'provider: openai, model: x, base_url: "{}", pricing: {{input: 1, output: 2}}'
    return project(folder, *[priced.format(url)] * lanes)


def box(page: Page, place: str) -> dict[str, float]:
    found: Any = page.locator(place).first.bounding_box()
    assert found is not None, place
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def controls(page: Page) -> list[str]:
    """What in the first screen changes something; the rail's links and tabs only lead somewhere."""
    seen: list[str] = page.evaluate(
        """controls => [...document.querySelectorAll(controls)].filter(each => {
             const box = each.getBoundingClientRect();
             return each.checkVisibility({opacityProperty: true, visibilityProperty: true}) && box.width > 1
               && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth
               && each.getAttribute("role") !== "tab" && !each.closest("[aria-hidden=true]");
           }).map(each => each.outerHTML.slice(0, 40))""",
        CONTROLS,
    )
    return seen


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
def test_where_everything_stands(
    tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path, width: int, height: int, dark: bool
) -> None:
    with model_server(plays("openai", answer("openai", *LINES))) as server, serve([three(tmp_path, server.url)]) as url:
        page = open_page(url, width=width, height=height, dark=dark)
        expect(page.locator("#table tbody tr")).to_have_count(3)
        expect(page.locator(".lf-starter")).to_have_count(4)
        assert len(controls(page)) <= 14, " ".join(controls(page))
        send(page)
        expect(page.locator("#table .lf-pill.lf-done")).to_have_count(3)
        expect(page.locator("#verdict-choice label").first).to_be_visible()
        page.screenshot(path=artifacts / f"compare-{width}-{'dark' if dark else 'light'}.png")
        table, routing, answers = (
            box(page, place) for place in ("#table .lf-table-wrap", "#routing", "#card-0 .lf-scrolls")
        )
        assert table["height"] <= 172  # its border included
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert box(page, "#send")["right"] <= width
        assert len(controls(page)) <= 14, " ".join(controls(page))
        if width >= WIDE:
            assert routing["y"] == table["y"]
            assert routing["x"] >= table["right"]
            assert answers["y"] <= 430
            assert height - 90 <= box(page, "#card-0")["bottom"] <= height
            assert box(page, "#card-2")["right"] <= width
            assert box(page, ".lf-rail")["width"] < 100
        else:
            assert routing["y"] >= table["bottom"]
            assert answers["y"] < height - 100
        if width < 768:
            assert box(page, ".lf-rail")["bottom"] == height


def test_each_page_has_the_whole_screen_and_an_address(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator("#table tbody tr")).to_have_count(3)
    for name, place in (("Lab", "#lab-task"), ("Batch", "#batch-pasted"), ("History", "#history-list")):
        go(page, name)
        expect(page.locator(place)).to_be_visible()
        expect(page.locator("#prompt")).to_be_hidden()
        expect(page).to_have_url(f"{sample_server}/{name.lower()}")
        expect(page).to_have_title(f"{name} · LlamaFarm Playground")
        assert box(page, place)["y"] < 300
    page.go_back()
    expect(page.locator("#batch-pasted")).to_be_visible()
    expect(page).to_have_url(f"{sample_server}/batch")
    page.go_forward()
    expect(page.locator("#history-list")).to_be_visible()
    go(page, "Compare")
    expect(page).to_have_url(f"{sample_server}/")
    linked = open_page(f"{sample_server}/lab", stranger=True)
    expect(linked.locator("#lab-task")).to_be_visible()
    expect(linked.locator("#prompt")).to_be_hidden()
    expect(linked.locator(".lf-rail a[aria-current]")).to_have_text("∿Lab")
    expect(linked.locator("#masthead")).to_contain_text("samples/embedded")
    past = open_page(f"{sample_server}/history", stranger=True)
    expect(past.locator("#history-list")).to_contain_text(
        re.compile(r"\w")
    )  # it was asked for once the project was open
    expect(past.locator(".lf-rail a[aria-current]")).to_have_text("↺History")


@pytest.mark.parametrize("width", [390, 460, 620, 900])
def test_send_becomes_stop_and_escape_stops(tmp_path: Path, open_page: OpenPage, serve: Serve, width: int) -> None:
    with (
        model_server(plays("openai", [said("openai", "Half")], then="hang")) as server,
        serve([three(tmp_path, server.url)]) as url,
    ):
        page = open_page(url, width=width)
        expect(page.locator("#stop")).to_be_hidden()
        send(page)
        expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("Half")
        expect(page.locator("#send")).to_be_hidden()
        stop = box(page, "#stop")
        assert stop["x"] >= 0
        assert stop["right"] <= width
        page.keyboard.press("Escape")
        expect(page.locator("#table .lf-pill.lf-stopped")).to_have_count(3)
        expect(page.locator("#send")).to_be_visible()


def test_an_answer_follows_its_stream_unless_its_reader_scrolled_up(
    tmp_path: Path, open_page: OpenPage, serve: Serve
) -> None:
    held: list[Callable[[], object]] = []

    async def talks(exchange: Exchange) -> None:
        import asyncio  # noqa: PLC0415 - the loop is the server's

        more = asyncio.Event()
        held.append(lambda: server._loop.call_soon_threadsafe(more.set))
        await plays("openai", [*(said("openai", line) for line in LINES), more, *answer("openai", *LINES)])(exchange)

    with model_server(talks) as server, serve([three(tmp_path, server.url, 1)]) as url:
        page = open_page(url)
        send(page)
        area, newest = page.locator("#card-0 .lf-scrolls"), page.locator("#card-0 .lf-newest")
        expect(area).to_contain_text("Line 59 of")
        at_end = "area => area.scrollHeight - area.scrollTop - area.clientHeight <= 24 && area.scrollTop > 0"
        page.wait_for_function(f"() => ({at_end})(document.querySelector('#card-0 .lf-scrolls'))")
        expect(newest).to_be_hidden()
        area.evaluate("area => { area.scrollTop = 40 }")
        expect(newest).to_be_visible()
        held[0]()
        expect(page.locator("#table .lf-pill.lf-done")).to_have_count(1)
        assert area.evaluate("area => area.scrollTop") == 40
        newest.click()
        expect(newest).to_be_hidden()
        assert area.evaluate(at_end)
        page.locator("#card-0").hover()
        page.locator("#card-0").get_by_role("button", name="Open").click()
        assert box(page, "#card-0")["width"] > 1300
        page.keyboard.press("Escape")
        assert box(page, "#card-0")["y"] > 300


def test_one_banner_for_what_several_lanes_fail_at(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    gone = 'provider: ollama, model: b, base_url: "http://127.0.0.1:9"'
    unset = "provider: openai, model: c, api_key: '${env:NOT_SET_ANYWHERE}'"
    with serve([project(tmp_path, gone, gone, unset)]) as url:
        page = open_page(url)
        expect(page.locator(".lf-banner")).to_contain_text("m2: ")
        expect(page.locator(".lf-banner")).to_contain_text("NOT_SET_ANYWHERE is not set")
        send(page)
        expect(page.locator("#table .lf-pill.lf-failed")).to_have_count(2)
        banner = page.locator(".lf-banner", has_text="Nothing listens at 127.0.0.1:9.")
        expect(banner).to_contain_text("m0, m1: ")
        expect(banner).to_have_count(1)
        banner.get_by_role("button", name="Ask them again").click()
        expect(page.locator("#send")).to_be_visible()
        page.locator(".lf-banner").get_by_role("button", name="Open the project").click()
        expect(page.locator("#report")).to_be_visible()


def test_starters_keys_and_the_drawer(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator("#table tbody tr")).to_have_count(3)
    page.locator(".lf-starter").nth(1).click()
    expect(page.locator("#prompt textarea")).to_be_focused()
    expect(page.locator("#routing")).to_contain_text("It says “analyze”")
    tabs = page.locator("#lanes [role=tablist] [role=tab]")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tabs.last).to_be_focused()
    expect(page.locator("#drawer")).to_be_hidden()
    show(page, "drawer")
    narrow = box(page, "#drawer")["width"]
    page.get_by_text("The file's text").click()
    expect(page.locator("#editor .cm-content")).to_be_visible()
    assert box(page, "#drawer")["width"] > 2 * narrow
    page.locator("#drawer .lf-close").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator(".lf-picker")).to_be_focused()
