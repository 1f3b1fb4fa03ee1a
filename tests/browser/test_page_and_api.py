"""The page and the API on one port, as people and programs meet them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Error, expect
from pydantic import SecretStr

from llamafarm.access.settings import Login, ServerSettings
from tests.browser.conftest import OpenPage, Serve
from tests.server.api.world import config_text


def test_the_page_and_the_api_run_on_one_port(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    page.get_by_label("Prompt").fill("Say hello.")
    body = {"messages": [{"role": "user", "content": "Say hello."}], "model": "fast", "max_tokens": 8}
    told = httpx.post(f"{sample_server}/v1/projects/samples/embedded/chat/completions", json=body, timeout=120)
    assert told.status_code == 200, told.text
    assert told.json()["model"] == "fast"
    assert told.json()["llamafarm"]["cost"] == {
        "usd": 0.0, "source": "free", "estimated": False, "detail": told.json()["llamafarm"]["cost"]["detail"]}  # fmt: skip
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    docs = open_page(f"{sample_server}/docs")
    expect(docs.get_by_text("/v1/chat/completions", exact=False).first).to_be_visible()


def test_a_login_opens_the_page_in_a_browser(browser: Browser, tmp_path: Path, serve: Serve) -> None:
    config = tmp_path / "llamafarm.json"
    config.write_text(config_text("http://127.0.0.1:9/v1"))
    with serve([config], ServerSettings(login=Login("ann", SecretStr("hay")))) as url:
        stranger, ann = (
            browser.new_context(),
            browser.new_context(http_credentials={"username": "ann", "password": "hay"}),
        )
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            stranger.new_page().goto(url)
        page = ann.new_page()
        page.goto(url)
        expect(page.get_by_text("default/my-project")).to_be_visible()
        stranger.close()
        ann.close()


def test_a_broken_edit_is_told_on_the_page(open_page: OpenPage, tmp_path: Path, serve: Serve) -> None:
    config = tmp_path / "llamafarm.json"
    good = config_text("http://127.0.0.1:9/v1")
    config.write_text(good)
    with serve([config]) as url:
        config.write_text(good[:-20])
        page = open_page(url)
        expect(page.locator("#banner").get_by_text("its last good state is shown")).to_be_visible()
        expect(page.get_by_text("default/my-project")).to_be_visible()
        config.write_text(good)
        mended = open_page(url)
        expect(mended.get_by_text("default/my-project")).to_be_visible()
        expect(mended.locator("#banner").get_by_text("its last good state is shown")).not_to_be_visible()
