"""What probes found, at hand for the marks at the figures of lanes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llamafarm.config.model import NamedModel
from llamafarm.config.secrets.secret import shown_address
from llamafarm.core.conditions import THIS_MACHINE, ProbeMark
from llamafarm.core.errors import StoreError
from llamafarm.history.probe import Probe, Subject

if TYPE_CHECKING:
    from llamafarm.history.database.history import History

LOOK_S = 0.5  # nobody waits longer for what is kept
KNOWN_S = 60.0  # other processes probe too: what was read is read anew after so long


def subject_of(model: NamedModel) -> Subject:
    """What a probe of `model` is a probe of: its model at its server's address, as that may be shown."""
    address = THIS_MACHINE if model.profile.embedded else shown_address(model.base_url or "").rstrip("/")
    return Subject(address, model.provider, model.model)


@dataclass(slots=True)
class KeptProbes:
    """The newest probe of each subject, as far as this process knows. `clock` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[Subject, Probe] = field(default_factory=dict)
    _read_at: float | None = None

    async def read(self, history: History) -> None:
        """Know what is kept; a history that can't be read at once has nothing, and says so itself elsewhere."""
        now = self.clock()
        if self._read_at is not None and now - self._read_at < KNOWN_S:
            return
        self._read_at = now
        try:
            async with asyncio.timeout(LOOK_S):
                kept = await history.newest_probes()
        except (StoreError, TimeoutError):
            return
        self._known |= {probe.subject: probe for probe in kept if self._newer(probe)}

    def _newer(self, probe: Probe) -> bool:
        known = self._known.get(probe.subject)
        return known is None or known.probed_at <= probe.probed_at

    def add(self, probe: Probe) -> None:
        """A probe was made."""
        self._known[probe.subject] = probe

    def of(self, model: NamedModel) -> Probe | None:
        """The newest probe of `model`; None where there is none."""
        return self._known.get(subject_of(model))

    def marks(self, model: NamedModel) -> tuple[ProbeMark, ...]:
        """What stands at the figures of lanes that `model` answers."""
        probe = self.of(model)
        return () if probe is None else probe.marks
