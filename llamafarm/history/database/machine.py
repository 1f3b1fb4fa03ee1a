"""Reads what machine this is."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llamafarm.history.machine import Machine

PACKAGES = ("llamafarm-playground", "httpx", "aiohttp", "uvloop", "xllamacpp", "mcp", "genai-prices", "sqlalchemy")
CPUINFO = Path("/proc/cpuinfo")


@cache
def this_machine() -> Machine:
    """The machine that this process runs on; read once, since it stays the same. Blocks for a moment."""
    return Machine(
        system=platform.platform(aliased=True),
        processor=_processor(),
        cores=_cores(),
        memory_bytes=_memory(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def _processor() -> str:
    """Its name as Linux tells it; elsewhere what Python knows."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(("model name", "hardware"))]
    return next((name for name in names if name), platform.processor() or platform.machine())


def _cores() -> int | None:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
