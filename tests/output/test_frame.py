"""Results as one frame: types that are declared, files that are read back equal, chunks that memory holds."""

from __future__ import annotations

import csv
import io
import sys
import tracemalloc
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.core.spreadsheets import plain
from llamafarm.core.types import Cost, Count, Usage
from llamafarm.experiments.batch.run import Answered
from llamafarm.experiments.stats.sample import Judged, Sample
from llamafarm.history.model import Ended, LaneSpec, Recorded, Vote
from llamafarm.output import batch, sheet, sweep, tables
from llamafarm.output.columns import Columns, Kind, Layout
from llamafarm.output.frame import DTYPES, frame_of
from llamafarm.output.parquet import ParquetTable
from llamafarm.output.written import written
from tests.history.database.made import START, asked, ended
from tests.history.database.strategies import ASKED, REPLIES
from tests.output.tabled import each, written_as_csv

ALL: dict[str, Columns] = {
    "history": sheet.COLUMNS, "replies": sheet.REPLIES.columns, "batch": batch.COLUMNS, "sweep": sweep.COLUMNS,
}  # fmt: skip
PLACES = Decimal(1).scaleb(-24)
COUNTS = st.integers(0, 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS | st.sampled_from(["NA", "nan", "null", "True", "1", "'=x", "=1+1", "a\rb", '"', "\n", " "]),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "dollars": st.decimals(0, 10**13, places=24, allow_nan=False),
    "truth": st.booleans(),
    "instant": st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    "day": st.dates(),
}


def rows_for(columns: Columns) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in columns.items()})
    return st.lists(row, max_size=3)


def parquet_of(columns: Columns, *chunks: list[dict[str, Any]]) -> bytes:
    table = ParquetTable(columns)
    return b"".join((table.begin(), *map(table.add, chunks), table.end()))


def read_parquet(data: bytes, columns: Columns) -> pd.DataFrame:
    """As pandas reads it, except that its texts may be kept in other memory than ours."""
    found = pd.read_parquet(io.BytesIO(data))
    assert list(found) == list(columns)
    for name, kind in columns.items():
        assert found[name].dtype == ("string" if kind == "text" else DTYPES[kind]), name
    return found.astype({name: DTYPES[kind] for name, kind in columns.items() if kind == "text"})


def read_csv(data: bytes, columns: Columns) -> pd.DataFrame:
    """As people read it with pandas: empty is unknown, and nothing else is."""
    dtypes = {name: DTYPES[kind] for name, kind in columns.items() if kind in ("text", "integer", "number", "truth")}
    found = pd.read_csv(
        io.BytesIO(data), dtype={**dict.fromkeys(columns, "string[python]"), **dtypes}, keep_default_na=False, na_values=[""],
    )  # fmt: skip
    values = [
        {name: None if pd.isna(value) else _read(columns[str(name)], value) for name, value in row.items()}
        for row in found.astype(object).to_dict("records")
    ]
    return frame_of(columns, values)  # type: ignore[arg-type]  # pandas' stubs have any hashable for a name


def _read(kind: str, value: Any) -> Any:
    match kind:
        case "text":
            return plain(value)
        case "dollars":
            return Decimal(value)
        case "instant":
            return datetime.fromisoformat(value)
        case "day":
            return datetime.fromisoformat(value).date()
        case _:
            return value


def whole(**changes: Any) -> Recorded:
    comparison = asked(models=("fast", "lost"))
    return Recorded(comparison, (ended(comparison, "fast", **changes),))


# --- types


@pytest.mark.parametrize("name", ALL)
def test_every_column_has_its_type_also_where_all_of_it_is_unknown(name: str) -> None:
    for rows in ([], [dict.fromkeys(ALL[name])]):
        frame = frame_of(ALL[name], rows)
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {
            column: str(pd.Series([], dtype=DTYPES[kind]).dtype) for column, kind in ALL[name].items()
        }
        assert len(frame) == len(rows)
        assert frame.isna().all(axis=None)


