"""The page as people use it: a real browser, a real model."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.shell import show, within
from tests.faultserver.server import FaultServer, Script
from tests.faultserver.speech import answer, plays, said
from tests.serving import serving

PROMPT = "Explain in a few sentences how a rainbow forms, and why it is curved."


@contextmanager
def model_server(script: Script) -> Iterator[FaultServer]:
    """A fault server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = FaultServer(script)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def project(folder: Path, *models: str) -> Path:
    path = folder / "llamafarm.yaml"
    path.write_text(
        "version: v1\nname: tried\nnamespace: tests\nruntime:\n  models:\n"
        + "".join(f"    - {{name: m{index}, {model}}}\n" for index, model in enumerate(models))
    )
    return path


def send(page: Page, prompt: str = PROMPT) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#send").click()


@pytest.mark.parametrize(
    ("width", "height", "dark"), [(1440, 900, False), (1440, 900, True), (390, 844, False), (390, 844, True)]
)
def test_three_lanes_answer(
    sample_server: str, open_page: OpenPage, artifacts: Path, width: int, height: int, dark: bool
) -> None:
    page = open_page(sample_server, width=width, height=height, dark=dark)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    page.locator("#prompt textarea").fill(PROMPT)
    expect(page.locator(".lf-route-row")).to_have_count(3)
    page.screenshot(path=artifacts / f"before-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    page.locator("#send").click()
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)
    cells = page.locator(".lf-table tbody tr").first.locator("td").all_inner_texts()
    for span in cells[1:3]:  # the model may be done within a second
        assert re.match(r"\d+ ms|\d+\.\d+ s", span)
    speeds = page.locator(".lf-table tbody tr td:nth-child(5)").all_inner_texts()
    assert any(re.match(r"\d+(\.\d)? tok/s", speed) for speed in speeds), speeds
    assert cells[6].startswith("$0\nruns here")
    assert len(page.locator(".lf-lane:visible .lf-answer").first.inner_text()) > 10
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.screenshot(path=artifacts / f"answers-{width}-{'dark' if dark else 'light'}.png", full_page=True)


