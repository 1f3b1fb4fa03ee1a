"""No answer is lost to a stream that the server closes at the moment in which a listener starts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from llamafarm.ui.theme import script

# A server that closes each stream after what it has to tell; joins are answered when the test lets them.
SERVER = """
(streams) => {
  window.asked = [];
  const join = new Promise((answer) => { window.answerJoin = answer; });
  window.fetch = async (asked) => {
    const path = new URL(asked.url ?? asked, document.baseURI).pathname;
    window.asked.push(path);
    if (path.endsWith("/join")) return new Response(JSON.stringify({ event_id: await join }));
    if (path.endsWith("/data")) return new Response(streams.shift().map((told) => `data: ${told}\\n\\n`).join(""));
    return new Response("plain");
  };
}
"""
READ = "async () => (await fetch(new Request('http://localhost/queue/data?session_hash=x'))).text()"
CLOSE = {"msg": "close_stream", "event_id": None}


def message(msg: str, event_id: str, **more: Any) -> dict[str, Any]:
    return {"msg": msg, "event_id": event_id, **more}


def told(text: str) -> list[dict[str, Any]]:
    return [json.loads(block.removeprefix("data: ")) for block in text.split("\n\n") if block]


def served(browser: Browser, *streams: list[dict[str, Any]]) -> Page:
    """A page with the script, at a server that has these streams to give, one after the other."""
    page = browser.new_page()
    page.route("http://localhost/", lambda route: route.fulfill(body="<p>page</p>", content_type="text/html"))
    page.goto("http://localhost/")
    page.evaluate(
        SERVER, [[json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in part] for part in streams]
    )
    page.evaluate(script("stream.js"))
    return page


@pytest.mark.parametrize("answered", ["before", "meanwhile", "never"])
def test_a_stream_goes_on_while_an_answer_is_awaited(browser: Browser, answered: str) -> None:
    first = [message("process_completed", "a", output={"data": ["€ close_stream"]}), CLOSE]
    second = [message("process_generating", "b"), message("process_completed", "b"), CLOSE]
    page = served(browser, first, second)
    assert page.evaluate("async () => (await fetch('http://localhost/else')).text()") == "plain"
    if answered == "before":
        page.evaluate("async () => { answerJoin('b'); return (await fetch('http://localhost/queue/join')).json() }")
    elif answered == "meanwhile":
        page.evaluate(
            "() => { window.joined = fetch('http://localhost/queue/join'); setTimeout(() => answerJoin('b'), 0) }"
        )
    got = told(page.evaluate(READ))
    assert got == (first if answered == "never" else [*first[:-1], *second])
    assert page.evaluate("window.asked").count("/queue/data") == (1 if answered == "never" else 2)
    page.close()


def test_an_answer_that_comes_before_its_join_is_not_awaited(browser: Browser) -> None:
    page = served(browser, [message("process_completed", "b"), CLOSE], [message("heartbeat", "")])
    page.evaluate("() => { window.joined = fetch('http://localhost/queue/join') }")
    page.evaluate("() => { setTimeout(() => answerJoin('b'), 50) }")
    assert told(page.evaluate(READ)) == [message("process_completed", "b"), CLOSE]
    assert page.evaluate("window.asked").count("/queue/data") == 1
    page.close()


ENDING = """
async () => {
  const order = [];
  const control = new AbortController();
  const told = await fetch(new Request("http://localhost/queue/data?session_hash=x", { signal: control.signal }));
  const reader = told.body.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes("close_stream")) seen += (await reader.read()).value;
  const joined = fetch("http://localhost/queue/join").then(() => order.push("joined"));
  answerJoin("b");
  await new Promise((resolve) => setTimeout(resolve, 50));
  order.push("let go");
  control.abort();
  await joined;
  return order;
}
"""


def test_no_listener_begins_between_the_end_of_a_stream_and_the_page_letting_go_of_it(browser: Browser) -> None:
    page = served(browser, [message("process_completed", "a"), CLOSE])
    assert page.evaluate(ENDING) == ["let go", "joined"]
    page.close()