def test_the_columns_are_those_of_a_row_in_their_order() -> None:
    assert list(sheet.lane_row(Reply("", "", "", "", "", "idle"))) == list(sheet.REPLIES.columns)
    (fast, lost) = sheet.rows(whole())
    assert list(fast) == list(lost) == list(sheet.COLUMNS)
    (row,) = batch.rows(Answered(1, whole(), whole().lanes[0], Sample(0, 0, whole().lanes[0].reply)))
    assert list(row) == list(batch.COLUMNS)


def test_a_frame_has_figures_to_reckon_with() -> None:
    frame = frame_of(sheet.COLUMNS, list(sheet.rows(whole())))
    assert frame["cost_usd"][0] == Decimal("0.000123")
    assert frame["ttft_s"].mean() == 0.25
    assert frame["output_tokens"].sum() == 21
    assert frame["started_at"][0] == pd.Timestamp(START)
    assert frame["status"].tolist() == ["done", "unfinished"]
    assert frame["cost_usd"][1] is None


# --- read back


@pytest.mark.parametrize("name", ALL)
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_files_are_read_back_as_they_were_written(name: str, data: st.DataObject) -> None:
    columns = ALL[name]
    one, two = data.draw(rows_for(columns)), data.draw(rows_for(columns))
    frame = frame_of(columns, [*one, *two])
    assert_frame_equal(read_parquet(parquet_of(columns, one, two), columns), frame)
    layout: Layout[dict[str, Any]] = Layout(columns, lambda row: (row,), lambda _: 0)
    unknown = frame_of(
        columns, [{key: None if value == "" else value for key, value in row.items()} for row in [*one, *two]]
    )
    assert_frame_equal(read_csv(written_as_csv(layout, *one, *two), columns), unknown)


@given(ASKED, REPLIES)
@settings(max_examples=50, deadline=None)
def test_whatever_the_history_holds_is_written(comparison: Any, reply: Reply) -> None:
    found = Recorded(comparison, (Ended("i", comparison.id, LaneSpec(reply.lane, "m"), {}, reply, START),))
    rows = [dict(row) for row in sheet.rows(found)]
    frame = read_parquet(parquet_of(sheet.COLUMNS, rows), sheet.COLUMNS)
    assert frame["text"][0] == reply.text.encode("utf-8", "replace").decode()
    usd = reply.cost.usd
    held = usd is not None and usd.adjusted() < 14
    assert (frame["cost_usd"][0] is not None) == held
    if usd is not None and held:
        assert abs(frame["cost_usd"][0] - usd) <= PLACES
    (row, *_) = csv.DictReader(io.StringIO(written_as_csv(sheet.LAYOUT, found).decode(), newline=""))
    assert (Decimal(row["cost_usd"]) if row["cost_usd"] else None) == usd


def test_a_count_or_cost_that_no_column_holds_is_unknown_and_the_rest_is_there() -> None:
    odd = whole(usage=Usage(Count(2**63, "reported"), Count(7, "reported")), cost=Cost(Decimal("1E+14"), "config"))
    frame = read_parquet(parquet_of(sheet.COLUMNS, [dict(row) for row in sheet.rows(odd)]), sheet.COLUMNS)
    assert frame["input_tokens"].isna()[0]
    assert frame["output_tokens"][0] == 7
    assert frame["cost_usd"][0] is None
    (row, _) = csv.DictReader(io.StringIO(written_as_csv(sheet.LAYOUT, odd).decode()))
    assert (row["input_tokens"], row["cost_usd"]) == ("", "1E+14")


def test_other_programs_find_the_types_in_the_file() -> None:
    voted = replace(whole(), vote=Vote("best", "fast", blind=True, voted_at=START))
    schema = pyarrow.parquet.read_schema(
        io.BytesIO(parquet_of(sheet.COLUMNS, [dict(row) for row in sheet.rows(voted)]))
    )
    told = {
        name: str(schema.field(name).type)
        for name in ("cost_usd", "started_at", "priced_on", "vote_blind", "retries", "ttft_s", "error")
    }
    assert told == {
        "cost_usd": "decimal128(38, 24)", "started_at": "timestamp[us, tz=UTC]", "priced_on": "date32[day]",
        "vote_blind": "bool", "retries": "int64", "ttft_s": "double", "error": "string",
    }  # fmt: skip