def test_stop_stops_within_a_second(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    page.get_by_role("tab", name="expert").click()
    page.get_by_label("Max tokens").locator("visible=true").fill("2000")
    page.get_by_role("tab", name="Side by side").click()
    send(page, "Write a very long story about a llama, chapter by chapter.")
    expect(page.locator(".lf-table .lf-pill.lf-streaming").first).to_be_visible()
    page.locator("#stop").click()
    expect(page.locator(".lf-table .lf-pill.lf-stopped").first).to_be_visible(timeout=1000)
    expect(page.locator("#send")).to_be_enabled()
    expect(page.locator(".lf-table .lf-pill.lf-streaming")).to_have_count(0)


def test_a_failing_lane_says_why_and_the_others_end_well(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(plays("openai", answer("openai", "All ", "is well."))) as sound:
        path = project(
            tmp_path,
            f'provider: openai, model: a, base_url: "{sound.url}"',
            'provider: ollama, model: b, base_url: "http://127.0.0.1:9"',
            "provider: openai, model: c, api_key: '${env:NOT_SET_ANYWHERE}'",
        )
        with serve([path]) as url:
            page = open_page(url)
            send(page)
            expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(1)
            expect(page.locator(".lf-table .lf-pill.lf-failed")).to_have_count(1)
            card = page.locator("#card-1")
            expect(card.locator(".lf-alert")).to_contain_text("Nothing listens at 127.0.0.1:9.")
            expect(card.locator(".lf-alert")).to_contain_text("ollama serve")
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("All is well.")
            page.get_by_role("tab", name="m2").click()
            expect(page.locator(".lf-alert:visible")).to_contain_text("NOT_SET_ANYWHERE is not set")


def test_a_server_killed_in_mid_stream_leaves_its_half(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with (
        model_server(plays("openai", [said("openai", "Half of it")], then="hang")) as dying,
        model_server(plays("openai", answer("openai", "All of it."))) as sound,
    ):
        models = [f'provider: openai, model: x, base_url: "{server.url}"' for server in (dying, sound)]
        with serve([project(tmp_path, *models)]) as url:
            page = open_page(url)
            send(page)
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("Half of it")
            dying.kill()
            expect(page.locator("#card-0 .lf-alert")).to_contain_text("cut the connection in mid-answer")
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("Half of it")
            expect(page.locator("#card-0")).to_contain_text("partial answer")
            expect(page.locator("#card-1 .lf-pill")).to_have_text("done")


def test_stopping_one_lane_and_asking_it_again(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with (
        model_server(plays("openai", [said("openai", "slow")], then="hang")) as slow,
        model_server(plays("openai", answer("openai", "quick"))) as quick,
    ):
        models = [f'provider: openai, model: x, base_url: "{server.url}"' for server in (slow, quick)]
        with serve([project(tmp_path, *models)]) as url:
            page = open_page(url)
            send(page)
            expect(page.locator("#card-1 .lf-pill")).to_have_text("done")
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("slow")
            page.locator("#card-0").get_by_role("button", name="Stop").click()
            expect(page.locator("#card-0 .lf-pill")).to_have_text("stopped", timeout=1500)
            assert slow.requests[0].gone.is_set()
            slow.script = plays("openai", answer("openai", "at last"))
            page.locator("#card-0").get_by_role("button", name="Retry").click()
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("at last")
            expect(page.locator("#card-0 .lf-pill")).to_have_text("done")
            assert slow.requests[1].json()["messages"] == slow.requests[0].json()["messages"]
            page.locator("#talk").get_by_text("Conversation (1)").click()
            ledger = page.locator("#ledger tbody tr").first
            expect(ledger).to_contain_text("→")
            expect(ledger).not_to_contain_text("stopped")
            assert len(quick.requests) == 1


def test_controls_change_what_is_sent(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    with model_server(plays("openai", answer("openai", "so"))) as server:
        path = project(tmp_path, f'provider: openai, model: x, base_url: "{server.url}", api_key: sk-hidden-key')
        with serve([path]) as url:
            page = open_page(url)
            send(page)
            expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(1)
            assert "temperature" not in server.requests[0].json()
            page.get_by_role("tab", name="m0").click()
            page.get_by_label("number input for Temperature").fill("1.1")
            page.get_by_label("number input for Temperature").blur()
            expect(page.get_by_text("1.1 suits: Brainstorming.")).to_be_visible()
            page.get_by_label("Other parameters").fill('{"top_k": 3}')
            page.get_by_label("System prompt").fill("Be brief.")
            page.get_by_role("button", name="Retry this one").click()
            expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(1)
            page.get_by_text("The exact request").click()
            expect(page.locator(".cm-content:visible")).to_contain_text('"temperature": 1.1')
            assert "sk-hidden-key" not in page.content()
            body = server.requests[-1].json()
            assert (body["temperature"], body["top_k"]) == (1.1, 3)
            assert body["messages"][0] == {"role": "system", "content": "Be brief."}
            page.get_by_role("checkbox", name="m0", exact=True).uncheck()
            page.get_by_role("checkbox", name="m0", exact=True).check()
            expect(page.locator(".lf-table tbody tr")).to_have_count(1)
            expect(page.get_by_label("System prompt")).to_have_value("Be brief.")
            page.get_by_label("Other parameters").fill("{nonsense")
            page.get_by_role("button", name="Retry this one").click()
            expect(page.locator(".lf-alert:visible")).to_contain_text("The other parameters are not JSON")


def test_what_a_model_says_runs_nothing_and_loses_nothing(tmp_path: Path, open_page: OpenPage, serve: Serve) -> None:
    hostile = (
        "std::vector<int> a; List<String> b <think>x</think> tail\n\n"
        "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'> ![pic](http://evil.example/x.png)\n\n"
        "[click](javascript:window.hacked=1) <div style='position:fixed;inset:0'>overlay</div>\n\n"
        "```html\n<b>kept</b>\n```\n\n${window.hacked=1} {{window.hacked=1}} last words"
    )
    with model_server(plays("openai", answer("openai", hostile))) as server:
        path = project(
            tmp_path, f'provider: openai, model: "<img src=x onerror=window.hacked=1>", base_url: "{server.url}"'
        )
        with serve([path]) as url:
            page = open_page(url)
            send(page)
            box = page.locator("#card-0 .prose.lf-answer")
            expect(box).to_contain_text("last words")
            for words in ("std::vector<int> a; List<String> b <think>x</think> tail", "overlay", "<b>kept</b>", "pic",
                          "<script>window.hacked=1</script>", "${window.hacked=1}"):  # fmt: skip
                expect(box).to_contain_text(words)
            expect(page.locator("#card-0")).to_contain_text("<img src=x onerror=window.hacked=1>")
            assert page.evaluate("window.hacked") is None
            page.locator("#prompt textarea").click()


def test_the_editor_validates_while_one_types_and_trust_is_asked(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    show(page, "drawer")
    page.get_by_text("The file's text").click()
    editor = page.locator("#editor .cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        "version: v1\nname: own\nnamespace: x\nruntime:\n  models:\n    - name: a\n      provider: olama\n      model: y\n"
    )
    expect(page.locator("#check")).to_contain_text("did you mean `ollama`?")
    expect(page.locator("#check")).to_contain_text("line 7")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        "version: v1\nname: own\nnamespace: x\nruntime:\n  models:\n    - name: a\n      provider: openai\n"
        "      model: y\n      base_url: http://127.0.0.1:9/v1\n      api_key: ${env:HOME}\n"
    )
    expect(page.locator("#check")).to_contain_text("0 of 1")
    page.get_by_role("button", name="Use this text").click()
    expect(page.locator("#masthead")).to_contain_text("not trusted")
    expect(page.locator("#asks")).to_contain_text("Send the environment variable HOME to http://127.0.0.1:9")
    page.get_by_role("button", name="Trust this file").click()
    expect(page.locator("#masthead")).not_to_contain_text("not trusted")
    expect(page.locator("#report")).to_contain_text("1 of 1")


def test_a_file_from_the_browser(sample_server: str, open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'version="v1"\nname="mine"\nnamespace="x"\n[[runtime.models]]\nname="a"\nprovider="embedded"\nmodel="smollm2-135m-instruct"\n'
    )
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    show(page, "drawer")
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(path)
    expect(page.locator("#masthead")).to_contain_text("x/mine")
    expect(page.locator(".lf-table tbody tr")).to_have_count(1)
    expect(page.locator("#source input")).to_have_value("")  # nothing of the list is shown any more
    page.locator("#source input").click()
    page.get_by_role("option", name="sample: embedded").click()
    expect(page.locator("#masthead")).to_contain_text("samples/embedded")


def test_a_file_that_is_broken_says_so_where_the_answers_would_be(
    sample_server: str, open_page: OpenPage, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: v1\nruntime:\n  models:\n\t- a\n")
    page = open_page(sample_server, width=390)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    show(page, "drawer")
    with page.expect_file_chooser() as chooser:
        page.locator("#upload").click()
    chooser.value.set_files(path)
    expect(page.locator("#table")).to_contain_text("mine.yaml can't be used. There is a tab")
    expect(page.locator("#table")).to_contain_text("line 4")
    expect(page.locator(".lf-lane:visible")).to_have_count(0)


def test_a_server_that_has_gone_is_told(open_page: OpenPage, tmp_path: Path) -> None:
    with model_server(plays("openai", [said("openai", "slow")], then="hang")) as slow:
        path = project(tmp_path, f'provider: openai, model: x, base_url: "{slow.url}"')
        with serving([path]) as url:
            page = open_page(url, server_ends=True)
            send(page)
            expect(page.locator("#card-0 .prose.lf-answer")).to_contain_text("slow")
        expect(page.locator("#lf-lost")).to_contain_text("The server can't be reached")


def test_switching_projects_and_samples(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    show(page, "drawer")
    page.locator("#source input").click()
    page.get_by_role("option", name="sample: speed_tiers").click()
    expect(page.locator("#masthead")).to_contain_text("samples/speed-tiers")
    expect(page.get_by_role("tab", name="instant")).to_be_visible()
    page.locator("#prompt textarea").fill("Who?")
    expect(page.locator("#routing")).to_contain_text("“instant” stands for fast")


def test_control_enter_sends(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    page.locator("#prompt textarea").fill("Say hello.")
    page.locator("#prompt textarea").press("Control+Enter")
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)


def test_nothing_is_sent_without_a_prompt(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    page.locator("#send").click()
    expect(page.get_by_text("Type a prompt first.")).to_be_visible()


def test_the_table_as_csv(sample_server: str, open_page: OpenPage) -> None:
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    send(page, "Say hello.")
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(3)
    show(page, "share")
    with page.expect_download() as download:
        page.locator("#csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("lane,model,answered_by,provider,model_id,status")
    assert len(lines) == 4


def test_more_models_than_seats(sample_server: str, open_page: OpenPage, tmp_path: Path) -> None:
    path = project(
        tmp_path, *["provider: embedded, model: smollm2-135m-instruct, model_api_parameters: {max_tokens: 24}"] * 14
    )
    page = open_page(sample_server)
    expect(page.locator(".lf-table tbody tr")).to_have_count(3)
    with within(page, "drawer"):
        page.locator("#path input, #path textarea").fill(str(path))
        page.locator("#open-path").click()
    expect(page.locator("#models input[type=checkbox]:checked")).to_have_count(12)
    expect(page.locator(".lf-table tbody tr")).to_have_count(12)
    page.get_by_role("checkbox", name="m0", exact=True).uncheck()
    page.get_by_role("checkbox", name="m13", exact=True).check()
    expect(page.locator(".lf-table tbody tr").last).to_contain_text("m13")
    send(page, "Say hello.")
    expect(page.locator(".lf-table .lf-pill.lf-done")).to_have_count(12, timeout=90_000)
