"""What the tools answer, as clients are told of it; tests hold every answer to these schemas.

Spans are seconds, money is US dollars; null is not measured or not known. More may stand beside what is described.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Result(BaseModel):
    """Base of all results."""

    model_config = ConfigDict(extra="allow")


class ModelState(Result):
    """A named model; `problems` say why it can't be used, where it can't."""

    name: str
    provider: str
    model: str
    description: str
    default: bool
    usable: bool
    problems: list[str]


class ModelsResult(Result):
    """A project, as namespace/name, and its models."""

    project: str
    models: list[ModelState]


class Pick(Result):
    """A named model, and why it was picked."""

    model: str
    reason: str


class RouteResult(Result):
    """What each strategy would pick; `learned` is there where there is a history. `auto` is the pick by complexity,
    unless the project names another strategy.
    """

    complexity: Pick
    token_budget: Pick
    learned: Pick | None = None


class Tokens(Result):
    """Tokens; `source` says whether the server reported them or they are estimated."""

    input: int | None
    output: int | None
    source: Literal["reported", "estimated"] | None


class Spans(Result):
    """ttft_s: to the first visible token. tokens_per_s: while decoding."""

    ttft_s: float | None
    total_s: float | None
    tokens_per_s: float | None


class Price(Result):
    """What the answer cost."""

    usd: float | None
    source: str


class Failure(Result):
    """Who is at fault where an answer failed, and whether the same request may succeed later."""

    kind: str
    culprit: str | None
    retryable: bool | None
    status: int | None


class LaneResult(Result):
    """One answer: `model` was asked, and `answered_by` answered, after fallbacks."""

    model: str
    answered_by: str
    provider: str
    status: str
    text: str
    error: str | None
    failure: Failure | None
    finish_reason: str | None
    usage: Tokens
    timings: Spans
    cost: Price


class Taken(Pick):
    """How the model was found: `named`, the `default`, or by a router's strategy."""

    strategy: str


class ChatResult(LaneResult):
    """One answer, and how its model was found."""

    route: Taken


class CompareResult(Result):
    """The prompt, what each strategy would pick, and every answer."""

    prompt: str
    route: dict[str, Pick] = Field(description="By strategy.")
    lanes: list[LaneResult]
    notes: list[str] = Field(description="What bears on the times of several models together.")
