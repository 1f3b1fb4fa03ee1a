"""What was recorded is for its owner alone to read."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OWNERS = stat.S_IRUSR | stat.S_IWUSR
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps beside its file; it gives new ones the file's own rights


def keep_private(file: Path) -> None:
    """Make `file`, empty, where it is not there; and take the rights of all others from what is there.

    A file that belongs to somebody else, or on a medium without rights, stays as it is. Raises OSError where it can't
    be made. Blocks.
    """
    file = file.resolve()
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNERS))
    for each in (file.with_name(file.name + end) for end in BESIDE):
        with suppress(OSError):
            mode = stat.S_IMODE(each.stat().st_mode)
            if mode & ~stat.S_IRWXU:
                each.chmod(mode & stat.S_IRWXU)
