"""Lanes of one comparison for which their server must exchange models: one group after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from llamafarm.config.loading import Loading, loading_of
from llamafarm.config.model import NamedModel
from llamafarm.config.server import server_of
from llamafarm.core.types import JsonValue
from llamafarm.engine.lane import Lane

ITS_TURN = "its turn"  # how all of these notes begin
TOLD = 3  # lanes that are named


class Memory(Protocol):
    """What is known of the models in servers' memories; see `llamafarm.providers.residency.Residency`."""

    def listed(self, model: NamedModel) -> bool:
        """Whether `model` was in memory when its server was last asked."""
        ...

    def apart(self, first: NamedModel, second: NamedModel) -> bool:
        """Whether the two are known not to be in memory together."""
        ...


class Unknown:
    """Where nothing is known of any memory."""

    def listed(self, _: NamedModel) -> bool:
        """See `Memory`."""
        return False

    def apart(self, _: NamedModel, __: NamedModel) -> bool:
        """See `Memory`."""
        return False


def turns(
    lanes: Sequence[Lane], parameters: Mapping[str, JsonValue], memory: Memory | None = None
) -> dict[str, tuple[str, ...]]:
    """By lane those that must have ended before it begins; `parameters` are the question's own.

    One model with another context, or with other layers and threads, is loaded anew by every server. Different models
    are asked at once, but for those that `memory` knows not to fit together: then what is in memory comes first.
    """
    memory = memory or Unknown()
    groups: dict[tuple[str, Loading], list[Lane]] = {}
    for lane in lanes:
        if loading := loading_of(lane.model, {**lane.parameters, **parameters}):
            groups.setdefault((server_of(lane.model), loading), []).append(lane)
    ordered = sorted(groups.values(), key=lambda group: not memory.listed(group[0].model))
    found: dict[str, tuple[str, ...]] = {}
    for at, group in enumerate(ordered):
        before = (each for each in ordered[:at] if _exchanged(each[0].model, group[0].model, memory))
        if first := tuple(lane.id for each in before for lane in each):
            found |= dict.fromkeys((lane.id for lane in group), first)
    return found


def _exchanged(first: NamedModel, second: NamedModel, memory: Memory) -> bool:
    if server_of(first) != server_of(second):
        return False
    return first.model == second.model or memory.apart(first, second)


def waits_behind(first: Sequence[str]) -> str:
    """What a lane says while it waits for the lanes `first`."""
    more = f" and {len(first) - TOLD} more" if len(first) > TOLD else ""
    return f"{ITS_TURN}: it waits behind {', '.join(first[:TOLD])}{more}, one model at a time"


def exchange_notes(models: Sequence[NamedModel]) -> Iterator[str]:
    """A sentence for each server that may have to exchange several of `models`, which are asked at once."""
    groups: dict[str, list[NamedModel]] = {}
    for model in models:
        if model.profile.runs_models and not model.profile.embedded:
            groups.setdefault(server_of(model), []).append(model)
    for loaded in groups.values():
        if len({loading_of(model, {}) for model in loaded}) > 1:
            yield (
                f"{', '.join(model.name for model in loaded)}: their server exchanges models where its memory does not "
                "hold them together, and then one waits until the other has answered."
            )
