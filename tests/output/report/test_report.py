"""A report says what the store holds, is escaped, whole in itself, and doubts where there is doubt."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llamafarm.core.conditions import ProbeMark, Sharing, WarmUp
from llamafarm.core.errors import RequestError
from llamafarm.core.events import Failed
from llamafarm.core.types import Cost, JsonValue, Message, Timings
from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.machine import this_machine
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.ids import new_id
from llamafarm.history.model import Run, RunBegan, Vote
from llamafarm.output.report.page import report
from tests.history.database.made import PROJECT, SNAPSHOT, START, asked, ended, keep
from tests.output.report.made import EVIL, grid, swept, texts, with_judge


@pytest.fixture
async def store(tmp_path: object) -> AsyncIterator[Store]:
    async with open_store(file_place(tmp_path / "h.sqlite3")) as opened:  # type: ignore[operator]  # pytest's Path
        yield opened


def rows(html: str, title: str, at: int = 0) -> dict[str, list[str]]:
    """A table of figures by the first cell of its rows."""
    found = re.findall(rf"<h3>{title}</h3>\s*(<table.*?</table>)", html, re.DOTALL)[at]
    table = ET.fromstring(found)  # noqa: S314 - our own
    names = [th.text or "" for th in table.findall(".//thead//th")]
    whole = {"": names}
    for row in table.findall(".//tbody/tr"):
        cells = [" ".join("".join(cell.itertext()).split()) for cell in row]
        heads = len(row.findall("th"))
        whole[" ".join(cells[:heads])] = cells[heads:]
    return whole


async def test_a_sweep_is_told_with_the_stores_own_figures(store: Store) -> None:
    identity = swept(store, grid())
    html = await report(History(store), "latest")
    quality = rows(html, "Answers and quality")
    assert quality["fast"][0] == "12 of 12"
    assert quality["fast"][1].startswith("50 % [")
    assert quality["wise"][1].startswith("100 % [")
    speed = rows(html, "Speed")
    assert speed["fast"][:2] == ["110 ms[100 ms, 120 ms]", "120 ms"]
    assert speed["wise"][0].startswith("410 ms")
    cost = rows(html, "Tokens and cost")
    assert cost["fast"] == ["8", "~21", "~$0.00148price table", "~$1.23"]
    by_value = rows(html, "Answers and quality", 1)
    assert by_value["fast 0"][1].startswith("100 %")
    assert by_value["fast 0.5"][1].startswith("0 %")
    assert (
        texts(html, (identity, "SHA-256", "d" * 64, "Checks passed", "prompt", "per million; table genai-prices")) == []
    )


async def test_its_sentences_say_what_can_be_told_and_what_not(store: Store) -> None:
    swept(store, grid())
    html = await report(History(store), "latest")
    assert "<strong>fast</strong> was the fastest: its first word came after 110 ms [100 ms, 120 ms] (median)" in html
    assert "<strong>fast</strong> and <strong>wise</strong> cost least: ~$1.23 for 10,000 calls like these." in html
    assert "By checks passed <strong>wise</strong>" in html
    assert "All calls here together cost ~$0.00295." in html
    assert "Of 24 answers it is not known whether their server was shared." in html
    assert "Too few repeats to tell: 3 answers to a prompt at the least, 5 are needed." in html


async def test_a_judge_is_told_apart_with_its_cost(store: Store) -> None:
    swept(store, with_judge(grid()), judged=True)
    html = await report(History(store), "latest")
    assert rows(html, "Answers and quality")["wise"][2].startswith("90 %")
    assert rows(html, "Answers and quality")["fast"][2].startswith("30 %")
    assert rows(html, "Tokens and cost")["fast"][-1] == "~$0.00148"
    assert rows(html, "Answers and quality")["wise"][0] == "12 of 12"
    assert texts(html, ("The model wise graded each answer", "Is it right?", "judge&#39;s score 9 of 10")) == []
    assert "By the judge&#39;s score <strong>wise</strong> answered best: 90 %" in html


async def test_nothing_of_a_prompt_or_an_answer_is_markup_and_nothing_is_fetched(store: Store) -> None:
    comparison = asked(EVIL, ("fast", EVIL), system=EVIL, variables={EVIL: EVIL}, parameters={EVIL: EVIL})
    failed = Failed(at=0.0, kind=EVIL, message=EVIL)
    keep(store, comparison, ended(comparison, "fast", EVIL, cost=Cost(None, "unknown", EVIL)),
         ended(comparison, EVIL, "", status="failed", failure=failed, provider=EVIL))  # fmt: skip
    for name in (swept(store, grid()), comparison.id):
        html = await report(History(store), name)
        assert EVIL not in html
        assert html.count("&lt;script&gt;") >= 1
        assert not re.search(r"<(script|img|link|iframe|object|form|base|a|video|audio|source)\b", html)
        assert re.findall(r"<meta[^>]*Content-Security-Policy[^>]*>", html) == [
            '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;">'.replace(
                "&#39;", "'"
            )
        ]
        style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        assert len(style) == 1
        assert not re.search(r"url\(|@import|expression", style[0])
        assert not re.search(
            r"""\b(src|href|action|srcset|poster|data)=["'](?!-name)""", html.replace("data-name=", "")
        )


