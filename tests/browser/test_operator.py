"""Trusting files and opening them by path, in a real browser: with the printed link, and without."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from llamafarm.config import sample_path
from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show
from tests.serving import TOKEN

TEXT = "version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n    - {name: a, provider: openai, model: m, api_key: '${env:HOME}'}\n"


def upload(page: Page, path: Path) -> None:
    show(page, "drawer")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="From your browser…").click()
    chooser.value.set_files(path)
    expect(page.locator("#asks")).to_contain_text("This file is not trusted yet")


def test_the_operator_trusts_and_opens_by_path(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_text(TEXT)
    with serve([sample_path("embedded")]) as url:
        page = open_page(url)
        assert page.url == f"{url}/"  # the token is gone from the address
        assert TOKEN not in page.content()
        show(page, "drawer")
        expect(page.get_by_role("button", name="Open this path")).to_be_visible()
        upload(page, path)
        page.get_by_role("button", name="Trust this file").click()
        expect(page.locator("#report")).to_contain_text("1 of 1 models can be used")
        show(page, "drawer")
        page.locator("#path input, #path textarea").first.fill(str(path))
        page.get_by_role("button", name="Open this path").click()
        expect(page.locator("#asks")).to_be_hidden()
        another = page.context.new_page()
        another.goto(url)
        show(another, "drawer")
        expect(another.get_by_role("button", name="Open this path")).to_be_visible()  # it holds


def test_others_on_this_machine_are_told_what_to_do(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_text(TEXT)
    with serve([sample_path("embedded")]) as url:
        page = open_page(url, stranger=True)
        show(page, "drawer")
        expect(page.locator("#no-path")).to_contain_text("Open the link that was printed in the terminal")
        expect(page.get_by_role("button", name="Open this path")).to_be_hidden()
        upload(page, path)
        expect(page.locator("#asks")).to_contain_text("Open the link that was printed in the terminal")
        expect(page.get_by_role("button", name="Trust this file")).to_be_hidden()
        page = open_page(url)
        show(page, "drawer")
        expect(page.get_by_role("button", name="Open this path")).to_be_visible()


def test_a_page_that_asks_past_its_buttons_gets_nothing(tmp_path: Path, serve: Serve) -> None:
    """The listeners look at the right themselves: a hidden button can be pressed by hand."""
    secret = tmp_path / "secret.yaml"
    secret.write_text(TEXT.replace("name: p", "name: planted-name"))
    with serve([sample_path("embedded")]) as url, httpx.Client(base_url=url, timeout=30) as client:
        config = client.get("/config").json()
        ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        for cookies, opened in (({}, False), (operator(client), True)):
            for trigger in [
                d["id"] for d in config["dependencies"] if any(t[0] == ids["open-path"] for t in d["targets"])
            ]:
                told = asked(client, trigger, [str(secret), ""], cookies)
                assert ("planted-name" in told) is opened


def operator(client: httpx.Client) -> dict[str, str]:
    """The cookies of a browser that came through the link."""
    with httpx.Client(base_url=client.base_url) as other:
        other.get(f"/?token={TOKEN}")
        return dict(other.cookies)


def asked(client: httpx.Client, listener: int, data: list[str], cookies: dict[str, str]) -> str:
    """What the page is sent when `listener` is called with `data`."""
    session = f"s{listener}{len(cookies)}"
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    body = {"data": data, "fn_index": listener, "session_hash": session}
    assert client.post("/gradio_api/queue/join", json=body, headers=headers).status_code == 200
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}, headers=headers) as told:
        lines = []
        for line in told.iter_lines():
            lines.append(line)
            if "process_completed" in line or "close_stream" in line:
                break
        return "\n".join(lines)
