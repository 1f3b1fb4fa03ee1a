"""Lanes of one comparison for which their server must load the same model anew: one group after the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llamafarm.config.loading import Loading, grouped, loading_of
from llamafarm.config.server import server_of
from llamafarm.core.types import JsonValue
from llamafarm.engine.lane import Lane

EXCHANGE = "its turn: the server exchanges models, and another comes first"


def turns(lanes: Sequence[Lane], parameters: Mapping[str, JsonValue]) -> dict[str, tuple[str, ...]]:
    """By lane those that must have ended before it begins; `parameters` are the question's own.

    One model with another context, or with other layers and threads, is loaded anew by every server. Whether different
    models fit into its memory together the server knows best: they are asked at once.
    """
    by_model: dict[tuple[str, str], list[tuple[Loading, str]]] = {}
    for lane in lanes:
        if loading := loading_of(lane.model, {**lane.parameters, **parameters}):
            by_model.setdefault((server_of(lane.model), lane.model.model), []).append((loading, lane.id))
    found: dict[str, tuple[str, ...]] = {}
    for needed in by_model.values():
        before: tuple[str, ...] = ()
        for group in grouped(needed):
            found |= dict.fromkeys(group, before)
            before += tuple(group)
    return {lane: first for lane, first in found.items() if first}
