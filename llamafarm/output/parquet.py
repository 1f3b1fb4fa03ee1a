"""The frame as a Parquet file that carries the types of its columns; a chunk of rows is a row group."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from llamafarm.output.columns import Columns, Kind, Row
from llamafarm.output.frame import frame_of

DIGITS, PLACES = 38, 24  # of dollars: what all readers of Parquet hold, and no price per token is finer
_EXACTLY = Context(prec=DIGITS)
_TYPES: dict[Kind, pa.DataType] = {"dollars": pa.decimal128(DIGITS, PLACES), "day": pa.date32()}
_TEMPLATE: dict[Kind, object] = {"dollars": Decimal(0), "day": date(2000, 1, 1)}


class ParquetTable:
    """See `tables.Table`."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._schema = _schema(columns)
        self._out = _Out()
        self._writer = parquet.ParquetWriter(self._out, self._schema, compression="zstd")

    def begin(self) -> bytes:
        """What Parquet begins with."""
        return self._out.taken()

    def add(self, rows: Sequence[Row]) -> bytes:
        """A row group."""
        frame = frame_of(self._columns, rows)
        for name, kind in self._columns.items():
            if kind == "dollars":
                frame[name] = pd.Series([_fitting(value) for value in frame[name]], dtype="object")
        self._writer.write_table(pa.Table.from_pandas(frame, schema=self._schema, preserve_index=False))
        return self._out.taken()

    def end(self) -> bytes:
        """The footer, by which all of it is found."""
        self._writer.close()
        return self._out.taken()


def _schema(columns: Columns) -> pa.Schema:
    """The types of the columns, and what pandas reads its own types by."""
    made = pa.Schema.from_pandas(
        frame_of(columns, [{name: _TEMPLATE.get(kind) for name, kind in columns.items()}]), preserve_index=False
    )
    for number, kind in enumerate(columns.values()):
        if kind in _TYPES:
            made = made.set(number, made.field(number).with_type(_TYPES[kind]))
    return made


def _fitting(value: Decimal | None) -> Decimal | None:
    """The dollars to 24 places; unknown where they are too many for the column, 10^14."""
    if value is None or value.adjusted() >= DIGITS - PLACES:
        return None
    return value.quantize(Decimal(1).scaleb(-PLACES), context=_EXACTLY)


class _Out(io.RawIOBase):
    """A file whose bytes are taken away while it is written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
