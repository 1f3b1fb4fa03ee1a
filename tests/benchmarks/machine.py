"""The machine that is measured on: what it is, how busy others keep it, and a core for each of two processes."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

STAT = Path("/proc/stat")
CPUINFO = Path("/proc/cpuinfo")
IDLE = (3, 4)  # of the fields of the first line of /proc/stat: idle, iowait
TICKS = 100  # a second, as Linux tells them


def processor() -> str:
    """The processor's own name, where the system tells it."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def pin(core: int) -> None:
    """Keep this process on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, {core})


def busy_s() -> float:
    """Seconds that all cores together have worked since the start, or were kept from it; 0 where nobody tells."""
    if not STAT.exists():
        return 0.0
    fields = [int(field) for field in STAT.read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return sum(ticks for number, ticks in enumerate(fields) if number not in IDLE) / TICKS


def worked_s(process: int) -> float:
    """Seconds that a process has worked; 0 where nobody tells."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
