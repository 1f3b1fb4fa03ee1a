"""The composition root: everything that is opened, opened once and closed once, and what can be asked of it."""

from llamafarm.runtime.opening import open_history, open_runtime, settle
from llamafarm.runtime.runtime import Runtime, surveyed

__all__ = ["Runtime", "open_history", "open_runtime", "settle", "surveyed"]
