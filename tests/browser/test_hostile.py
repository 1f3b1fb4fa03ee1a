"""A project, a model and a history whose every text is hostile: on no part of the page, nor in a report, does it do anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.test_page import model_server, send
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays, said, thought

EVIL = (
    '<img src="http://127.0.0.1:9/x.png" onerror="window.ran = 1"><script>window.ran = 1</script>![p](http://127.0.0.1:9/p.png)'
    "<style>body{display:none}</style></h3></div>$x$"
)
FORBIDDEN = "img[src*=':9/'], [onerror], .katex, #evil, body > h3"


async def speaks(exchange: Exchange) -> None:
    """A model that answers hostile text, or fails with it."""
    if exchange.seen.json()["model"] == "bad":
        await exchange.head(418, "application/json")
        await exchange.send(json.dumps({"error": {"message": f"no {EVIL}"}}).encode())
        await exchange.end()
        return
    await plays(
        "openai",
        [
            thought("openai", f"Hm {EVIL}"),
            said("openai", "```mermaid\ngraph TD; A-->B\n```\n\n"),
            *answer("openai", f"# {EVIL.replace('$x$', '')}\n"),
        ],
    )(exchange)


def hostile(folder: Path, url: str) -> Path:
    path = folder / "llamafarm.yaml"
    model = {"provider": "openai", "model": "x", "base_url": url, "description": EVIL}
    models = [
        model | {"name": f"one {EVIL}"},
        model | {"name": f"two {EVIL}"},
        model | {"name": f"bad {EVIL}", "model": "bad"},
    ]
    path.write_text(
        json.dumps({"version": "v1", "name": EVIL, "namespace": "n", EVIL: 1, "runtime": {"models": models}})
    )
    return path


def harmless(page: Page) -> None:
    """Nothing of the texts has become an element, or has run."""
    assert page.evaluate("window.ran") is None
    assert page.locator(FORBIDDEN).count() == 0
    assert page.evaluate("getComputedStyle(document.body).display") != "none"


def test_no_text_does_anything_anywhere(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(speaks) as server, serve([hostile(tmp_path, server.url)]) as url:
        page = open_page("about:blank")
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url))
        page.goto(url)
        send(page, f"Why {EVIL}?")
        expect(page.locator("#card-0 .lf-lane-title .lf-pill")).to_have_text("done")
        expect(page.locator("#card-2 .lf-alert").first).to_be_visible()
        expect(page.locator("#card-0 .prose.lf-answer h4")).to_contain_text("<script>window.ran = 1</script>")
        expect(page.locator("#card-0 .lf-lane-title h3")).to_contain_text(EVIL)
        harmless(page)
        for tab in page.get_by_role("tab").all():
            if tab.is_visible():
                tab.click()
                harmless(page)
        link = page.locator("a", has_text=re.compile("^Report$")).first.get_attribute("href")
        assert not [one for one in asked if ":9/" in one or "mermaid" in one]
        assert link
        report = open_page(url + "/" + link.lstrip("/") if not link.startswith("http") else link)
        expect(report.locator("body")).to_contain_text("<script>window.ran = 1</script>")
        harmless(report)
