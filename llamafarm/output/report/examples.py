"""The best and the worst answer of each model, and by what they are that."""

from __future__ import annotations

from dataclasses import dataclass, field

from llamafarm.core import display
from llamafarm.core.reply import Reply
from llamafarm.experiments.stats.sample import Sample

LONGEST = 1_200  # letters of a prompt or an answer that is shown


@dataclass(frozen=True, slots=True)
class Example:
    """An answer, and in words why it is shown: the judge's score, checks, a vote."""

    model: str
    where: str
    prompt: str
    answer: str
    by: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Examples:
    """Keeps the best and the worst so far of each model, by a rank; the first of equals stays.

    Checks decide before a judge's score, that before a vote, and a vote before agreement.
    """

    best: dict[str, tuple[tuple[float, ...], Example]] = field(default_factory=dict)
    worst: dict[str, tuple[tuple[float, ...], Example]] = field(default_factory=dict)

    def add(
        self, sample: Sample, prompt: str, where: str, *, vote: bool | None = None, agreeing: float | None = None
    ) -> None:
        """Take an answer. `vote`: whether it was voted the best; `agreeing`: the share that answered as it did."""
        if not sample.answered:
            return
        rank, by = _rank(sample, vote=vote, agreeing=agreeing)
        if not by:
            return
        model = sample.reply.asked
        if model not in self.best or rank > self.best[model][0]:
            self.best[model] = (rank, _example(sample, prompt, where, by))
        if model not in self.worst or rank < self.worst[model][0]:
            self.worst[model] = (rank, _example(sample, prompt, where, by))

    def pairs(self) -> list[tuple[Example, Example | None]]:
        """By model the best and the worst; no worst where nothing is worse than the best."""
        return [
            (example, self.worst[model][1] if self.worst[model][0] < rank else None)
            for model, (rank, example) in self.best.items()
        ]


def _rank(sample: Sample, *, vote: bool | None, agreeing: float | None) -> tuple[tuple[float, ...], str]:
    """What answers are compared by, and the strongest of it in words; empty where nothing tells them apart."""
    score = sample.judged.score if sample.judged else None
    words = []
    if sample.passed is not None:
        words.append("passed all checks" if sample.passed else "failed a check")
    if score is not None:
        words.append(f"judge's score {score * 10:.3g} of 10")
    if vote is not None:
        words.append("voted best" if vote else "not voted best")
    if agreeing is not None:
        words.append(f"{agreeing:.0%} of the repeats answered so")
    rank = tuple(0.5 if each is None else float(each) for each in (sample.passed, score, vote, agreeing))
    return rank, ", ".join(words)


def _example(sample: Sample, prompt: str, where: str, by: str) -> Example:
    return Example(sample.reply.asked, where, cut(prompt), said(sample.reply), by, tuple(map(cut, sample.notes)))


def said(reply: Reply) -> str:
    """The answer, cut where it is long; how it failed, where it did."""
    if reply.failure is not None and not reply.text:
        return display.why_failed(reply.failure)
    return cut(reply.text) or "(no text)"


def cut(text: str, longest: int = LONGEST) -> str:
    """`text`, cut with a note where it is longer."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… (cut here: {len(text):,} characters in all)"
