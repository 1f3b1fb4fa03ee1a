"""Tools in a real browser: a call that waits for a person's word, Allow, Deny, and a call by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show
from tests.browser.test_page import model_server, send
from tests.faultserver.server import Exchange, Script
from tests.faultserver.speech import answer, chunk, ending, plays

RAW = Path(__file__).parent.parent / "tools" / "raw.py"


async def caller(exchange: Exchange) -> None:
    """A model that calls `echo` once, and then tells what came back."""
    last = exchange.seen.json()["messages"][-1]
    if last["role"] == "tool":
        await plays("openai", answer("openai", "It said: ", last["content"]))(exchange)
        return
    [name] = [t["function"]["name"] for t in exchange.seen.json()["tools"] if t["function"]["name"].endswith("echo")]
    call = {"index": 0, "id": "c1", "function": {"name": name, "arguments": '{"text": "<b>hum</b>"}'}}
    await plays("openai", [chunk({"tool_calls": [call]}), ending("openai", "tool_calls")])(exchange)


def with_tools(folder: Path, url: str) -> Path:
    path = folder / "llamafarm.yaml"
    server = {"name": "farm", "transport": "stdio", "command": sys.executable, "args": [str(RAW)]}
    model = {"name": "m0", "provider": "openai", "model": "x", "base_url": url}
    project = {"version": "v1", "name": "tools", "namespace": "tests", "mcp": {"servers": [server]}}
    path.write_text(json.dumps(project | {"runtime": {"models": [model]}}))
    return path


def ask(page: Page) -> None:
    expect(page.locator("#gate")).to_be_hidden()
    send(page)
    expect(page.locator("#held")).to_contain_text("m0 wants to call farm · echo")
    expect(page.locator("#held pre")).to_contain_text('"text": "<b>hum</b>"')


def test_a_call_waits_for_a_word_and_is_shown_as_it_happens(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, serve: Serve
) -> None:
    with model_server(caller) as server, serve([with_tools(tmp_path, server.url)]) as url:
        page = open_page(url)
        ask(page)
        run = page.locator("#card-0 .lf-tool-runs li")
        expect(run).to_contain_text("held")
        page.screenshot(path=artifacts / "gate.png", full_page=True)
        page.locator("#allow").click()
        expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("It said: <b>hum</b>")
        expect(run).to_contain_text("farm · echo")
        expect(run.locator(".lf-pill")).to_have_text("done")
        expect(page.locator("#gate")).to_be_hidden()
        page.screenshot(path=artifacts / "tools.png", full_page=True)

        ask(page)
        page.locator("#deny").click()
        expect(run.locator(".lf-pill")).to_have_text("denied")
        expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("did not allow this call")

        show(page, "drawer")
        page.get_by_text("Tools (MCP servers)").click()
        page.locator("#ask-before").get_by_label("farm").uncheck()
        send(page)
        expect(run.locator(".lf-pill")).to_have_text("done")

        page.locator("#find-tools").click()
        expect(page.locator("#tool-list")).to_contain_text("farm · add")
        page.locator("#tool input").click()
        page.get_by_role("option", name="farm · add").click()
        page.locator("#arguments textarea, #arguments input").fill('{"a": 2, "b": 3}')
        page.locator("#call-tool").click()
        expect(page.locator("#tool-result")).to_contain_text("5")


def test_stop_ends_a_call_that_waits(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(caller) as server, serve([with_tools(tmp_path, server.url)]) as url:
        page = open_page(url)
        ask(page)
        page.locator("#stop").click()
        expect(page.locator("#card-0 .lf-lane-title .lf-pill")).to_have_text("stopped")
        expect(page.locator("#gate")).to_be_hidden()
        assert len(server.requests) == 1


def calls_with(arguments: str) -> Script:
    """A model that calls `echo` with these arguments, and then tells what came back."""

    async def play(exchange: Exchange) -> None:
        seen = exchange.seen.json()
        last = seen["messages"][-1]
        if last["role"] == "tool":
            await plays("openai", answer("openai", last["content"][:300]))(exchange)
            return
        [name] = [tool["function"]["name"] for tool in seen["tools"] if tool["function"]["name"].endswith("echo")]
        call = {"index": 0, "id": "c1", "function": {"name": name, "arguments": arguments}}
        await plays("openai", [chunk({"tool_calls": [call]}), ending("openai", "tool_calls")])(exchange)

    return play


def test_what_is_allowed_is_seen_whole(tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path) -> None:
    text = "a\u202eb\u200b<img src=x onerror=alert(1)>\U000e0041 " + "word " * 6000 + "; rm -rf ~"
    with (
        model_server(calls_with(json.dumps({"text": text}))) as server,
        serve([with_tools(tmp_path, server.url)]) as url,
    ):
        page = open_page(url)
        send(page)
        shown = page.locator("#held pre")
        expect(shown).to_contain_text("; rm -rf ~")
        told = shown.text_content() or ""
        assert json.loads(told) == {"text": text}
        assert told.isascii()
        assert page.locator("#held img").count() == 0
        assert shown.evaluate("each => each.scrollHeight > each.clientHeight")  # in itself: the buttons stay in view
        assert page.locator("#allow").evaluate("each => each.getBoundingClientRect().bottom < innerHeight + scrollY")
        page.screenshot(path=artifacts / "gate-long.png", full_page=True)
        page.locator("#allow").click()
        expect(page.locator("#card-0 .lf-tool-runs .lf-pill")).to_have_text("done")


def test_what_is_too_long_to_be_seen_is_refused_and_not_asked(
    tmp_path: Path, open_page: OpenPage, serve: Serve
) -> None:
    with (
        model_server(calls_with(json.dumps({"text": "x" * 70_000}))) as server,
        serve([with_tools(tmp_path, server.url)]) as url,
    ):
        page = open_page(
            url,
            script="window.asked = 0; new MutationObserver(() => { window.asked += "
            "document.querySelectorAll('.lf-held[role=alert]').length }).observe(document, {childList: true, subtree: true})",
        )
        send(page)
        expect(page.locator("#card-0 .lf-tool-runs .lf-pill")).to_have_text("denied")
        expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("refused without asking anybody")
        assert page.evaluate("window.asked") == 0
