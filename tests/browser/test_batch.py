"""The batch tab in a real browser: a file, its plan, the run, stopping, going on, and the answers as files."""

from __future__ import annotations

import csv
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from llamafarm.access.settings import ServerSettings
from tests.browser.conftest import OpenPage
from tests.browser.shell import go
from tests.browser.test_page import model_server
from tests.faultserver.server import Exchange
from tests.faultserver.speech import ending, plays, said
from tests.serving import serving

ROWS = "prompt,id,expected\n" + "".join(f"{at} times two?,q{at},{at * 2}\n" for at in range(1, 7))


async def doubles(exchange: Exchange) -> None:
    number = int(exchange.seen.json()["messages"][-1]["content"].split()[0])
    text = f"<b>{number * 2}</b>" if number != 4 else "I don't know."
    await plays("openai", [said("openai", text), ending("openai")])(exchange)


def project(folder: Path, url: str) -> Path:
    path = folder / "llamafarm.yaml"
    models = "".join(
        f"    - name: m{at}\n      provider: openai\n      model: x\n      base_url: {url}\n"
        "      pricing: {input: 1, output: 2}\n"
        for at in range(2)
    )
    path.write_text(f"version: v1\nname: batch\nnamespace: tests\nruntime:\n  models:\n{models}")
    return path


def open_batch(page: Page, file: Path) -> None:
    expect(page.locator(".lf-table tbody tr")).to_have_count(2)
    go(page, "Batch")
    with page.expect_file_chooser() as chooser:
        page.locator("#batch-choose").click()
    chooser.value.set_files(file)
    expect(page.locator("#batch-chosen")).to_contain_text("rows.csv")


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_file_is_planned_asked_shown_and_downloaded(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, width: int, dark: bool
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    with model_server(doubles) as server, serving([project(tmp_path, f"{server.url}/v1")]) as url:
        page = open_page(url, width=width, dark=dark)
        open_batch(page, tmp_path / "rows.csv")
        page.locator("#batch-plan").click()
        expect(page.locator("#batch-planned")).to_contain_text("6 rows, 6 with checks")
        expect(page.locator("#batch-planned")).to_contain_text("12 calls")
        assert server.requests == []
        page.locator("#batch-start").click()
        expect(page.locator("#batch-progress")).to_contain_text("12 of 12")
        expect(page.locator("#batch-results tbody tr")).to_have_count(2)
        expect(page.locator("#batch-results")).to_contain_text("6 of 6")
        expect(page.locator("#batch-results")).to_contain_text("0.83 [0.44, 0.97]")
        expect(page.locator("#batch-start")).to_be_enabled()
        name = f"batch-{width}-{'dark' if dark else 'light'}.png"
        page.locator("#batch-start").scroll_into_view_if_needed()
        page.screenshot(path=artifacts / name, full_page=True)
        with page.expect_download() as download:
            page.get_by_role("link", name="All answers as CSV").click()
        with download.value.path().open(newline="") as file:
            found = list(csv.DictReader(file))
        assert [(row["row"], row["id"], row["model"]) for row in found] == [
            (str(at), f"q{at}", model) for at in range(1, 7) for model in ("m0", "m1")
        ]
        assert [row["passed"] for row in found[::2]] == ["true", "true", "true", "false", "true", "true"]
        page.close()


def test_a_batch_is_stopped_and_goes_on_with_the_same_file(tmp_path: Path, open_page: OpenPage) -> None:
    held = True

    async def hangs_later(exchange: Exchange) -> None:
        if held and len(server.requests) > 4:
            await exchange.hang()
        else:
            await doubles(exchange)

    (tmp_path / "rows.csv").write_text(ROWS)
    with model_server(hangs_later) as server, serving([project(tmp_path, f"{server.url}/v1")]) as url:
        page = open_page(url)
        open_batch(page, tmp_path / "rows.csv")
        page.locator("#batch-at-once input").fill("2")
        page.locator("#batch-start").click()
        expect(page.locator("#batch-progress")).to_contain_text("4 of 12")
        page.locator("#batch-stop").click()
        expect(page.locator("#batch-start")).to_be_enabled()
        asked = len(server.requests)
        held = False
        go(page, "Compare")
        go(page, "Batch")
        page.locator("#batch-earlier input").click()
        page.get_by_role("option", name="rows.csv: 6 rows · not finished").click()
        page.locator("#batch-pasted textarea").fill("prompt\nAnother file\n")
        page.locator("#batch-start").click()
        expect(page.get_by_text("is not the file that the run was begun with")).to_be_visible()
        page.locator("#batch-pasted textarea").fill(ROWS)
        page.locator("#batch-start").click()
        expect(page.locator("#batch-progress")).to_contain_text("12 of 12 · 4 of them from before")
        expect(page.locator("#batch-start")).to_be_enabled()
        assert len(server.requests) == asked + 8
        link = page.get_by_role("link", name="as JSON Lines").get_attribute("href")
        page.close()
        assert len(httpx.get(f"{url}/{link}").text.splitlines()) == 12
        assert httpx.get(f"{url}/batches/nothing.csv").status_code == 404


def test_answers_are_for_those_alone_who_may_see_the_page(tmp_path: Path) -> None:
    settings = ServerSettings(api_keys=(SecretStr("sesame"),))
    with serving([project(tmp_path, "http://127.0.0.1:9/v1")], settings) as url:
        assert httpx.get(f"{url}/batches/nothing.csv").status_code == 401
        known = {"Authorization": "Bearer sesame"}
        assert httpx.get(f"{url}/batches/nothing.csv", headers=known).status_code == 404
