"""What kept an answer waiting that is not its model's: how long it took, where it stands, and what leaves it out."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from llamafarm.cli.terminal.lines import setback_line, summary_line
from llamafarm.cli.terminal.table import LOST, _figures, chain_lines, notes
from llamafarm.core import display
from llamafarm.core.events import (
    Asking,
    Event,
    FellBack,
    Finished,
    Loaded,
    NextTurn,
    Ready,
    Reconnected,
    Retrying,
    Sent,
    StagedFault,
    TextDelta,
    ToolCalled,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Route, SentRequest, Timings, ToolCall
from llamafarm.experiments.batch.results import results_json
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.summary import summary as cell_of
from llamafarm.experiments.stats.tally import Tally
from llamafarm.experiments.sweep.findings import timing_notes
from llamafarm.output.batch_table import figures_of
from llamafarm.output.batch_table import notes as batch_notes
from llamafarm.output.contracts import chat_json, lane_json
from llamafarm.output.sheet import lane_row
from llamafarm.ui.compare.table import table
from llamafarm.ui.parts.cards import steps, summary
from tests.engine.test_fold import REQUEST, fold

SENT = SentRequest("POST", "http://x", {}, {})
END = (TextDelta(at=16.0, text="so"), Finished(at=17.0, reason="stop"))


def sent(at: float) -> Sent:
    return Sent(at=at, request=SENT)


def retrying(at: float, attempt: int = 2) -> Retrying:
    return Retrying(at=at, attempt=attempt, delay_s=0.5, kind="ServerFailed", message="It broke.")


def again(at: float, lost_s: float = 0.25) -> Reconnected:
    return Reconnected(at=at, lost_s=lost_s)


def fell(at: float, lost_s: float) -> FellBack:
    return FellBack(at=at, model="m", to="other", lost_s=lost_s, kind="ServerFailed", message="It broke.")


CALLED = ToolCalled(at=12.0, call=ToolCall("1", "look", "{}"))


@pytest.mark.parametrize(
    ("events", "lost_s", "ttft_lost_s", "reconnects"),
    [
        pytest.param([sent(10.0), *END], 0.0, 0.0, 0, id="nothing"),
        pytest.param([sent(10.0), retrying(11.0), sent(11.5), *END], 1.5, 1.5, 0, id="a try and its pause"),
        pytest.param(
            [sent(10.0), retrying(11.0), sent(11.5), retrying(12.0, 3), sent(13.0), *END], 3.0, 3.0, 0, id="two tries"
        ),
        pytest.param([sent(10.0), again(10.5), *END], 0.25, 0.25, 1, id="a closed connection"),
        pytest.param(
            [sent(10.0), retrying(11.0), sent(11.5), again(12.0), *END], 1.75, 1.75, 1, id="a try, a closed connection"
        ),
        pytest.param(
            [StagedFault(at=10.0, model="m", fault="500"), retrying(10.5), sent(11.0), *END], 1.0, 1.0, 0, id="staged"
        ),
        pytest.param(
            [sent(10.0), retrying(11.0), Ready(at=12.0, waited_s=0.5), sent(12.0), *END], 1.5, 1.5, 0, id="a place"
        ),
        pytest.param(
            [sent(10.0), retrying(11.0), Loaded(at=13.0, seconds=1.0), sent(13.0), *END], 2.0, 2.0, 0, id="loading"
        ),
        pytest.param(
            [sent(10.0), CALLED, NextTurn(at=13.0, turn=2, request=REQUEST), sent(13.0), retrying(14.0), sent(14.5), *END],
            1.5,
            1.5,
            0,
            id="in a later turn, before text",
        ),
        pytest.param(
            [
                sent(10.0),
                TextDelta(at=11.0, text="Let me see."),
                CALLED,
                NextTurn(at=13.0, turn=2, request=REQUEST),
                sent(13.0),
                again(13.5),
                *END,
            ],
            0.25,
            0.0,
            1,
            id="in a later turn, after text",
        ),
        pytest.param(
            [sent(10.0), retrying(11.0), sent(11.5), again(12.0), fell(13.0, 3.0), sent(13.0), *END],
            3.0,
            3.0,
            0,
            id="of a model that was left, with the step",
        ),
        pytest.param([sent(10.0), retrying(11.0), fell(12.0, 2.0), sent(12.5), *END], 2.0, 2.0, 0, id="no try after it"),
    ],
)  # fmt: skip
def test_what_was_lost(events: list[Event], lost_s: float, ttft_lost_s: float, reconnects: int) -> None:
    reply = fold(*events)
    assert (reply.lost_s, reply.ttft_lost_s, reply.reconnects) == (lost_s, ttft_lost_s, reconnects)
    assert reply.timings.total_s is not None
    assert reply.lost_s <= reply.timings.total_s


# --- each face


TRIED = fold(sent(10.0), retrying(11.0), sent(11.5), *END)
CLOSED = fold(sent(10.0), again(10.5, 0.0001), *END)
BOTH = fold(sent(10.0), retrying(11.0), sent(11.5), retrying(12.0, 3), sent(12.5), again(13.0), *END)
FELL = fold(sent(10.0), fell(12.0, 2.0), Asking(at=12.0, model="other", request=REQUEST), sent(12.0), *END)
CLEAN = fold(sent(10.0), *END)
WORDS = [
    (TRIED, "1.50 s lost to a failed try"),
    (CLOSED, "under 1 ms lost to a closed connection"),
    (BOTH, "2.75 s lost to 2 failed tries and a closed connection"),
    (FELL, "2.00 s lost to a model that failed before"),
]


@pytest.mark.parametrize(("reply", "words"), WORDS)
def test_every_face_says_so_beside_the_figure(reply: Reply, words: str) -> None:
    assert display.lost(reply, reply.ttft_lost_s) == words
    assert words in table([reply], (), "m")
    assert words in summary_line(reply, "named")
    assert words in summary(reply)
    assert any(words in note for note in notes([reply]))
    assert _figures(reply)[0].endswith(LOST)
    assert _figures(reply)[1].endswith(LOST)


def test_an_answer_without_says_nothing() -> None:
    assert display.lost(CLEAN, 0.0) == display.reconnected(CLEAN) == ""
    assert "lost" not in table([CLEAN], (), "m")
    assert "lost" not in summary_line(CLEAN, "named")
    assert not list(notes([CLEAN]))
    assert LOST not in "".join(_figures(CLEAN))
    assert steps(CLEAN) is None


def test_what_was_lost_after_the_first_token_stands_at_the_total() -> None:
    late = fold(
        sent(10.0),
        TextDelta(at=11.0, text="Let me see."),
        CALLED,
        NextTurn(at=13.0, turn=2, request=REQUEST),
        sent(13.0),
        retrying(14.0),
        sent(14.5),
        *END,
    )
    ttft, total = _figures(late)[:2]
    assert (ttft.endswith(LOST), total.endswith(LOST)) == (False, True)
    assert table([late], (), "m").count("1.50 s lost to a failed try</span>") == 1


def test_machines_are_told() -> None:
    route = Route("named", "m", "", {})
    for told in (lane_json(BOTH), chat_json("Hi", route, BOTH)):
        assert [each["attempt"] for each in told["retries"]] == [2, 3]  # type: ignore[index,union-attr,call-overload]
        assert (told["reconnects"], told["lost_s"]) == (1, 2.75)
        assert told["timings"]["ttft_lost_s"] == 2.75  # type: ignore[index,call-overload]
        json.dumps(told)
    assert (lane_json(CLEAN)["retries"], lane_json(CLEAN)["reconnects"], lane_json(CLEAN)["lost_s"]) == ([], 0, 0)
    row = lane_row(BOTH)
    assert (row["retries"], row["reconnects"], row["lost_s"], row["ttft_lost_s"]) == (2, 1, 2.75, 2.75)


def test_people_see_the_way_to_the_answer() -> None:
    assert "A kept connection was closed: asked again at once on a new one." in str(steps(CLOSED))
    assert "A kept connection was closed: asked again at once on a new one." in chain_lines(CLOSED)
    twice = replace(CLOSED, reconnects=2)
    assert "closed 2 times" in display.reconnected(twice)
    assert "10 ms later" in setback_line(again(0.0, 0.01))


# --- medians


def sample(reply: Reply, ttft_s: float = 1.0, total_s: float = 2.0, **spans: float) -> Sample:
    timings = Timings(ttft_s=ttft_s, total_s=total_s, **spans)  # type: ignore[arg-type]  # `partial` is none of them
    return Sample(0, 0, replace(reply, timings=timings, cost=Cost(Decimal(0), "free")))


def test_medians_leave_out_failed_tries_and_what_a_closed_connection_took() -> None:
    samples = [
        sample(CLEAN),
        sample(CLOSED, lost_s=0.25, ttft_lost_s=0.25, ttft_s=1.25, total_s=2.25),
        sample(CLOSED, lost_s=0.5, ttft_lost_s=0.25, queue_s=0.5, ttft_s=1.75, total_s=3.0),
        sample(TRIED, lost_s=1.5, ttft_lost_s=1.5, ttft_s=2.5, total_s=3.5),
    ]
    found = Tally()
    for each in samples:
        found.add(each)
    assert found.ttft_s is not None
    assert found.total_s is not None
    assert (found.ttft_s.median.value, found.ttft_s.median.n) == (1.0, 3)
    assert (found.total_s.median.value, found.total_s.median.n) == (2.0, 3)
    assert (found.retried, found.reconnected, found.lost_s) == (1, 2, 2.25)
    [told] = results_json({"m": found})
    assert isinstance(told, dict)
    assert (told["retries"], told["reconnects"], told["lost_s"]) == (1, 2, 2.25)
    figures = figures_of(found)
    assert (figures["Retried"], figures["Lost"]) == ("1", "2.25 s")
    assert any("2.25 s in all" in note for note in batch_notes({"m": found}, 1))
    cell = cell_of(samples, 1)
    assert cell.ttft_s is not None
    assert (cell.ttft_s.value, cell.ttft_s.n) == (1.0, 3)
    assert (cell.retried, cell.reconnected, cell.lost_s) == (1, 2, 2.25)
    assert [note.split(":")[0] for note in timing_notes([cell])] == [
        "1 of 4 answers came after a failed try",
        "2 of 4 answers were asked again on a new connection, because a kept one was closed",
    ]
