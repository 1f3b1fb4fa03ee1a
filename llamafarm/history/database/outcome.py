"""What one try to write a batch of records came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llamafarm.history.model import Record


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to: how many records are over, how many of them were refused, and why the rest must wait."""

    over: int
    refused: Sequence[Record] = ()
    fault: str | None = None