async def test_a_huge_answer_is_cut_with_a_note(store: Store) -> None:
    comparison = asked("x" * 5_000_000, ("fast",))
    keep(store, comparison, ended(comparison, "fast", "y" * 5_000_000))
    html = await report(History(store), comparison.id[:16])
    assert len(html) < 60_000
    assert html.count("(cut here: 5,000,000 characters in all)") == 2


async def test_a_comparison_is_told_with_its_vote(store: Store) -> None:
    comparison = asked("Which?", messages=(Message("system", "Be brief."), Message("user", "Which?")))
    keep(store, comparison, ended(comparison, "fast", "This."), ended(comparison, "wise", "That."))
    await store.recorded()
    history = History(store)
    await history.vote(comparison.id, Vote("best", "wise", blind=True, voted_at=datetime(2026, 11, 24, tzinfo=UTC)))
    html = await report(history, comparison.id)
    assert "By votes <strong>wise</strong> is ahead with 100 %, but there are too few answers to tell it from" in html
    assert rows(html, "Answers and quality")["wise"][1] == "100 %1 of 1"
    assert texts(html, ("This.", "That.", "Be brief.", "voted best", "not voted best", "Comparison")) == []
    assert "250 ms (one answer), but there are too few answers to tell it from <strong>wise</strong>" in html


async def test_unknown_is_never_zero_and_free_is_told(store: Store) -> None:
    comparison = asked("Which?", ("fast", "wise", "here"))
    keep(
        store,
        comparison,
        ended(comparison, "fast", cost=Cost(None, "unknown")),
        ended(comparison, "wise", cost=Cost(Decimal("0.02"), "config")),
        ended(comparison, "here", cost=Cost(Decimal(0), "free")),
    )
    html = await report(History(store), "latest")
    cost = rows(html, "Tokens and cost")
    assert cost["fast"][2:] == ["unknownunknown", "unknown"]
    assert cost["wise"][2:] == ["$0.0200project file's prices", "$200.00"]
    assert cost["here"][2:] == ["freeown hardware", "free"]
    assert "<strong>here</strong> ran on hardware of one's own: a call has no price." in html
    assert "What <strong>fast</strong> costs is not known: nobody told a price." in html
    assert "Not known for fast." in html
    assert "All calls here together cost $0.0200 + 1 unknown." in html


async def test_fair_and_shared_are_told_and_warming_is_paid_apart(store: Store) -> None:
    warmup = WarmUp("fast", 0.5, cost=Cost(Decimal("0.001"), "config"))
    alone = Sharing("http://gpu:1", 0)
    swept(store, grid(models=grid().models[:1]), fair=True, sharing=alone, warmup=warmup)
    html = await report(History(store), "latest")
    assert rows(html, "Speed")["fast"][-1] == "1212 had it alone"
    assert rows(html, "Tokens and cost")["fast"][-1] == "$0.0120"
    assert texts(html, ("One at a time, warmed", "with judging, warming and earlier tries")) == []
    assert "shared their server" not in html
    swept(store, grid(), sharing=Sharing("http://gpu:1", 3))
    html = await report(History(store), "latest")
    assert "Mind the times: 24 of 24 answers shared their server" in html