# --- sweeps


@pytest.mark.parametrize(
    ("values", "kind"),
    [((0, 0.5, 1), "number"), ((True, False), "text"), (("low", "high"), "text"), ((1, None), "text")],
)
async def test_a_sweep_is_the_same_frame_with_what_was_varied(values: tuple[Any, ...], kind: Kind) -> None:
    reply = whole().lanes[0].reply
    judged = Judged(0.75, Cost(Decimal("0.002"), "table"))
    tried = [
        sweep.Tried("temperature", value, "Why?", Sample(0, number, reply, passed=True, judged=judged))
        for number, value in enumerate(values)
    ]
    data = b"".join([piece async for piece in sweep.written(tried, values, "parquet")])
    frame = pd.read_parquet(io.BytesIO(data))
    assert frame["value"].dtype == ("string" if kind == "text" else DTYPES[kind])
    assert frame["repeat"].tolist() == list(range(1, len(values) + 1))
    assert (frame["score"][0], frame["judge_usd"][0], frame["passed"][0]) == (0.75, Decimal("0.002"), True)
    assert frame["cost_usd"].sum() == len(values) * Decimal("0.000123")


# --- in chunks


async def test_many_answers_are_chunks_and_memory_stays_flat() -> None:
    one, text = whole(), "straw and hay " * 500

    async def many() -> AsyncGenerator[Recorded, None]:
        for _ in range(1_500):
            yield replace(one, lanes=(replace(one.lanes[0], reply=replace(one.lanes[0].reply, text=text + " ")),))

    _ = [piece async for piece in written(each(one), "csv")]  # pandas is imported once, and stays
    tracemalloc.start()
    size = largest = 0
    async for piece in written(many(), "csv"):
        size, largest = size + len(piece), max(largest, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 10_000_000
    assert largest < 1_000_000
    assert peak < 6_000_000


async def test_chunks_are_one_parquet_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.BOUNDS, "parquet", tables.Bounds(2, 10**9))
    data = b"".join([piece async for piece in written(each(*(whole() for _ in range(5))), "parquet")])
    assert pyarrow.parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 3
    assert len(pd.read_parquet(io.BytesIO(data))) == 10


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_what_is_read_from_is_closed_where_nobody_reads_on(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.BOUNDS, form, tables.Bounds(2, 10**9))
    closed = False

    async def endless() -> AsyncGenerator[Recorded, None]:
        nonlocal closed
        try:
            while True:
                yield whole()
        finally:
            closed = True

    pieces = written(endless(), form)
    await anext(pieces)
    await anext(pieces)
    await pieces.aclose()
    assert closed


async def test_a_file_of_nothing_has_its_columns() -> None:
    for form in ("csv", "parquet"):
        data = b"".join([piece async for piece in written(each(), form)])
        found = pd.read_csv(io.BytesIO(data)) if form == "csv" else pd.read_parquet(io.BytesIO(data))
        assert (list(found), len(found)) == (list(sheet.COLUMNS), 0)


# --- where it can't be


def test_a_missing_pyarrow_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tables.check_form("parquet")
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    assert not tables.writable("parquet")
    for form in ("csv", "jsonl", "markdown", ""):
        tables.check_form(form)
    with pytest.raises(RequestError, match=r'pip install "llamafarm-playground\[parquet\]"'):
        tables.check_form("parquet")


def test_the_rooms_are_imported_without_pandas() -> None:
    import subprocess  # noqa: PLC0415 - for this test alone

    program = "import sys, llamafarm.output.written, llamafarm.output.batch, llamafarm.output.sweep; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
