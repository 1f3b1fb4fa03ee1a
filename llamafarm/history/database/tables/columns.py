"""Column types that give back exactly what was put in, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from llamafarm.history.database.tables.lossless import original, storable

# JSON values, as dict[str, JsonValue] and the like: what they hold is known where they are decoded.
AnyJson = Any
ENCODER = json.JSONEncoder(ensure_ascii=False, default=dict)  # a mapping that is no dict is written as one


class Words(TypeDecorator[str]):
    """Any text that Python can hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """From the database."""
        return None if value is None else original(value)


class Json(TypeDecorator[AnyJson]):
    """A JSON value as its text: PostgreSQL's own type would refuse NUL and NaN, and change numbers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: AnyJson, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else storable(ENCODER.encode(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> AnyJson:
        """From the database."""
        return None if value is None else json.loads(original(value))


class Money(TypeDecorator[Decimal]):
    """US dollars as the text of the Decimal, digit for digit: SQLite's numbers are binary floats."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """From the database."""
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An instant in UTC: PostgreSQL's own type, and on SQLite a text that sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite has no type for instants."""
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | datetime | None:
        """To the database."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
