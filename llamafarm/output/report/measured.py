"""How the figures of a report were measured, in words for people who were not there."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.output.report.collect import Collected
from llamafarm.output.report.figures import CALLS

Definition = tuple[str, str]


def definitions(whole: Collected) -> list[Definition]:
    """What each figure means, and what it does not."""
    return [*_times(), *_counts(), *_quality(whole), *_conditions(whole)]


def _times() -> Iterator[Definition]:
    yield (
        "TTFT",
        "Time to the first token that a reader sees, from the moment at which the call began. Taken where the bytes "
        "arrive, by a monotonic clock. Waiting for a free place in the playground is taken off, and so is what "
        "a kept connection took that turned out to be closed: both are this run's and not the model's.",
    )
    yield "Total", "The same to the end of the answer."
    yield (
        "Speed",
        "(output tokens − 1) ÷ (last token − first token). None is told that would rest on less than 200 ms or fewer "
        "than 8 tokens.",
    )
    yield (
        "What is timed",
        "Whole answers of the model that was asked. Answers after a failed try, with a staged fault, or for which the "
        "model had to be loaded into memory first (cold) are in no time here.",
    )
    yield (
        "Median, p95",
        "Half of the answers were quicker than the median, 95 of 100 than the 95th percentile. The median's interval "
        "is that of order statistics (Conover 1999), told from 6 answers on.",
    )


def _counts() -> Iterator[Definition]:
    yield "Tokens", "As the server counts them. “~” marks counts that were estimated from the text."
    yield (
        "Cost",
        "US dollars, fixed when the answer ended: as the server told them, by the project file’s own prices, or by a "
        "dated price table. Models on hardware of one’s own are free of charge, which leaves out power and machines. "
        "Where nobody told a price the cost is unknown, and never zero.",
    )
    yield (
        f"{CALLS:,} calls",
        f"The mean cost of the whole answers here, times {CALLS:,}: for calls like these. Unknown as soon as the cost "
        "of one of them is.",
    )


def _quality(whole: Collected) -> Iterator[Definition]:
    if any(each.pass_rate for each in whole.figures.values()):
        yield (
            "Checks passed",
            "The share of whole answers that passed every check of their prompt. Its interval is Wilson’s (1927)"
            + (", or a bootstrap over prompts and repeats." if whole.places else "."),
        )
    if whole.places is not None:
        if whole.places.judge:
            yield (
                "Judge’s score",
                f"The model {whole.places.judge} graded each answer from 0 to 10 by the rubric; 10 is 100 %. A judge "
                "is a model too, and may be wrong. What it cost is told apart.",
            )
        yield "Agreement", "The share of the most common answer among the repeats of a prompt, after normalising."
        yield (
            "Diversity",
            "Distinct-n: different n-grams over all n-grams of the repeats (Li et al. 2016). Similarity: mean Jaccard "
            "index of two answers’ words.",
        )
        yield "Intervals of cells", "95 % bootstrap: prompts are drawn first, then the answers of each (Efron 1993)."
    if any(each.voted for each in whole.figures.values()):
        yield (
            "Votes won",
            "The share of the votes for a best answer that went to the model. Ties and “all bad” are in none.",
        )
    yield (
        "Too few to tell",
        "Where the 95 % intervals of two figures have a point in common, the figures are not told apart here. That is "
        "stricter than a test of their difference would be.",
    )


def _conditions(whole: Collected) -> Iterator[Definition]:
    yield (
        "Shared",
        "While the answer came, from the request’s leaving to the answer’s end, another request of the same process "
        "was at the same server. Requests slow each other there, the more so on one’s own machine. Other programs’ "
        "requests are not known.",
    )
    if whole.fair or any(each.warming.sources for each in whole.figures.values()):
        yield (
            "One at a time, warmed",
            "This was asked one call after the other. Each model got a short request first, whose figures are in none "
            "of these; what it cost is told under “Warming”.",
        )
