"""From models on this machine to a comparison of them, in two clicks; the operator's alone."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from llamafarm.config import sample_path
from llamafarm.config.discovery.found import CLOUDS
from llamafarm.providers.discovery.places import Place
from llamafarm.runtime import discovering
from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show
from tests.browser.test_operator import asked
from tests.cli.conftest import _served
from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays, refuses

MODELS = {"data": [{"id": "<b>tiny</b>-1b"}, {"id": "large-70b"}]}


async def _speaks(exchange: Exchange) -> None:
    looks = exchange.seen.method == "GET"
    await (refuses(200, MODELS) if looks else plays("openai", answer("openai", "Rayleigh says hello")))(exchange)


def test_what_is_found_is_compared_in_one_click(
    open_page: OpenPage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cloud in CLOUDS:
        monkeypatch.delenv(cloud.variable, raising=False)
    monkeypatch.setenv("GROQ_API_KEY", "gsk-very-secret")
    with _served(_speaks) as server, serve([sample_path("embedded")]) as url:
        monkeypatch.setattr(discovering, "PLACES", (Place(server.port, "vLLM", "openai", "/v1/models", "/v1"),))
        page = open_page(url)
        show(page, "drawer")
        page.get_by_role("button", name="Look for models on this machine").click()
        found = page.locator("#discovered")
        expect(found).to_contain_text(f"vLLM at {server.url}/v1: 2 models")
        expect(found).to_contain_text("Groq: GROQ_API_KEY is set")
        saved = found.get_by_role("link", name="Save as llamafarm.yaml")
        with page.expect_download() as download:
            saved.click()
        text = download.value.path().read_text()
        assert "${env:GROQ_API_KEY}" in text
        assert server.asked == []
        page.get_by_role("button", name="Compare these").click()
        expect(page.locator("#drawer")).to_be_hidden()  # the answers stand under it
        for lane in range(2):
            expect(page.get_by_text("Rayleigh says hello").nth(lane)).to_be_visible()
        expect(page.locator("#prompt textarea")).to_have_value("Why is the sky blue?")
        assert len(server.asked) == 2
        expect(page.locator("#models input:checked")).to_have_count(2)  # what costs money waits for a choice
        assert "very-secret" not in page.content()


def test_a_stranger_neither_sees_nor_looks(open_page: OpenPage, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-very-secret")
    with _served(_speaks) as server, serve([sample_path("embedded")]) as url:
        monkeypatch.setattr(discovering, "PLACES", (Place(server.port, "vLLM", "openai", "/v1/models", "/v1"),))
        page = open_page(url, stranger=True)
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        show(page, "drawer")
        expect(page.get_by_role("button", name="Look for models on this machine")).to_be_hidden()
        with httpx.Client(base_url=url, timeout=30) as client:
            config = client.get("/config").json()
            ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
            (look,) = [d["id"] for d in config["dependencies"] if any(t[0] == ids["discover"] for t in d["targets"])]
            told = asked(client, look, [], {})
        assert "Only the operator can look for models" in told
        assert "GROQ_API_KEY" not in told
        assert server.requests == []
