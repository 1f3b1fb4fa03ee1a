"""What a probe of a model's server found, as plain values. Instants are aware datetimes in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from llamafarm.core.conditions import Figure, ProbeMark

Mark = Literal["yes", "no", "untold"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check `check` found. `title` says what is checked; `evidence` is what `mark` rests on.

    `meaning` says what a `no` means for the figures here, and `figures` which ones; `short` is that in a word or two.
    """

    check: str
    title: str
    mark: Mark
    evidence: str
    meaning: str = ""
    short: str = ""
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What was probed: a model at a server. Named models that share both share what was found."""

    server: str
    provider: str
    model_id: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of `subject` by the named model `model`; `ended` is False where it was stopped or met a bound.

    `tokens` are those of all answers, prompts included, as reported or estimated; the prompt that was made too long
    for the model's context is told apart, as `long_tokens`.
    """

    subject: Subject
    model: str
    probed_at: datetime
    findings: tuple[Finding, ...]
    tokens: int
    seconds: float
    ended: bool = True
    long_tokens: int = 0

    @property
    def day(self) -> str:
        """The day of the probe (UTC), as ISO 8601."""
        return self.probed_at.date().isoformat()

    @property
    def marks(self) -> tuple[ProbeMark, ...]:
        """What stands at the figures of lanes that this model answers."""
        return tuple(
            ProbeMark(each.check, each.figures, each.short, each.meaning, self.day)
            for each in self.findings
            if each.mark == "no" and each.figures
        )

    def count(self, mark: Mark) -> int:
        """How many findings have this mark."""
        return sum(each.mark == mark for each in self.findings)
