"""The documentation's temperature guidelines: the range that suits a task, and what the task aims at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Aim = Literal["sure", "varied"]
STEP = 0.1


@dataclass(frozen=True, slots=True)
class Guideline:
    """The range of temperatures that suits a task; `key` names it on the command line.

    `aim`: `sure` wants answers that pass their checks and agree, `varied` ones that differ and still pass.
    """

    task: str
    low: float
    high: float
    key: str = ""
    aim: Aim = "sure"

    @property
    def values(self) -> tuple[float, ...]:
        """The range in steps of a tenth: what a sweep for this task tries."""
        steps = round((self.high - self.low) / STEP)
        return tuple(round(self.low + step * STEP, 10) for step in range(steps + 1))


GUIDELINES = (
    Guideline("Factual Q&A", 0.1, 0.3, "factual"),
    Guideline("Code generation", 0.2, 0.4, "code"),
    Guideline("Analysis", 0.3, 0.5, "analysis"),
    Guideline("General chat", 0.5, 0.7, "chat", "varied"),
    Guideline("Creative writing", 0.7, 1.0, "creative", "varied"),
    Guideline("Brainstorming", 0.8, 1.2, "brainstorm", "varied"),
)


def suits(temperature: float) -> tuple[str, ...]:
    """The tasks whose range holds `temperature`."""
    return tuple(guide.task for guide in GUIDELINES if guide.low <= temperature <= guide.high)
