"""Between Gradio's page and its server: what comes by, and answers that are held up. Give `SCRIPT` to `open_page`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

SCRIPT = """
window.heard = [];
window.told = "";
window.streams = window.open = window.joins = window.ended = 0;
window.holding = false;
window.held = [];
const fetched = window.fetch;
window.fetch = async (...given) => {
  const url = String(given[0].url ?? given[0]);
  const hold = window.holding && url.includes("/queue/join");
  if (url.includes("/queue/join")) window.joins += 1;
  const answer = await fetched(...given);
  if (hold) await new Promise((release) => window.held.push(release));
  if (!url.includes("/queue/data") || !answer.body) return answer;
  window.streams += 1;
  window.open += 1;
  const [own, other] = answer.body.tee();
  const reader = other.pipeThrough(new TextDecoderStream()).getReader();
  const over = () => { window.open -= 1; };
  const read = () => reader.read().then(({ value, done }) => {
    if (done) return over();
    window.heard.push(value);
    window.told += value;
    window.ended = window.told.split('"process_completed"').length - 1;
    read();
  }, over);
  read();
  return new Response(own, { status: answer.status, headers: answer.headers });
};
"""


def forget(page: Page) -> None:
    """Keep only what the server tells the page from now on."""
    page.evaluate("window.heard = []")


def heard(page: Page) -> str:
    """What the server has told the page."""
    said: str = page.evaluate("window.heard.join('')")
    return said


def hears(page: Page, words: str) -> None:
    """Wait until the server has told the page `words`."""
    page.wait_for_function("words => window.heard.join('').includes(words)", arg=words)


def cooldowns(page: Page) -> None:
    """Wait until all that the page has asked of the server has ended."""
    page.wait_for_function("window.joins == window.ended")


@contextmanager
def asked(page: Page) -> Iterator[None]:
    """What is done within asks the server something; afterwards wait until that has ended."""
    joins = page.evaluate("window.joins")
    yield
    page.wait_for_function("joins => window.joins > joins", arg=joins)
    cooldowns(page)


@contextmanager
def held_up(page: Page) -> Iterator[None]:
    """Within, what the page asks of the server reaches it, but the page does not learn that it did until afterwards."""
    page.evaluate("window.holding = true")
    yield
    page.evaluate("() => { window.holding = false; window.held.splice(0).forEach((release) => release()); }")
