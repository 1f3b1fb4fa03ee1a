"""The live table: what is marked best, what is marked as estimated or partial, and what it never invents."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest

from llamafarm.core import display
from llamafarm.core.conditions import Caution, CautionKind, Sharing, WarmUp
from llamafarm.core.errors import Culprit
from llamafarm.core.events import Failed, FellBack
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Count, Route, Timings, Tool, Usage
from llamafarm.experiments.stats.tally import CAUTIONS as TOLD
from llamafarm.ui.compare.table import condition_notes, shared, table
from llamafarm.ui.compare.tools import Held, held_card, held_key
from llamafarm.ui.parts.cards import lane_head, summary, trouble
from llamafarm.ui.parts.words import CAUTIONS
from tests.engine.fakes import model
from tests.output.tabled import csv_of


def reply(name: str = "a", **changes: object) -> Reply:
    whole = Reply(
        lane=name,
        asked=name,
        model=name,
        provider="openai",
        model_id="x",
        status="done",
        text="so",
        usage=Usage(Count(10, "reported"), Count(20, "reported")),
        timings=Timings(ttft_s=0.2, total_s=1.0, tokens_per_s=40.0),
        cost=Cost(Decimal("0.00012"), "table", "per million"),
        finish_reason="stop",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]  # each test names fields that exist


def cells(html: str) -> list[list[str]]:
    """The text of each cell of each row, tags taken away."""
    rows = re.findall(r"<tr>(.*?)</tr>", html.split("<tbody>")[1], re.DOTALL)
    return [[re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]


def test_the_best_of_each_column_is_marked_once() -> None:
    slow = reply("slow", timings=Timings(ttft_s=0.5, total_s=3.0, tokens_per_s=90.0))
    rows = cells(table([reply("fast"), slow], (), "fast"))
    assert "best" in rows[0][2]
    assert "best" in rows[0][3]
    assert "best" in rows[1][4]
    assert "best" not in "".join(rows[0][5:] + rows[1][5:])


def test_a_figure_that_our_own_lateness_may_have_made_wins_nothing() -> None:
    spans = Timings(ttft_s=0.2, total_s=1.0, tokens_per_s=40.0)
    rival = reply("slow", timings=replace(spans, ttft_s=0.1, total_s=0.9, lag_s=0.06, ttft_lag_s=0.06))
    rows = cells(table([reply("fast", timings=spans), rival], (), "fast"))
    assert "late" in rows[1][0]
    assert "late" not in rows[0][0]
    assert "best" not in "".join(rows[1])


@pytest.mark.parametrize("status", ["failed", "stopped", "streaming"])
def test_a_lane_that_has_not_ended_well_wins_nothing(status: str) -> None:
    quick = reply("quick", status=status, timings=Timings(ttft_s=0.01, total_s=0.02, partial=True))
    rows = cells(table([quick, reply("b"), reply("c", timings=Timings(ttft_s=0.3))], (), "b"))
    assert "best" not in "".join(rows[0])
    assert "best" in rows[1][2]


def test_what_reads_alike_is_equally_good() -> None:
    near = reply("near", timings=Timings(ttft_s=0.2003, total_s=2.0, tokens_per_s=40.0))
    rows = cells(table([reply("a"), near, reply("far", timings=Timings(ttft_s=0.9))], (), "a"))
    assert ["best" in row[2] for row in rows] == [True, True, False]


def test_a_lane_alone_is_not_the_best_of_anything() -> None:
    assert "lf-best" not in table([reply()], (), "a")


def test_unknown_cost_is_never_a_number_and_never_wins() -> None:
    unknown = reply("u", cost=Cost(None, "unknown"))
    rows = cells(table([unknown, reply("b"), reply("c", cost=Cost(Decimal(1), "config"))], (), "b"))
    assert rows[0][7].strip() == "unknown"
    assert rows[0][8].strip() == "unknown"
    assert "best" in rows[1][7]


def test_estimates_are_marked_in_tokens_speed_and_cost() -> None:
    guessed = reply(
        usage=Usage(Count(10, "reported"), Count(20, "estimated")),
        cost=Cost(Decimal("0.5"), "table", estimated=True),
    )
    row = cells(table([guessed], (), "a"))[0]
    assert "~20" in row[6]
    assert "~40.0" in row[4]
    assert "~$0.500" in row[7]
    assert "~" not in row[5]


def test_ten_thousand_calls_cost_ten_thousand_times_as_much() -> None:
    row = cells(table([reply()], (), "a"))[0]
    assert "$0.000120" in row[7]
    assert "price table" in row[7]
    assert row[8].strip() == "$1.20"


def test_partial_answers_and_cut_ones_are_told() -> None:
    failed = Failed(at=0.0, kind="Interrupted", message="gone")
    html = table([reply("p", status="failed", failure=failed), reply("l", finish_reason="length")], (), "p")
    rows = cells(html)
    assert "partial answer" in rows[0][1]
    assert "cut at the token limit" in rows[1][1]


def test_routes_and_the_default_are_marked() -> None:
    route = Route("token_budget", "b", "because")
    rows = cells(table([reply("a"), reply("b")], [route], "a"))
    assert "default" in rows[0][0]
    assert "token budget" in rows[1][0]
    assert "token budget" not in rows[0][0]


def test_names_are_text() -> None:
    html = table([reply("<img src=x onerror=alert(1)>")], (), "a")
    assert "<img" not in html
    assert "&lt;img" in html


def test_csv_has_plain_figures_and_leaves_unknown_empty() -> None:
    text = csv_of([reply(), reply("b", cost=Cost(None, "unknown"), timings=Timings())])
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["cost_usd"], first["ttft_s"], first["output_tokens"]) == ("0.00012", "0.2", "20")
    assert (second["cost_usd"], second["ttft_s"], second["cost_source"]) == ("", "", "unknown")


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "\t"])
def test_csv_holds_no_formula_of_a_model_server(opening: str) -> None:
    failed = Failed(at=0.0, kind="x", message=f"{opening}HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(csv_of([reply(failure=failed)])))
    assert row["error"] == f"'{opening}HYPERLINK(1)"


def test_what_a_time_includes_is_told_beside_it() -> None:
    fell = FellBack(at=0.0, model="a", to="b", lost_s=0.9, kind="ConnectFailed", message="Nothing listens.")
    spans = Timings(ttft_s=1.2, total_s=9.0, load_s=0.01, tools_s=1.5, held_s=4.25)
    [row] = cells(table([reply(timings=spans, fallbacks=(fell,))], (), "a"))
    assert "900 ms lost to a model that failed before" in row[2]
    assert "loading" not in row[2]
    assert "with 1.50 s in tools, 4.25 s waiting for you" in row[3]
    assert "1.50 s in tools · 4.25 s waiting for you" in summary(reply(timings=spans))


async def test_two_calls_that_read_alike_are_shown_one_after_the_other() -> None:
    tool = Tool("farm", "echo", "echo", "", {})
    loop = asyncio.get_running_loop()
    held = [Held(key, "a", tool, "{}", loop.create_future()) for key in ("k1", "k2")]
    first = held_card(held[:1])
    held[0].word.set_result(True)
    assert held_card(held) != first
    assert held_key(held) == "k2"


def test_a_lane_that_shared_its_server_is_marked_in_table_card_and_csv() -> None:
    here, hosted = (
        reply("a", sharing=Sharing("http://gpu:8000", 2)),
        reply("b", sharing=Sharing("https://api.x.com:443", 1)),
    )
    rows = cells(table([here, hosted, reply("c", sharing=Sharing("http://gpu:8000", 0)), reply("d")], (), ""))
    assert ["shared" in row[0] for row in rows] == [True, True, False, False]
    head = lane_head(model("a"), here)
    assert 'class="lf-chip lf-warn" title="Shared with up to 2 other requests at http://gpu:8000"' in head
    assert 'class="lf-chip" title="Shared with 1 other request at https://api.x.com:443, which serves many"' in (
        lane_head(model("b"), hosted)
    )
    told = list(
        csv.DictReader(io.StringIO(csv_of([here, reply("c", sharing=Sharing("http://gpu:8000", 0)), reply("d")])))
    )
    assert [(row["shared"], row["shared_server"], row["shared_with"]) for row in told] == [
        ("True", "http://gpu:8000", "2"), ("False", "http://gpu:8000", "0"), ("", "", ""),
    ]  # fmt: skip


def test_ttft_is_told_with_and_without_loading() -> None:
    cold = reply("a", timings=Timings(ttft_s=3.2, load_s=3.0, total_s=4.0))
    assert "200 ms without loading; with 3.00 s loading" in cells(table([cold], (), ""))[0][2]
    assert summary(cold).startswith("TTFT 3.20 s · 200 ms without loading")
    assert "without" not in summary(reply("b", timings=Timings(ttft_s=0.2, load_s=0.001)))


def test_what_warming_cost_stands_beside_the_table() -> None:
    warmup = WarmUp("a", 1.0, 0.5, cost=Cost(Decimal("0.001"), "config", estimated=True))
    (note,) = condition_notes([reply("a", warmup=warmup), reply("b")])
    assert note == "a was warmed before: 1.00 s (500 ms loading), cost ~$0.00100. That is in no figure here."
    failed = WarmUp("a", 0.2, error="The server is busy.")
    assert "failed after 200 ms: The server is busy." in condition_notes([reply("a", warmup=failed)])[0]


def test_a_lane_says_what_it_waits_for() -> None:
    waiting = reply("a", status="waiting", note="its turn: one model is asked at a time", finish_reason=None)
    assert "its turn: one model is asked at a time" in lane_head(model("a"), waiting)
    assert "its turn" in cells(table([waiting], (), ""))[0][1]
    assert cells(table([waiting], (), ""))[0][3].strip() == "–"
    assert summary(waiting) == "waiting: its turn: one model is asked at a time"


def test_models_at_one_server_are_told_before_they_run() -> None:
    pair = [model("a"), model("b", base_url="http://localhost:9/other")]
    assert shared(pair) == [
        "a, b share one server (http://localhost:9): asked together they slow each other. “One at a time, warmed” gives "
        "times that may be compared."
    ]
    here = [
        model("a", provider="embedded", base_url=None),
        model("b", provider="ollama", base_url="http://localhost:11434"),
    ]
    assert shared(here)[0].startswith("a, b run on this machine: asked together")
    assert "it serves many" in shared([model(name, base_url="https://api.openai.com/v1") for name in "ab"])[0]
    assert shared([model("a"), model("b", base_url="http://gpu:1/v1")]) == []


def test_lanes_are_ranked_without_the_servers_queue() -> None:
    """As measured: the second lane was answered faster, but after the first."""
    first = reply("first", timings=Timings(ttft_s=0.38, total_s=3.4, server_queue_s=0.0, tokens_per_s=20.0))
    second = reply("second", timings=Timings(ttft_s=3.29, total_s=4.9, server_queue_s=3.1, tokens_per_s=20.0))
    rows = cells(table([first, second], (), "first"))
    assert "best" not in rows[0][2] + rows[0][3]
    assert "best" in rows[1][2]
    assert "best" in rows[1][3]
    assert "3.29 s" in rows[1][2]
    assert "waited 3.10 s at the server, 190 ms without that" in rows[1][2]
    (note,) = condition_notes([first, second])
    assert note.startswith("second waited at the server for other answers")
    assert "One at a time" in note
    row = next(csv.DictReader(io.StringIO(csv_of([second]))))
    assert float(row["server_queue_s"]) == 3.1
    assert float(row["served_ttft_s"]) == pytest.approx(0.19)


def test_what_the_server_counted_and_was_not_used_is_told() -> None:
    odd = reply("odd", usage=Usage(Count(1, "reported"), doubts=("The server counted -5 output tokens, not used.",)))
    assert condition_notes([odd]) == ["odd: The server counted -5 output tokens, not used."]


def test_a_server_that_exchanges_models_is_told() -> None:
    llama = model("a", provider="ollama", model="llama", base_url="http://gpu:11434")
    qwen = model("b", provider="ollama", model="qwen", base_url="http://gpu:11434")
    notes = " ".join(shared([llama, qwen]))
    assert "a, b: their server exchanges models" in notes
    assert "exchanges" not in " ".join(shared([llama, llama.model_copy(update={"name": "c"})]))
    assert "exchanges" not in " ".join(shared([model("d"), model("e")]))


@pytest.mark.parametrize("kind", get_args(CautionKind))
def test_each_caution_has_its_chip_and_sentence_in_the_table(kind: CautionKind) -> None:
    row = str(table([reply("a", cautions=(Caution(kind, "What was found <here>."),))], (), "a"))
    assert f'title="What was found &lt;here&gt;.">{CAUTIONS[kind]}<' in row
    assert TOLD[kind]


@pytest.mark.parametrize("kind", get_args(Culprit))
def test_the_page_shows_who_is_at_fault_beside_the_advice(kind: Culprit) -> None:
    told = Failed(at=0.0, kind="AuthFailed", message="No.", hint="Look.", status=401, culprit=kind)
    shown = str(trouble(model("a"), reply("a", status="failed", failure=told)))
    assert f"At fault: {display.CULPRITS[kind]} · HTTP 401" in shown
    assert "Look." in shown
