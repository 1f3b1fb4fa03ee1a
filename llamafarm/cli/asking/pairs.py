"""`--param KEY=VALUE` and `--var KEY=TEXT`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from llamafarm.core.parameters import reserved

if TYPE_CHECKING:
    from llamafarm.core.types import JsonValue


def parameters_of(pairs: Iterable[str]) -> dict[str, JsonValue]:
    """Values that are JSON as JSON, others as text: `seed=7`, `stop=["."]`, `reasoning_effort=low`, `top_p=null`.

    Of two with the same key the last one counts. Wrong usage for what is no parameter (see `core.parameters`).
    """
    parameters = {key: value_of(text) for key, text in _split(pairs, "--param")}
    if wrong := reserved(parameters):
        raise typer.BadParameter(wrong, param_hint="--param")
    return parameters


def variables_of(pairs: Iterable[str]) -> dict[str, JsonValue]:
    """Values as they are written: a template takes `1.0` for `1.0`, and not for `1`."""
    return dict(_split(pairs, "--var"))


def _split(pairs: Iterable[str], option: str) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint=option)
        yield key.strip(), value


def value_of(text: str) -> JsonValue:
    """`text` as JSON, where it is some."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
