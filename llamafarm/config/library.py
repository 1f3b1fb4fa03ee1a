"""The operator's own projects: files named when the server starts, read again when they change."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from llamafarm.config.model import Loaded, Project
from llamafarm.config.project import load
from llamafarm.config.reading.read import SUFFIXES, read_document
from llamafarm.core.errors import ConfigError, Problem
from llamafarm.core.types import JsonValue

LOOK_EVERY_S = 1.0

COARSE_S = 0.1
Stamp = tuple[int, int, int, int, int, str]
UNSURE: Stamp = (-1, 0, 0, 0, 0, "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `loaded` is the last good reading; `broken` the problems of a newer one that can't be used.

    `config` is what `loaded` was read from as plain values, with its secrets hidden.
    `changed_at` is when that was written, in seconds since 1970.
    """

    path: Path
    loaded: Loaded
    broken: tuple[Problem, ...] = ()
    config: JsonValue = None
    changed_at: float = 0.0

    @property
    def project(self) -> Project | None:
        """The project as last read well."""
        return self.loaded.project


@dataclass(slots=True)
class Library:
    """The operator's projects by file, in the order in which they were named; a folder stands for its files."""

    paths: Sequence[Path]
    _entries: dict[Path, Entry] = field(default_factory=dict)
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _looked: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All files, as they were at the newest look."""
        return tuple(self._entries.values())

    def entry(self, path: Path) -> Entry | None:
        """The file at `path`, if it is one of these."""
        return self._entries.get(path)

    def find(self, namespace: str, name: str) -> Entry | None:
        """The first file whose project is `namespace/name`."""
        for entry in self.entries:
            project = entry.project
            if project is not None and (project.namespace, project.name) == (namespace, name):
                return entry
        return None

    async def refresh(self) -> None:
        """Look for changes, once a second at most. A broken edit keeps the last good reading."""
        if not self._lock.locked() and time.monotonic() - self._looked < LOOK_EVERY_S:
            return
        async with self._lock:
            if time.monotonic() - self._looked >= LOOK_EVERY_S:
                await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read what is new or has changed; what is gone stays as it was last read. Blocks."""
        self._looked = time.monotonic()
        for path in self._files():
            stamp = _stamp(path)
            if self._stamps.get(path) != stamp:
                self._stamps[path] = stamp if _is_settled(stamp) else UNSURE
                self._entries[path] = _entry(path, stamp[0] / 1e9, self._entries.get(path))

    def _files(self) -> list[Path]:
        files: list[Path] = []
        for path in self.paths:
            if path.is_dir():
                files += sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
            else:
                files.append(path)
        return list(dict.fromkeys(files))


def open_library(paths: Sequence[Path]) -> Library:
    """A library of `paths`, read. Raises ConfigError where a path is not there, or a folder has no projects."""
    for path in paths:
        if not path.exists():
            raise ConfigError(f"There is no file or folder {path}.", hint="Look at --config.")
    library = Library(paths)
    library.look()
    if paths and not library.entries:
        raise ConfigError("There is no project file in the folder.", hint=f"They end in {', '.join(SUFFIXES)}.")
    return library


def _entry(path: Path, changed_at: float, before: Entry | None) -> Entry:
    loaded = load(path)
    if loaded.project is None and before is not None and before.project is not None:
        return replace(before, broken=loaded.errors)
    try:
        config = read_document(loaded.text, path.name).value
    except ConfigError:  # it says so in `loaded`
        config = None
    return Entry(path, loaded, config=config, changed_at=changed_at)


def _is_settled(stamp: Stamp) -> bool:
    """Whether no later change can have the same stamp: clocks of file systems go in steps."""
    return abs(time.time() - stamp[-2] / 1e9) > COARSE_S


def _stamp(path: Path) -> Stamp:
    """What tells a file from what it was, and from another one that took its name or that a link leads to now.

    A rewrite may leave size and modification time as they were (`touch -r`, `rsync -t`, a restored backup): the time of
    the last change of its entry does not lie. Where a system has no such time, as Windows, the content itself tells.
    """
    try:
        stat = path.stat()
        content = "" if os.name == "posix" else sha256(path.read_bytes()).hexdigest()
    except OSError:
        return (0, 0, 0, 0, 0, "")
    return (stat.st_mtime_ns, stat.st_size, stat.st_dev, stat.st_ino, stat.st_ctime_ns, content)
