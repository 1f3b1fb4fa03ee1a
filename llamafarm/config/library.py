"""The operator's own projects: files named when the server starts, read again when they change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from llamafarm.config.model import Loaded, Project
from llamafarm.config.project import load
from llamafarm.config.read import SUFFIXES, read_document
from llamafarm.errors import ConfigError, Problem
from llamafarm.types import JsonValue

LOOK_EVERY_S = 1.0


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
    _stamps: dict[Path, tuple[int, int]] = field(default_factory=dict)
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
        async with self._lock:
            if time.monotonic() - self._looked >= LOOK_EVERY_S:
                await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read what is new or has changed; what is gone stays as it was last read. Blocks."""
        self._looked = time.monotonic()
        for path in self._files():
            stamp = _stamp(path)
            if self._stamps.get(path) != stamp:
                self._stamps[path] = stamp
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


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
