"""Strategies for anything that the vocabulary can hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st

from llamafarm.core.conditions import WarmUp
from llamafarm.core.errors import Culprit
from llamafarm.core.events import Failed, FellBack, Relayed, Retrying
from llamafarm.core.reply import Reply, ToolRun
from llamafarm.core.types import Cost, Image, Message, Route, SentRequest, Timings, Tool, ToolCall, Usage
from llamafarm.history.ids import new_id
from llamafarm.history.model import Asked, LaneSpec, ProjectRef

Built = TypeVar("Built")


def every(kind: Callable[..., Built], /, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Built]:
    """`kind` with all of its fields: those that are not given, also new ones, get anything of their type."""
    return st.builds(kind, **{name: given.get(name, ...) for name in inspect.signature(kind).parameters})


TEXTS = st.text(st.characters(), max_size=40)  # NUL and lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MAYBE_FLOATS = st.none() | FLOATS
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
CALLS = st.builds(ToolCall, TEXTS, TEXTS, TEXTS)
MESSAGES = every(
    Message,
    content=TEXTS,
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    tool_call_id=st.none() | TEXTS,
    name=st.none() | TEXTS,
    images=st.lists(st.builds(Image, TEXTS, TEXTS), max_size=1).map(tuple),
)
DOLLARS = st.decimals(min_value=0, allow_nan=False, allow_infinity=False)
COSTS = st.builds(
    Cost, DOLLARS, st.sampled_from(["reported", "config", "table", "free"]), TEXTS, st.booleans()
) | st.builds(Cost, st.none(), st.just("unknown"), TEXTS, st.booleans())
FAILURES = every(
    Failed,
    at=FLOATS,
    kind=TEXTS,
    message=TEXTS,
    hint=TEXTS,
    status=st.none() | st.integers(),
    request_id=st.none() | TEXTS,
    retry_after_s=MAYBE_FLOATS,
    culprit=st.none() | st.sampled_from(get_args(Culprit)),
    retryable=st.none() | st.booleans(),
)
RETRIES = st.builds(Retrying, at=FLOATS, attempt=st.integers(), delay_s=FLOATS, kind=TEXTS, message=TEXTS)
FALLBACKS = st.builds(FellBack, at=FLOATS, model=TEXTS, to=TEXTS, lost_s=FLOATS, kind=TEXTS, message=TEXTS)
FAULTS = st.sampled_from(["refused", "429", "500", "timeout", "cut"])
ROUTES = st.builds(Route, TEXTS, TEXTS, TEXTS, OBJECTS)
STATES = st.sampled_from(["done", "failed", "denied", "stopped"])
TOOL_RUNS = st.builds(ToolRun, CALLS, st.integers(), TEXTS, TEXTS, STATES, TEXTS, MAYBE_FLOATS)
RELAYED = every(
    Relayed,
    at=FLOATS,
    model=TEXTS,
    provider=TEXTS,
    model_id=TEXTS,
    route=st.none() | ROUTES,
    fallbacks=st.lists(FALLBACKS, max_size=1).map(tuple),
    cost=st.none() | COSTS,
)
REPLIES = every(
    Reply,
    relayed=st.none() | RELAYED,
    lane=TEXTS,
    asked=TEXTS,
    model=TEXTS,
    provider=TEXTS,
    model_id=TEXTS,
    status=st.sampled_from(["done", "stopped", "failed"]),
    text=TEXTS,
    reasoning=TEXTS,
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    usage=every(Usage),
    timings=every(Timings, **{field.name: MAYBE_FLOATS for field in fields(Timings) if field.name != "partial"}),
    cost=COSTS,
    finish_reason=st.none() | TEXTS,
    failure=st.none() | FAILURES,
    warmup=st.none()
    | every(WarmUp, model=TEXTS, seconds=FLOATS, load_s=MAYBE_FLOATS, usage=every(Usage), cost=COSTS, error=TEXTS),
    sent=st.none() | st.builds(SentRequest, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=2), OBJECTS),
    retries=st.lists(RETRIES, max_size=2).map(tuple),
    reconnects=st.integers(0, 9),
    fallbacks=st.lists(FALLBACKS, max_size=2).map(tuple),
    staged=st.dictionaries(TEXTS, FAULTS, max_size=2),
    note=TEXTS,
    tools=st.lists(st.builds(Tool, TEXTS, TEXTS, TEXTS, TEXTS, OBJECTS), max_size=1).map(tuple),
    tools_missing=st.dictionaries(TEXTS, TEXTS, max_size=1),
    tool_runs=st.lists(TOOL_RUNS, max_size=1).map(tuple),
    said=st.lists(MESSAGES, max_size=1).map(tuple),
)
SPECS = st.builds(
    LaneSpec, TEXTS, TEXTS, OBJECTS, st.none() | TEXTS, st.booleans(), st.lists(MESSAGES, max_size=1).map(tuple)
)
ASKED = st.builds(
    Asked,
    id=st.builds(new_id),
    kind=st.sampled_from(["compare", "sweep", "batch", "chat"]),
    started_at=INSTANTS,
    project=st.builds(ProjectRef, TEXTS, TEXTS, st.text("0123456789abcdef", max_size=64)),
    messages=st.lists(MESSAGES, max_size=3).map(tuple),
    lanes=st.lists(SPECS, max_size=3, unique_by=lambda spec: spec.id).map(tuple),
    variables=OBJECTS,
    parameters=OBJECTS,
    tools=st.lists(OBJECTS, max_size=2).map(tuple),
    system=st.none() | TEXTS,
    routes=st.lists(ROUTES, max_size=2).map(tuple),
    run=st.none(),
    item=st.none() | TEXTS,
    parent=st.none() | st.builds(new_id),
    checks=st.lists(TEXTS, max_size=2).map(tuple),
)
