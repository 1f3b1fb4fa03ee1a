"""What a sweep will take, before it starts: calls, tokens and money, each known, bounded or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.server import server_of
from llamafarm.core.parameters import LENGTH_BOUNDS
from llamafarm.core.tokens import estimate_messages
from llamafarm.core.types import ChatRequest, Cost, Count, JsonValue, Message, Usage
from llamafarm.engine.lane import request_for
from llamafarm.engine.replies import Prices
from llamafarm.experiments.judge import SYSTEM, judge_prompt
from llamafarm.experiments.sweep.grid import Call, Grid, Judge


@dataclass(frozen=True, slots=True)
class Work:
    """So many calls of `model`, each with an answer of at most `bound` tokens."""

    model: NamedModel
    bound: int | None
    calls: int


@dataclass(frozen=True, slots=True)
class Expected:
    """About how many `seconds` all will take, if answers take what `answers` earlier ones of the same models took."""

    seconds: float
    answers: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`input_tokens` are estimated. `output_tokens` and `usd` are upper bounds by max_tokens; None is unknown.

    `unpriced` are models whose price nobody told, `unbounded` those whose answers have no bound. By `servers`: how
    many calls go to each. `notes` are sentences for people. `work` is what the calls are, and `expected` how long they
    may take, None where nothing tells it: see `engine.pace`.
    """

    calls: int
    judge_calls: int
    input_tokens: int
    output_tokens: int | None
    usd: Decimal | None
    unpriced: tuple[str, ...]
    unbounded: tuple[str, ...]
    servers: dict[str, int]
    notes: tuple[str, ...]
    work: tuple[Work, ...] = ()
    expected: Expected | None = None


@dataclass(slots=True)
class Total:
    """Adds up what calls will take."""

    prices: Prices
    given: int = 0
    made: int = 0
    usd: Decimal = Decimal(0)
    unpriced: dict[str, None] = field(default_factory=dict)
    unbounded: dict[str, None] = field(default_factory=dict)
    models: dict[str, NamedModel] = field(default_factory=dict)
    calls: Counter[tuple[str, int | None]] = field(default_factory=Counter)

    def add(self, model: NamedModel, given: int, bound: int | None, times: int = 1) -> None:
        """So many calls of `model`, each with about `given` tokens and an answer of at most `bound`."""
        self.models[model.name] = model
        self.calls[model.name, bound] += times
        self.given += given * times
        self.made += (bound or 0) * times
        if bound is None:
            self.unbounded[model.name] = None
        usage = Usage(Count(given, "estimated"), Count(bound or 0, "estimated"))
        cost: Cost = self.prices.price(model, usage)
        if cost.usd is None or (bound is None and cost.source != "free"):
            self.unpriced[model.name] = None
        else:
            self.usd += cost.usd * times

    def plan(self, calls: int, judge_calls: int, servers: Mapping[str, int], notes: Iterable[str]) -> Plan:
        """The plan of all that was added."""
        return Plan(
            calls=calls,
            judge_calls=judge_calls,
            input_tokens=self.given,
            output_tokens=None if self.unbounded else self.made,
            usd=None if self.unpriced else self.usd,
            unpriced=tuple(self.unpriced),
            unbounded=tuple(self.unbounded),
            servers=dict(servers),
            notes=tuple(notes),
            work=tuple(Work(self.models[name], bound, calls) for (name, bound), calls in self.calls.items()),
        )


def plan_of(project: Project, grid: Grid, prices: Prices) -> Plan:
    """The plan of `grid`. Raises RequestError where a prompt's template variable has no value."""
    total = Total(prices)
    servers: Counter[str] = Counter()
    for model in grid.models:
        servers[server_of(model)] += grid.size // len(grid.models)
        for prompt in range(len(grid.prompts)):
            for value in range(len(grid.values)):
                call = Call(model.name, value, prompt, 0)
                request = request_for(project, grid.lane(call), grid.question(call))
                bound = bound_of(request)
                total.add(model, estimate_messages(request.messages), bound, grid.repeats)
                if grid.judge is not None:
                    _add_judge(total, grid, grid.judge, prompt, bound)
    if grid.judge is not None:
        servers[server_of(grid.judge.model)] += grid.size
    return total.plan(grid.size, grid.size if grid.judge else 0, servers, _notes(grid))


def _add_judge(total: Total, grid: Grid, judge: Judge, prompt: int, bound: int | None) -> None:
    """The judge reads the answer too: where that has no bound, neither has what judging costs."""
    asked = judge_prompt(judge.rubric, grid.prompts[prompt].text, "")
    given = estimate_messages([Message("system", SYSTEM), Message("user", asked)]) + (bound or 0)
    said = bound_of(ChatRequest((), judge.model.parameters))
    total.add(judge.model, given, None if bound is None else said, grid.repeats)


def bound_of(request: ChatRequest) -> int | None:
    """How many tokens the answer to `request` may have; None where nothing bounds it."""
    return next((found for name in LENGTH_BOUNDS if (found := _whole(request.parameters.get(name))) is not None), None)


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _notes(grid: Grid) -> Iterable[str]:
    yield from grid.notes
    if grid.seed is None:
        yield "No seeds are sent: another run gives other answers."
    elif grid.seedless:
        yield f"No seed is taken by: {', '.join(grid.seedless)}. Another run gives other answers there."
    if grid.repeats == 1:
        yield "One answer each has nothing to agree with: more repeats measure agreement and diversity."
    if any(model.mcp_servers for model in grid.models):
        yield "Tools of MCP servers are not offered: what they do would be done once a call."
    if grid.parameter == "temperature" and 0 in grid.values and grid.repeats > 1:
        yield "At temperature 0 most servers answer all repeats alike."
