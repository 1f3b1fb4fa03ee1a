"""The checks of a probe: what each is called, and what a failure means for the figures here. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llamafarm.core.conditions import Figure
from llamafarm.history.probe import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `meaning`, `short` and `figures` are those of a `Finding` that failed."""

    name: str
    title: str
    meaning: str
    short: str
    figures: tuple[Figure, ...] = ()

    def yes(self, evidence: str) -> Finding:
        """It is so."""
        return Finding(self.name, self.title, "yes", evidence)

    def no(self, evidence: str) -> Finding:
        """It is not so."""
        return Finding(self.name, self.title, "no", evidence, self.meaning, self.short, self.figures)

    def untold(self, evidence: str) -> Finding:
        """Nobody tells."""
        return Finding(self.name, self.title, "untold", evidence)


_ALL = (
    Check(
        "stream",
        "streams word by word",
        "TTFT is the time until a whole lump was there, and speed can't be measured or is that of the lumps.",
        "in lumps",
        ("ttft", "speed"),
    ),
    Check(
        "usage",
        "tells its token counts in the stream",
        "In, Out and what rests on them (speed, cost) are estimates from the text.",
        "no counts",
        ("input", "output", "speed", "cost"),
    ),
    Check(
        "growth",
        "counts grow with the prompt",
        "In is not the size of the prompt, and neither is a cost that rests on it.",
        "counts don't grow",
        ("input", "cost"),
    ),
    Check(
        "length",
        "says “length” where max_tokens cut",
        "An answer that was cut looks complete: Out and Total may be those of a part.",
        "cuts untold",
        ("output", "total"),
    ),
    Check(
        "stop",
        "honours “stop”",
        "Answers go on behind the words that should end them: Out and Total are larger than they should be.",
        "ignores stop",
        ("output", "total"),
    ),
    Check(
        "context",
        "refuses a prompt over its context",
        "A long prompt is cut unseen: the answer is about a part of it, and In is that of the part.",
        "cuts prompts",
        ("input",),
    ),
    Check(
        "cancel",
        "a cancelled answer frees it",
        "It goes on with answers that were stopped: the TTFT of the next one has that wait in it.",
        "goes on when stopped",
        ("ttft", "total"),
    ),
    Check(
        "at_once",
        "answers several at once",
        "Answers come one at a time: the TTFT of a lane behind another has that wait in it.",
        "one at a time",
        ("ttft", "total"),
    ),
    Check(
        "repeat",
        "repeats itself at temperature 0 with a seed",
        "The same question gets other answers: ask several times before you conclude.",
        "doesn't repeat",
    ),
    Check(
        "tools",
        "calls tools",
        "Tools that a project declares for this model have no effect on its answers.",
        "no tools",
    ),
    Check(
        "json",
        "keeps to a JSON schema",
        "What asks for JSON gets text: checks of its form will fail.",
        "no JSON",
    ),
    Check(
        "reasoning",
        "keeps reasoning apart",
        "Reasoning comes in the text: until its end is known it is shown as the answer, and TTFT may be that of it.",
        "reasoning in the text",
        ("ttft",),
    ),
    Check(
        "cached",
        "tells cached tokens",
        "Nobody tells what of a repeated prompt was read before: its TTFT may be that of a cache, its cost too high.",
        "cache untold",
    ),
    Check(
        "waits",
        "tells loading and its queue",
        "TTFT may have loading, or waiting at the server, in it that nobody tells.",
        "waits untold",
        ("ttft", "total"),
    ),
    Check(
        "model",
        "answers with the model that was asked",
        "The figures are those of another model than the project file names.",
        "another model",
        ("ttft", "total", "speed", "cost"),
    ),
)
CHECKS: Mapping[str, Check] = {check.name: check for check in _ALL}
