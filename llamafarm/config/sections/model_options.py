"""A model's parameters as the file has them: numbers that are none, and names that its provider does not know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from llamafarm.config.nearest import nearest
from llamafarm.config.parameters import NUMBERS, OTHERS, WHOLE
from llamafarm.config.profiles import profile_of
from llamafarm.config.reading.document import kind
from llamafarm.config.reading.env import references
from llamafarm.core.addresses import host_of
from llamafarm.core.types import JsonValue


def wrong_number(name: str, value: JsonValue) -> str | None:
    """What is wrong with a well-known number, in a sentence; None where it is one, or no number is known by that name.

    A null takes a parameter away.
    """
    if name not in NUMBERS | WHOLE or value is None:
        return None
    what = "a whole number" if name in WHOLE else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        quoted = isinstance(value, str) and _number(value) is not None
        return f"`{name}` must be {what}, but is {kind(value)}{': write it without quotes' if quoted else ''}."
    if not math.isfinite(value) or (name in WHOLE and value != int(value)):
        return f"`{name}` must be {what}, but is {value}."
    return None


def as_numbers(written: Mapping[str, JsonValue], filled: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """`filled`, in which a well-known number that came from the environment is one: variables hold text alone."""

    def value(name: str) -> JsonValue:
        before, after = written.get(name), filled[name]
        if name in NUMBERS | WHOLE and isinstance(before, str) and references(before) and isinstance(after, str):
            found = _number(after)
            return after if found is None else found
        return after

    return {name: value(name) for name in filled}


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


MOST_NEAR = 60  # parameters of a model that are looked at for slips


def unknown_options(provider: str, address: str, parameters: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """(name, a sentence) of each parameter that `provider` does not know, with the nearest that it does.

    Servers that speak OpenAI's API know more than anybody lists: of theirs only slips are told.
    """
    profile = profile_of(provider)
    sure = profile.parameters is not None and (profile.runs_models or host_of(address) == host_of(profile.address))
    known = profile.parameters if sure and profile.parameters else OTHERS
    for name, value in parameters.items():
        if name in known or value is None:
            continue
        near = nearest(name, known - parameters.keys()) if len(parameters) <= MOST_NEAR else None
        fits = near is not None and wrong_number(near, value) is None
        if sure or fits:
            hint = f" Did you mean `{near}`?" if fits else ""
            yield name, f"`{name}` is no parameter that {provider} is known to take: it is sent as it is.{hint}"
