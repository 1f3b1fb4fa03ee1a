"""The composition root: everything that is opened, opened once and closed once, and what can be asked of it."""

from llamafarm.runtime.generations import Generations
from llamafarm.runtime.opening import open_history, open_runtime
from llamafarm.runtime.probing import ProbeRun, Probing, kept_probes
from llamafarm.runtime.rehearsal import zero
from llamafarm.runtime.runtime import Runtime, surveyed
from llamafarm.runtime.settling import settle

__all__ = [
    "Generations", "ProbeRun", "Probing", "Runtime", "kept_probes", "open_history", "open_runtime", "settle",
    "surveyed", "zero",
]  # fmt: skip
