"""Results as one DataFrame with declared types, and that as CSV: comparisons, batches and sweeps alike.

Unknown is NA in every column. Importing this imports pandas, so it is done where a file is written, and nowhere else.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from math import isfinite
from operator import itemgetter
from typing import Any

import pandas as pd

from llamafarm.core.spreadsheets import FORMULA, MARK, inert
from llamafarm.output.columns import Columns, Kind, Row, Truths

# Dollars are Decimals and days dates: pandas' own types for them round, or hold an instant.
DTYPES: Mapping[Kind, Any] = {
    "text": "string[python]",  # Arrow's takes three times as long to fill and to read
    "integer": "Int64",
    "number": "Float64",
    "dollars": "object",
    "truth": "boolean",
    "instant": "datetime64[us, UTC]",
    "day": "object",
}
MOST = 2**63  # what an Int64 can't hold
SUSPECT = frozenset((*FORMULA, "'"))  # what a text begins with that `inert` may change


def frame_of(columns: Columns, rows: Sequence[Row]) -> pd.DataFrame:
    """The rows, which have all of these columns, each of its declared type. A count that no column holds is unknown,
    as is a number that is not finite."""
    cells = zip(*map(itemgetter(*columns), rows), strict=True) if rows else ((),) * len(columns)
    arrays = {name: _array(kind, values) for (name, kind), values in zip(columns.items(), cells, strict=True)}
    return pd.DataFrame(arrays, copy=False)


def _array(kind: Kind, values: Sequence[Any]) -> Any:
    if values and values.count(None) == len(values):  # as many columns are: in no time
        return pd.array([None], dtype=DTYPES[kind]).repeat(len(values))
    return pd.array(_CLEAN.get(kind, list)(values), dtype=DTYPES[kind])


def csv_of(frame: pd.DataFrame, columns: Columns, truths: Truths) -> str:
    """The rows as CSV (RFC 4180): plain figures, exact dollars, texts that no spreadsheet runs; NA is empty.

    pandas' `to_csv` takes three times as long for columns of these types.
    """
    cells = [_WRITTEN.get(kind, _plain)(frame[name].array, truths) for name, kind in columns.items()]
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(zip(*cells, strict=True))  # with \r\n a lone CR is quoted too
    return out.getvalue()


def _texts(values: Sequence[str | None]) -> Sequence[str | None]:
    """Texts that UTF-8 can hold: half a surrogate pair becomes a question mark."""
    if all(map(str.isascii, filter(None, values))):
        return values
    return [None if value is None else value.encode("utf-8", "replace").decode() for value in values]


def _counts(values: Sequence[int | None]) -> Sequence[int | None]:
    return [value if value is None or -MOST <= value < MOST else None for value in values]


def _numbers(values: Sequence[float | None]) -> Sequence[float | None]:
    return [value if value is None or isfinite(value) else None for value in values]


_CLEAN: Mapping[Kind, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "text": _texts,
    "integer": _counts,
    "number": _numbers,
}


def _plain(values: Any, _truths: Truths) -> list[Any]:
    return values.to_numpy(dtype=object, na_value=None).tolist()  # type: ignore[no-any-return]  # any kind of array


def _inert(values: Any, truths: Truths) -> list[str | None]:
    cells = _plain(values, truths)
    return [cell if cell is None or cell[:1] not in SUSPECT else str(inert(cell)) for cell in cells]


def _iso(values: Any, _truths: Truths) -> list[str | None]:
    instants = values.tz_convert(None).to_numpy().tolist()  # a tenth of the time that Timestamps take
    return [None if instant is None else f"{instant.isoformat()}+00:00" for instant in instants]


def _words(values: Any, truths: Truths) -> list[str | None]:
    return [None if value is None else truths[value] for value in _plain(values, truths)]


_WRITTEN: Mapping[Kind, Callable[[Any, Truths], list[Any]]] = {"text": _inert, "instant": _iso, "truth": _words}


class CsvTable:
    """See `tables.Table`."""

    def __init__(self, columns: Columns, truths: Truths = ("False", "True"), *, excel: bool = False) -> None:
        self._columns, self._truths, self._excel = columns, truths, excel

    def begin(self) -> bytes:
        """The names of the columns; for Excel behind a byte order mark, by which it knows UTF-8."""
        return f"{MARK if self._excel else ''}{','.join(self._columns)}\r\n".encode()

    def add(self, rows: Sequence[Row]) -> bytes:
        """The rows as lines."""
        return csv_of(frame_of(self._columns, rows), self._columns, self._truths).encode()

    def end(self) -> bytes:
        """Nothing stands there."""
        return b""
