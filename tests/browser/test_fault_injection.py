"""The fault injection in a real browser: a chain that is watched, and a stage that nobody else sees."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show, within
from tests.browser.test_page import model_server, send
from tests.faultserver.speech import answer, plays

LONG = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def chain(folder: Path, *urls: str) -> Path:
    path = folder / "llamafarm.yaml"
    names = ("primary", "backup", "emergency")[: len(urls)]
    models = "".join(
        f'    - {{name: {name}, provider: openai, model: "{name}-id", base_url: "{url}"}}\n'
        for name, url in zip(names, urls, strict=True)
    )
    path.write_text(
        f"version: v1\nname: play\nnamespace: tests\nruntime:\n  fallback: [{', '.join(names)}]\n  models:\n{models}"
    )
    return path


def stage(page: Page, seat: int, fault: str) -> None:
    with within(page, "drawer"):
        page.locator(f"#fault-{seat} input").click()
        page.get_by_role("option", name=fault).click()


def test_a_staged_fault_shows_the_chain_in_this_tab_alone(
    tmp_path: Path, open_page: OpenPage, artifacts: Path, serve: Serve
) -> None:
    with (
        model_server(plays("openai", answer("openai", *(f"{word} " for word in LONG)))) as first,
        model_server(plays("openai", answer("openai", "The backup ", "is here."))) as second,
        serve([chain(tmp_path, first.url, second.url)]) as url,
    ):
        page = open_page(url)
        expect(page.locator("#faults")).not_to_be_visible()
        show(page, "drawer")
        page.get_by_text("Fault injection").click()
        page.get_by_label("Make models fail in this tab").check()
        stage(page, 0, "connection refused")
        page.get_by_role("checkbox", name="backup", exact=True).uncheck()
        send(page)
        card = page.locator("#card-0")
        expect(card.locator(".lf-pill")).to_have_text("done")
        expect(card.locator(".prose.lf-answer")).to_contain_text("The backup is here.")
        steps = card.locator(".lf-steps li")
        expect(steps).to_have_count(4)
        expect(steps.nth(0)).to_contain_text("Try 2, after a pause of")
        expect(steps.nth(2)).to_contain_text("primary → backup after")
        expect(steps.nth(2)).to_contain_text("Staged: nothing listens")
        expect(steps.nth(3)).to_contain_text("backup (backup-id) answered")
        row = page.locator(".lf-table tbody tr")
        expect(row).to_contain_text("answered by backup")
        expect(row).to_contain_text("staged fault")
        assert not first.requests
        page.screenshot(path=artifacts / "faults.png", full_page=True)

        send(page)
        expect(steps).to_have_count(2)
        expect(steps.nth(0)).to_contain_text("Passed over: it failed")

        stage(page, 0, "cut in mid-stream")
        page.locator("#card-0").get_by_role("button", name="Retry").click()
        expect(card.locator(".lf-steps li").nth(0)).to_contain_text("Passed over")

        other = open_page(url)
        send(other)
        expect(other.locator("#card-0 .lf-pill")).to_have_text("done")
        expect(other.locator("#card-0 .prose.lf-answer")).to_contain_text("one two three")
        expect(other.locator("#card-0 .lf-steps")).to_have_count(0)


def test_a_staged_cut_keeps_the_half_and_a_switched_off_stage_does_nothing(
    tmp_path: Path, open_page: OpenPage, serve: Serve
) -> None:
    with (
        model_server(plays("openai", answer("openai", *(f"{word} " for word in LONG)))) as server,
        serve([chain(tmp_path, server.url)]) as url,
    ):
        page = open_page(url)
        show(page, "drawer")
        page.get_by_text("Fault injection").click()
        page.get_by_label("Make models fail in this tab").check()
        stage(page, 0, "cut in mid-stream")
        send(page)
        card = page.locator("#card-0")
        expect(card.locator(".lf-alert")).to_contain_text("Staged: the connection was cut in mid-answer.")
        expect(card.locator(".prose.lf-answer")).to_contain_text("one two three four five")
        expect(card).to_contain_text("partial answer")
        with within(page, "drawer"):
            page.get_by_label("Make models fail in this tab").uncheck()
        send(page)
        expect(card.locator(".lf-pill")).to_have_text("done")
        expect(card.locator(".prose.lf-answer")).to_contain_text("nine ten")
