"""Keeping the interpreter's own work out of the lanes' time."""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0005


def settle() -> None:
    """Keep garbage collections and threads out of the lanes' time, once a process is ready to serve.

    One over everything that the page imports takes a good part of a second, in which all lanes stand still: what is in
    memory now is left out of them. And they come once in some two hundred lanes, not once in three. A thread that
    works, as the store's does, gives way to them after half a millisecond, not five.
    """
    gc.freeze()
    gc.set_threshold(50_000)
    sys.setswitchinterval(SWITCH_S)
