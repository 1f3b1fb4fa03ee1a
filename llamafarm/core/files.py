"""Files that are written: beside their place, and moved there when they are whole; nothing is ever half there."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block has ended well; else that stays as it was. Blocks.

    A link stays one, and what it leads to is replaced. What is no file (a pipe, a terminal) is written to as it comes.
    Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    target = path.resolve()
    beside = target.with_name(f".{token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


@asynccontextmanager
async def replacing_in_thread(path: Path) -> AsyncIterator[BinaryIO]:
    """The same for the event loop: opened and put into place in a thread; so the block should write, too."""
    held = replacing(path)
    file = await asyncio.to_thread(held.__enter__)
    try:
        yield file
    except BaseException as error:
        held.__exit__(type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(held.__exit__, None, None, None)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` in the place of `path`, all at once. Blocks. Raises OSError."""
    with replacing(path) as file:
        file.write(data)


def same_file(one: Path, other: Path) -> bool:
    """Whether both are one file: by links, by another way to it, or by letters that the disk takes for the same."""
    try:
        return one.samefile(other)
    except OSError:
        pass
    try:
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return False
