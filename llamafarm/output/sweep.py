"""The answers of a sweep as rows, one for each call: those of a batch, with what was varied."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from llamafarm.core import strict_json
from llamafarm.core.types import JsonValue
from llamafarm.experiments.stats.sample import Sample
from llamafarm.output.batch import Form, pieces
from llamafarm.output.columns import ANSWER, Columns, Layout, Row
from llamafarm.output.sheet import lane_row

COLUMNS: Columns = {
    "parameter": "text",
    "value": "number",
    "prompt_number": "integer",
    "repeat": "integer",
    **ANSWER,
    "passed": "truth",
    "not_passed": "text",
    "score": "number",
    "judge_usd": "dollars",
    "judge_cost_source": "text",
    "prompt": "text",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One call that ended: what `parameter` was, the text of its prompt, and its answer."""

    parameter: str
    value: JsonValue
    prompt: str
    sample: Sample


def written(
    found: Iterable[Tried], values: Sequence[JsonValue], form: Form, *, excel: bool = False
) -> AsyncGenerator[bytes, None]:
    """The answers as `batch.written` writes its own. The column value holds numbers where all `values` are some.

    Else their JSON. Prompts and repeats count from 1.
    """
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    columns = COLUMNS if numbers else {**COLUMNS, "value": "text"}
    layout: Layout[Tried] = Layout(columns, _numbered if numbers else _worded, _letters, truths=("false", "true"))
    return pieces(_each(found), layout, form, excel=excel)


async def _each(found: Iterable[Tried]) -> AsyncGenerator[Tried, None]:
    for tried in found:
        yield tried


def _numbered(tried: Tried) -> Iterator[Row]:
    yield _row(tried, tried.value)


def _worded(tried: Tried) -> Iterator[Row]:
    yield _row(tried, strict_json.dumps(tried.value, sort_keys=True))


def _row(tried: Tried, value: object) -> Row:
    sample = tried.sample
    figures = lane_row(sample.reply)
    del figures["lane"]
    return {
        "parameter": tried.parameter,
        "value": value,
        "prompt_number": sample.prompt + 1,
        "repeat": sample.repeat + 1,
        **figures,
        "passed": sample.passed,
        "not_passed": "\n".join(sample.notes) or None,
        "score": None if sample.judged is None else sample.judged.score,
        "judge_usd": None if sample.judged is None else sample.judged.cost.usd,
        "judge_cost_source": None if sample.judged is None else sample.judged.cost.source,
        "prompt": tried.prompt,
        "text": sample.reply.text,
    }


def _letters(tried: Tried) -> int:
    return len(tried.prompt) + len(tried.sample.reply.text)
