"""What a server writes on its standard error: its last words are kept for the message when it fails."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from types import TracebackType
from typing import Self, TextIO

KEPT = 2000
AT_ONCE, PAUSE_S = 64 * 1024, 0.01
PATIENCE_S = 0.5  # for a pipe that a surviving child of the process still holds


class LastWords:
    """A pipe for a process's standard error: entering opens it. `written` counts the bytes that came.

    A thread reads it until every other end is closed, because reading pipes on the event loop is not to be had on
    every platform.
    """

    def __init__(self) -> None:
        self._kept = b""
        self.written = 0
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        ours, theirs = os.pipe()
        self.file: TextIO = os.fdopen(theirs, "w")
        self._reader = threading.Thread(target=self._read, args=(ours,), name="mcp stderr", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def started(self) -> None:
        """The process has its own end now: ours is closed, so that its death ends the pipe."""
        self.file.close()

    async def all_read(self) -> None:
        """Wait until what a process that has ended wrote is there."""
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join, PATIENCE_S)

    def since(self, written: int = 0) -> str:
        """What came after the first `written` bytes, as far as it is kept."""
        new = max(self.written - written, 0)
        return self._kept[max(len(self._kept) - new, 0) :].decode("utf-8", "replace").strip()

    def _read(self, end: int) -> None:
        with os.fdopen(end, "rb", buffering=0) as pipe:
            while chunk := pipe.read(AT_ONCE):
                self._kept = (self._kept + chunk)[-KEPT:]
                self.written += len(chunk)
                if len(chunk) == AT_ONCE:  # a pipe that is always full is a flood: it may wait
                    time.sleep(PAUSE_S)
