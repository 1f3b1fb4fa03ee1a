"""How late the event loop was is told where it matters: to the figure that it spoils."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest

from llamafarm.cli.terminal.lines import summary_line
from llamafarm.cli.terminal.table import LATE as MARK
from llamafarm.cli.terminal.table import _figures, notes
from llamafarm.core import display
from llamafarm.core.conditions import Lagged
from llamafarm.core.events import Event, Failed, Finished, Sent, Started, Stopped, TextDelta
from llamafarm.core.types import Cost, SentRequest, Timings
from llamafarm.engine.comparison import Comparison, LaneEvent
from llamafarm.engine.fold.fold import Fold
from llamafarm.engine.lag import LoopLag, with_lag
from llamafarm.engine.lane import Lane
from llamafarm.engine.replies import Replies
from llamafarm.experiments.batch.results import results_json
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.summary import summary
from llamafarm.experiments.stats.tally import Tally
from llamafarm.experiments.sweep.findings import timing_notes
from llamafarm.output.batch_table import notes as batch_notes
from llamafarm.output.report.figures import Figures
from llamafarm.output.report.sentences import _doubts
from llamafarm.output.report.tables import _conditions
from llamafarm.ui.compare.table import table
from llamafarm.ui.parts.cards import summary as card_summary
from tests.engine.fakes import FlatPrices, model, project
from tests.engine.test_setbacks import CLEAN

STALL_S = 0.06


def stall(seconds: float = STALL_S) -> None:
    """What must not happen: code that keeps the event loop."""
    time.sleep(seconds)


async def ticks(lag: LoopLag, count: int = 3) -> None:
    """Until the timer has rung some times."""
    for _ in range(count):
        await asyncio.sleep(lag.tick_s)


async def test_a_stall_is_as_long_as_it_was_give_or_take_a_tick() -> None:
    lag = LoopLag()
    since = lag.watch()
    await ticks(lag)
    stall()
    assert STALL_S - 2 * lag.tick_s <= lag.largest(since) < 3 * STALL_S  # while it lasts
    await ticks(lag)
    assert STALL_S - 2 * lag.tick_s <= lag.largest(since) < 3 * STALL_S
    later = asyncio.get_running_loop().time()
    await ticks(lag)
    assert lag.largest(later) < lag.largest(since)
    lag.leave()


async def test_the_largest_since_any_instant() -> None:
    lag, loop = LoopLag(), asyncio.get_running_loop()
    instants = [lag.watch()]
    for seconds in (0.09, 0.03, 0.06):
        stall(seconds)
        await ticks(lag)
        instants.append(loop.time())
    found = [lag.largest(each) for each in instants]
    assert found[0] > found[1]
    assert found[1] == found[2] > found[3]
    lag.leave()


async def test_nobody_watches_and_nothing_rings() -> None:
    lag, loop = LoopLag(), asyncio.get_running_loop()
    lag.watch()
    lag.watch()
    lag.leave()
    await ticks(lag)
    lag.leave()
    assert lag._timer is None
    since = loop.time()
    stall()
    lag.watch()
    assert lag.largest(since) == 0.0
    lag.leave()


async def lanes(*happens: object) -> AsyncGenerator[Event, None]:
    for each in happens:
        if callable(each):
            each()
        elif isinstance(each, float):
            await asyncio.sleep(each)
        elif isinstance(each, Event):
            yield each


async def told(*happens: object) -> list[Event]:
    opened = with_lag(lambda _: lanes(*happens), LoopLag())
    return [event async for event in opened(Lane("a", model("a")))]


TEXT, END = TextDelta(at=1.0, text="hi"), Finished(at=2.0, reason="stop")
START = Started(at=0.0)


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        ((START, 0.02, stall, TEXT, 0.02, END), ["Started", "Lagged", "TextDelta", "Lagged", "Finished"]),
        ((START, 0.02, TEXT, 0.02, stall, END), ["Started", "TextDelta", "Lagged", "Finished"]),
        ((stall, 0.02, START, TEXT, END), ["Started", "TextDelta", "Finished"]),
        ((START, 0.02, stall, 0.02, START, TEXT, END), ["Started", "Started", "TextDelta", "Finished"]),
        (
            (START, TEXT, 0.02, stall, TEXT, TEXT, END),
            ["Started", "TextDelta", "TextDelta", "TextDelta", "Lagged", "Finished"],
        ),
    ],
)
async def test_it_is_told_before_the_first_text_and_before_the_end(
    happens: tuple[object, ...], expected: list[str]
) -> None:
    events = await told(*happens)
    large = [event for event in events if not isinstance(event, Lagged) or event.seconds >= STALL_S / 2]
    assert [type(event).__name__ for event in large] == expected


def late_stop(comparison: Comparison) -> None:
    stall()
    comparison.stop()


@dataclass
class Seen:
    """A record that is a list."""

    id: str = "seen"
    told: list[LaneEvent] = field(default_factory=list)

    def watch(self, told: LaneEvent) -> None:
        self.told.append(told)


async def compared(*happens: object) -> tuple[Comparison, list[LaneEvent]]:
    """A comparison of one lane that does so, until it ends; `happens` may be told to stop it."""
    lane, seen = Lane("a", model("a")), Seen()
    replies = Replies(project([lane.model]), (lane,), FlatPrices())
    comparison = Comparison([lane], with_lag(lambda _: lanes(*happens), LoopLag()), replies, record=seen)
    async with comparison, aclosing(comparison.events()) as events:
        async for told in events:
            if happens[-1] == 60.0 and isinstance(told.event, TextDelta | Sent):
                asyncio.get_running_loop().call_later(0.03, late_stop, comparison)
    return comparison, seen.told


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param((START, TEXT, 60.0), id="after its first text"),
        pytest.param((START, TEXT, TEXT, TEXT, 60.0), id="after more of it"),
        pytest.param((START, Sent(at=0.0, request=SentRequest("POST", "", {}, {})), 60.0), id="before any text"),
    ],
)
async def test_a_lane_that_is_stopped_tells_it_too(happens: tuple[object, ...]) -> None:
    _, seen = await compared(*happens)
    *_, late, end = [told.event for told in seen]
    assert isinstance(late, Lagged)
    assert late.seconds >= STALL_S / 2
    assert isinstance(end, Stopped)
    fast = model("a")
    fold = Fold("a", fast, lambda _: fast, lambda *_: Cost(None, "unknown"))
    for told in seen:
        fold.add(told.event)
    reply = fold.reply(end.at)
    assert (reply.status, reply.timings.lag_s) == ("stopped", late.seconds)


async def test_a_lane_that_breaks_tells_it_too() -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    _, seen = await compared(START, TEXT, 0.02, stall, 0.02, breaks)
    *_, late, end = [told.event for told in seen]
    assert isinstance(late, Lagged)
    assert isinstance(end, Failed)


async def test_a_reader_that_goes_is_told_nothing() -> None:
    lag = LoopLag()
    opened = with_lag(lambda _: lanes(START, TEXT, 60.0), lag)(Lane("a", model("a")))
    async with aclosing(opened) as events:
        async for event in events:
            if event is TEXT:
                stall()
                break
    assert lag._timer is None


async def test_cancelling_is_not_swallowed() -> None:
    """Whoever reads the lane without a comparison, as the API does, ends as soon as it has taken that."""
    taken: list[Event] = []
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(with_lag(lambda _: lanes(START, TEXT, 60.0), LoopLag())(Lane("a", model("a")))) as events:
            async for event in events:
                taken.append(event)
                if event is TEXT:
                    begun.set()
                await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0.02)
    stall()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert isinstance(taken[-1], Lagged)


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        (Timings(ttft_s=0.2, total_s=0.7), ""),
        (Timings(ttft_s=0.2, total_s=0.7, lag_s=0.004, ttft_lag_s=0.004), ""),
        (Timings(ttft_s=0.2, total_s=10.0, lag_s=0.04, ttft_lag_s=0.04), "up to 40 ms late: TTFT may"),
        (Timings(ttft_s=0.2, total_s=0.7, lag_s=0.04, ttft_lag_s=0.002), "up to 40 ms late: total may"),
        (Timings(ttft_s=0.2, total_s=0.7, lag_s=0.04, ttft_lag_s=0.04), "up to 40 ms late: TTFT and total may"),
        (Timings(ttft_s=10.0, total_s=20.0, lag_s=0.1, ttft_lag_s=0.1), ""),
        (Timings(total_s=0.7, lag_s=0.1, ttft_lag_s=0.1), "up to 100 ms late: total may"),
    ],
)
def test_only_a_good_part_of_a_figure_makes_it_doubtful(spans: Timings, said: str) -> None:
    assert said in display.lag(spans)
    assert bool(display.lag(spans)) is bool(said)


LATE = Timings(ttft_s=0.2, total_s=0.7, tokens_per_s=50.0, lag_s=0.04, ttft_lag_s=0.04)


def test_every_face_marks_the_figures() -> None:
    late = replace(CLEAN, timings=LATE)
    words = "the playground itself was up to 40 ms late"
    assert [cell.endswith(MARK) for cell in _figures(late)] == [True, True, True, False, False, False]
    assert any(note.startswith(f"lane{MARK}: {words}") for note in notes([late]))
    assert words in summary_line(late, "named")
    assert words in card_summary(late)
    assert ">late<" in table([late], (), "m")
    only_ttft = replace(CLEAN, timings=replace(LATE, total_s=10.0))
    assert [cell.endswith(MARK) for cell in _figures(only_ttft)][:3] == [True, False, False]
    assert not any(MARK in cell for cell in _figures(CLEAN))


def test_sums_of_many_answers_say_for_how_many() -> None:
    samples = [Sample(0, 0, CLEAN), Sample(0, 1, replace(CLEAN, timings=LATE))]
    tally, words = Tally(), "For 1 of 2 answers the playground itself was late: their times may be too long."
    for each in samples:
        tally.add(each)
    cell = summary(samples, 1)
    assert (tally.late, cell.late) == (1, 1)
    assert words in batch_notes({"m": tally}, 1)
    assert words in list(timing_notes([cell]))
    [told] = results_json({"m": tally})
    assert isinstance(told, dict)
    assert told["late"] == 1
    figures = Figures("m", tally=tally)
    assert words in [str(each) for each in _doubts([figures])]
    assert "1 timed while the playground was late" in _conditions(figures)


def test_the_reply_tells_both() -> None:
    fast = model("fast")
    fold = Fold("fast", fast, lambda _: fast, lambda *_: Cost(None, "unknown"))
    for event in (Started(at=1.0), Lagged(at=1.2, seconds=0.02), TextDelta(at=1.2, text="hi")):
        fold.add(event)
    assert (fold.reply(1.3).timings.lag_s, fold.reply(1.3).timings.ttft_lag_s) == (0.02, 0.02)
    fold.add(Lagged(at=1.5, seconds=0.3))
    fold.add(Finished(at=1.6, reason="stop"))
    assert (fold.reply(1.6).timings.lag_s, fold.reply(1.6).timings.ttft_lag_s) == (0.3, 0.02)
