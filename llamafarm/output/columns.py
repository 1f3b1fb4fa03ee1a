"""The columns of our tables, each with what it holds. Without pandas, which takes long to import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Kind = Literal["text", "integer", "number", "dollars", "truth", "instant", "day"]
Columns = Mapping[str, Kind]
Row = Mapping[str, object]
Truths = tuple[str, str]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Layout(Generic[Item]):
    """A table: its columns in their order, and the rows that an item gives, each with all columns; None is unknown.

    `letters` is about how long an item's texts are: long ones are written in smaller chunks. `truths` are the words
    for no and yes in CSV.
    """

    columns: Columns
    rows: Callable[[Item], Iterable[Row]]
    letters: Callable[[Item], int]
    truths: Truths = ("False", "True")


LANE: Columns = {
    "lane": "text",
    "model": "text",
    "answered_by": "text",
    "provider": "text",
    "model_id": "text",
    "status": "text",
    "finish_reason": "text",
    "queue_s": "number",
    "server_queue_s": "number",
    "load_s": "number",
    "ttfr_s": "number",
    "ttft_s": "number",
    "warm_ttft_s": "number",
    "served_ttft_s": "number",
    "total_s": "number",
    "served_total_s": "number",
    "tokens_per_s": "number",
    "tools_s": "number",
    "held_s": "number",
    "lag_s": "number",
    "ttft_lag_s": "number",
    "input_tokens": "integer",
    "output_tokens": "integer",
    "reasoning_tokens": "integer",
    "cached_tokens": "integer",
    "cache_write_tokens": "integer",
    "tokens_source": "text",
    "tokens_doubts": "text",
    "cautions": "text",
    "cost_usd": "dollars",
    "cost_source": "text",
    "cost_detail": "text",
    "shared": "truth",
    "shared_server": "text",
    "shared_with": "integer",
    "warmup_s": "number",
    "warmup_usd": "dollars",
    "warmup_cost_source": "text",
    "retries": "integer",
    "reconnects": "integer",
    "lost_s": "number",
    "ttft_lost_s": "number",
    "probed": "text",
    "staged": "text",
    "tool_calls": "text",
    "error": "text",
    "culprit": "text",
}
ANSWER: Columns = {name: kind for name, kind in LANE.items() if name != "lane"}  # where the model alone names the lane
