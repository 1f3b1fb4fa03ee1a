"""Remembers models that failed a moment ago, so that fallback chains pass over them for a short while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import (
    AsksToWait,
    AuthFailed,
    BadAnswer,
    ConnectFailed,
    LlamaFarmError,
    MissingPartError,
    ModelNotFound,
    RateLimited,
    ServerFailed,
    TimedOut,
)

REST_S = 30.0
LONGEST_S = 300.0
# What is the server's or the model's trouble, not that of one request.
LASTING = (AuthFailed, BadAnswer, ConnectFailed, MissingPartError, ModelNotFound, RateLimited, ServerFailed, TimedOut)


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a model is passed over: since when and until when (seconds of the clock), and what it said."""

    since: float
    until: float
    message: str


@dataclass(slots=True)
class Cooldowns:
    """Remembers failures by project and named model; an edit of the project's file forgets them.

    A model rests for 30 s, or as long as its server asked for (Retry-After, at most 5 minutes). `clock` gives
    seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _rests: dict[tuple[str, str], Rest] = field(default_factory=dict)

    def failed(self, project: Project, model: NamedModel, error: LlamaFarmError) -> None:
        """`model` failed; it rests where the next request would most likely fail too."""
        if not isinstance(error, LASTING):
            return
        now = self.clock()
        asked = error.retry_after if isinstance(error, AsksToWait) else None
        span = REST_S if asked is None else min(max(asked, 0.0), LONGEST_S)
        self._rests = {key: rest for key, rest in self._rests.items() if rest.until > now}
        self._rests[_key(project, model)] = Rest(now, now + span, error.message)

    def answered(self, project: Project, model: NamedModel) -> None:
        """`model` is well again."""
        self._rests.pop(_key(project, model), None)

    def why(self, project: Project, model: NamedModel) -> str | None:
        """In a sentence why `model` is passed over, or None where it is not."""
        rest, now = self._rests.get(_key(project, model)), self.clock()
        if rest is None or rest.until <= now:
            return None
        ago, left = now - rest.since, rest.until - now
        return f"Passed over: it failed {ago:.0f} s ago and is tried again in {left:.0f} s. {rest.message}"


def _key(project: Project, model: NamedModel) -> tuple[str, str]:
    return (project.digest, model.name)
