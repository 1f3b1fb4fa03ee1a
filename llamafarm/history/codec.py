"""The vocabulary as JSON values and back: `decode(kind, encode(value)) == value`, whatever fields it has or gets.

Dataclasses are objects by field, tuples are lists, Decimals are texts, so that no digit is lost. A field that an
older record does not have takes its default; one that this program does not know any more is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from llamafarm.core.types import JsonValue

Kind = TypeVar("Kind")
PLAIN = frozenset((str, int, float, bool, NoneType, list))  # JSON values already; what a list holds is one too


def encode(value: object) -> Any:
    """`value` as a JSON value; what is one already stays as it is."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, tuple):
        return [encode(each) for each in value]
    if (names := _names(type(value))) is not None:  # type: ignore[arg-type]  # a type is hashable
        return {name: encode(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {name: encode(each) for name, each in value.items()}
    return str(value) if isinstance(value, Decimal) else value


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """The names of a dataclass's fields; None where it is none. Asked once: every record has dozens of them."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def decode(kind: type[Kind], value: Any) -> Kind:
    """The `kind` that `value` was made of: a dataclass, or anything that a field of one holds."""
    made: Kind = _decode(kind, value)
    return made


def decode_all(kind: type[Kind], values: list[JsonValue]) -> tuple[Kind, ...]:
    """The same for a list."""
    return tuple(decode(kind, value) for value in values)


@cache
def hints(kind: type) -> Mapping[str, Any]:
    """The types of a dataclass's fields."""
    return get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if value is None or kind is NoneType:
        return None
    if origin in (Union, UnionType):
        return _decode(_only(kind), value)
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], each) for each in value)
    if kind is Decimal:
        return Decimal(value)
    if is_dataclass(kind):
        known = hints(kind)  # type: ignore[arg-type]  # mypy takes any dataclass for an instance of one
        return kind(**{name: _decode(known[name], each) for name, each in value.items() if name in known})  # type: ignore[operator]
    return value


def _only(union: Any) -> Any:
    """The one type of `X | None` that has a shape; JSON values of several types need none."""
    shaped = [each for each in get_args(union) if each is not NoneType]
    return shaped[0] if len(shaped) == 1 else object
