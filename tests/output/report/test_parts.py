"""The parts of a report: medians with intervals, who is ahead, examples, and a large run in little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import cast

from llamafarm.core.figures import Estimate
from llamafarm.history.machine import Machine
from llamafarm.history.model import Recorded, Run, Snapshot
from llamafarm.history.query import Filter, Found
from llamafarm.history.reader import HistoryReader
from llamafarm.output.report.collect import collect
from llamafarm.output.report.examples import LONGEST, Examples, cut
from llamafarm.output.report.figures import Figures
from llamafarm.output.report.page import page
from llamafarm.output.report.subject import Subject, subject_of
from llamafarm.output.report.verdicts import ahead
from tests.experiments.stats.samples import judged, samples
from tests.history.database.made import PROJECT, START, asked, ended


def test_who_is_ahead_is_told_only_where_intervals_are_apart() -> None:
    models = [Figures("a"), Figures("b"), Figures("c")]
    values = {"a": Estimate(0.9, 0.8, 0.95, 40), "b": Estimate(0.7, 0.6, 0.82, 40), "c": Estimate(0.2, 0.1, 0.3, 40)}
    found = ahead(models, lambda each: values[each.name])
    assert found is not None
    assert (found.kind, found.model, found.rivals) == ("tied", "a", ("b",))
    least = ahead(models, lambda each: values[each.name], least=True)
    assert least is not None
    assert (least.kind, least.model) == ("clear", "c")
    single = ahead(models, lambda each: values["a"] if each.name == "a" else None)
    assert single is not None
    assert single.kind == "alone"
    assert ahead(models, lambda _: None) is None


def test_examples_go_by_checks_then_judge_and_the_first_of_equals_stays() -> None:
    examples = Examples()
    for text, passed, score in (("no", False, 1.0), ("good", True, 0.5), ("best", True, 0.9), ("also", True, 0.9)):
        (sample,) = samples([text], passed=passed, judged=judged(score))
        examples.add(sample, "Why?", "here")
    ((best, worst),) = examples.pairs()
    assert worst is not None
    assert (best.answer, best.by) == ("best", "passed all checks, judge's score 9 of 10")
    assert (worst.answer, worst.by) == ("no", "failed a check, judge's score 10 of 10")


def test_equals_have_no_worst_and_what_nothing_tells_apart_is_no_example() -> None:
    examples = Examples()
    for sample in samples(["a", "b"]):
        examples.add(sample, "Why?", "")
    assert examples.pairs() == []
    for sample in samples(["a", "b"], passed=True):
        examples.add(sample, "Why?", "")
    ((best, worst),) = examples.pairs()
    assert (best.answer, worst) == ("a", None)


def test_what_is_cut_says_so() -> None:
    assert cut("short") == "short"
    assert cut("x" * (LONGEST + 1)).endswith(f"… (cut here: {LONGEST + 1:,} characters in all)")


class Long:
    """A history with one run of so many rows, each made when it is read."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.run = Run("01" * 13, "batch", "prompts.csv: many rows", START, PROJECT, {"models": ["fast"]})

    async def runs(self, *, limit: int = 50) -> list[Run]:
        return [self.run]

    async def run_beginning(self, beginning: str) -> Run | None:
        return self.run

    async def find(self, wanted: Filter = Filter(), *, limit: int = 50) -> Found:
        return Found(())

    async def open(self, identity: str) -> Recorded:
        raise AssertionError(identity)

    async def stream(self, wanted: Filter = Filter(), *, oldest_first: bool = False) -> AsyncGenerator[Recorded, None]:
        for number in range(self.rows):
            row = asked(f"Question {number}? {'x' * 2000}", ("fast",), kind="batch", run=self.run.id, item=str(number))
            yield Recorded(row, (ended(row, text=f"Answer {number}. {'y' * 2000}"),))

    async def snapshot(self, digest: str) -> Snapshot | None:
        return None

    async def machines(self, *, run: str | None = None, comparison: str | None = None) -> list[Machine]:
        return []


def long_run(rows: int) -> HistoryReader:
    """A history of that run, of which nothing else is read."""
    return cast("HistoryReader", Long(rows))


async def made_of(rows: int) -> tuple[str, int]:
    """The page of a run of so many rows, and the most bytes that making it took."""
    past = long_run(rows)
    tracemalloc.start()
    try:
        whole = await collect(past, await subject_of(past, "latest"))
        html = page(whole, datetime(2026, 11, 24, tzinfo=UTC))
        return html, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_a_long_run_is_summed_up_in_little_memory() -> None:
    """Four times the rows take what their figures take (under 100 bytes a row), and not their texts (4,000 each)."""
    await made_of(10)
    short, small = await made_of(500)
    long, large = await made_of(2_000)
    assert "500 of 500" in short
    assert "2,000 of 2,000" in long
    assert "And 1,988 more prompts." in long
    assert large - small < 1_500 * 200
    assert abs(len(long) - len(short)) < 200


async def test_a_comparison_that_belongs_to_no_run_is_its_own_subject() -> None:
    comparison = asked()
    recorded = Recorded(comparison, (ended(comparison),))
    subject = Subject(None, recorded, None, ())
    whole = await collect(long_run(0), subject)
    assert subject.id == comparison.id
    assert list(whole.figures) == ["fast", "wise"]
    assert whole.unfinished == 1
