"""The machine on which something was recorded: what may matter for its figures, and nothing that names its owner."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores` are those that the process may use, `memory_bytes` the machine's; empty or None is not known.

    `versions` are those of the packages that ask and measure.
    """

    system: str
    processor: str
    cores: int | None
    memory_bytes: int | None
    python: str
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The same for the same machine with the same software."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]