async def test_cold_and_staged_answers_are_not_timed(store: Store) -> None:
    comparison = asked("Which?")
    cold = Timings(ttft_s=9.0, load_s=8.0, total_s=9.5)
    keep(store, comparison, ended(comparison, "fast", timings=cold), ended(comparison, "wise", staged={"wise": "cut"}))
    html = await report(History(store), "latest")
    assert rows(html, "Speed")["fast"] == ["01 not known, 1 cold: not timed"]
    assert "No time to the first word was measured that is the model's own." in html
    assert "1 calls had a staged fault" in html
    assert "9.00 s" not in html


async def test_failures_and_what_never_ended_are_counted(store: Store) -> None:
    comparison = asked("Which?", ("fast", "wise", "late"))
    fault = Failed(at=0.0, kind="TimedOut", message="Nothing came within 5 s.", hint="Try later.")
    keep(store, comparison, ended(comparison, "fast"), ended(comparison, "wise", "", status="failed", failure=fault))
    html = await report(History(store), "latest")
    assert "1 of 2 calls gave no whole answer of the model that was asked, at <strong>wise</strong>." in html
    assert "1 more calls never ended: they are in no figure." in html
    assert "Nothing came within 5 s. Try later." in html
    assert rows(html, "Answers and quality")["wise"] == ["0 of 1", "11 × TimedOut"]


async def test_machine_and_configuration_are_those_of_the_record(store: Store) -> None:
    comparison = asked("Which?")
    keep(store, comparison, ended(comparison))
    html = await report(History(store), "latest")
    machine = this_machine()
    assert (
        texts(html, (machine.system, machine.python, f"{machine.cores}", "GiB", "api_key: (hidden)", PROJECT.digest))
        == []
    )


async def test_secrets_are_not_in_it(store: Store) -> None:
    """The record itself has them masked; the report shows neither headers nor bodies."""
    comparison = asked("Which?")
    keep(store, comparison, ended(comparison))
    html = await report(History(store), "latest")
    assert "Authorization" not in html
    assert "Bearer" not in html


async def test_what_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(RequestError, match="history is empty"):
        await report(History(store), "latest")
    with pytest.raises(RequestError, match="no comparison '0nothing'"):
        await report(History(store), "0nothing")


async def test_a_batch_is_told_by_row_with_its_file(store: Store) -> None:
    plan: dict[str, JsonValue] = {"models": ["fast", "wise"], "file": "cities.csv", "rows": 3, "good": 2, "fair": True}
    run = Run(new_id(), "batch", "cities.csv: 2 rows", START, PROJECT, plan)
    store.take(RunBegan(run, SNAPSHOT))
    for number, city in enumerate(("Paris", "Rome"), 1):
        piece = asked(
            f"City {number}?", kind="batch", run=run.id, item=f"{number} q{number}", checks=(f"contains:{city}",)
        )
        keep(store, piece, ended(piece, "fast", f"It is {city}."), ended(piece, "wise", "It is Paris."))
    html = await report(History(store), run.id[:12])
    quality = rows(html, "Answers and quality")
    assert quality["fast"][1].startswith("100 % [")
    assert quality["wise"][1].startswith("50 % [")
    assert (
        texts(html, ("cities.csv: 2 rows", "not finished", "row 2 q2", "contains:Rome", "One at a time, warmed")) == []
    )
    assert "By checks passed <strong>fast</strong> is ahead with 100 %" in html


async def test_what_a_probe_had_found_is_written_out_once_a_model(store: Store) -> None:
    mark = ProbeMark("stream", ("ttft",), "in lumps", "Times of the first token are too long <here>.", "2026-11-20")
    swept(store, grid(), probed=(mark,))
    told = re.sub("<[^>]*>", "", await report(History(store), "latest"))
    for name in ("fast", "wise"):
        says = (
            f"A probe of {name}'s server on 2026-11-20 found: in lumps. Times of the first token are too long &lt;here"
        )
        assert told.replace("&#39;", "'").count(says) == 1
    swept(store, grid())
    assert "A probe of" not in await report(History(store), "latest")
