"""The operator's files: found, read again when they change, and kept when an edit can't be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llamafarm.config import library as library_module
from llamafarm.config.library import Library, open_library
from llamafarm.core.errors import ConfigError

GOOD = "version: v1\nname: {name}\nnamespace: n\nruntime: {{models: [{{name: a, provider: ollama, model: m}}]}}\n"


def written(path: Path, name: str, *, at: int) -> Path:
    """A project file, last changed at a second of its own: clocks of file systems are coarse."""
    path.write_text(GOOD.format(name=name))
    os.utime(path, (at, at))
    return path


def names(library: Library) -> list[str]:
    return [entry.project.name for entry in library.entries if entry.project]


def test_a_folder_stands_for_its_files_also_for_new_ones(tmp_path: Path) -> None:
    written(tmp_path / "b.yaml", "b", at=1)
    written(tmp_path / "a.yml", "a", at=1)
    (tmp_path / "notes.txt").write_text("nothing")
    library = open_library([tmp_path])
    assert names(library) == ["a", "b"]
    written(tmp_path / "c.json", "c", at=1).write_text('{"version": "v1", "name": "c", "runtime": {"models": []}}')
    written(tmp_path / "d.yaml", "d", at=1)
    library.look()
    assert names(library) == ["a", "b", "d"]
    assert library.entry(tmp_path / "b.yaml") is not None
    assert library.entry(tmp_path / "x.yaml") is None


def test_a_change_is_read_and_a_broken_one_is_not_used(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "one", at=1)
    library = open_library([path])
    (entry,) = library.entries
    assert (entry.loaded.text, entry.changed_at, entry.broken) == (path.read_text(), 1.0, ())
    written(path, "two", at=2)
    library.look()
    assert names(library) == ["two"]
    path.write_text("runtime: [")
    library.look()
    (entry,) = library.entries
    assert names(library) == ["two"]
    assert entry.broken[0].line
    assert "name: two" in entry.loaded.text
    assert entry.changed_at == 2.0
    path.unlink()
    library.look()
    assert names(library) == ["two"]
    written(path, "three", at=3)
    library.look()
    assert names(library) == ["three"]
    assert library.entries[0].broken == ()


def test_a_file_that_never_was_good_has_no_project(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("runtime: [")
    (entry,) = open_library([path]).entries
    assert entry.project is None
    assert entry.loaded.errors
    assert (entry.loaded.text, entry.config) == ("runtime: [", None)


def test_what_is_shown_has_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.format(name="a").replace("model: m", "model: m, api_key: sk-secret"))
    (entry,) = open_library([path]).entries
    assert "sk-secret" not in entry.loaded.text + str(entry.config)


async def test_looks_are_a_second_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.yaml", "one", at=1)
    library = open_library([path])
    written(path, "two", at=2)
    await library.refresh()
    assert names(library) == ["one"]
    monkeypatch.setattr("llamafarm.config.library.LOOK_EVERY_S", 0.0)
    await library.refresh()
    assert names(library) == ["two"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file or folder"):
        open_library([tmp_path / "x.yaml"])
    with pytest.raises(ConfigError, match="no project file"):
        open_library([tmp_path])


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def moved_into_place(path: Path, text: str) -> None:
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    beside.replace(path)


def linked_anew(path: Path, text: str) -> None:
    target = path.with_name(f"{text.count('two')}.target")
    target.write_text(text)
    os.utime(target, (1, 1))
    path.unlink()
    path.symlink_to(target)


def folder_linked_anew(path: Path, text: str) -> None:
    """As cluster volumes are changed: the folder is a link, and leads to another one at once."""
    other = path.parent.with_name("other")
    other.mkdir()
    (other / path.name).write_text(text)
    os.utime(other / path.name, (1, 1))
    path.parent.rename(path.parent.with_name("old"))
    path.parent.symlink_to(other)


@pytest.mark.parametrize("write", [in_place, moved_into_place, linked_anew, folder_linked_anew])
def test_a_rewrite_of_the_same_size_and_time_is_read(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    (tmp_path / "data").mkdir()
    path = written(tmp_path / "data" / "a.yaml", "one", at=1)
    library = open_library([path])
    write(path, GOOD.format(name="two"))
    os.utime(path, (1, 1))
    library.look()
    assert names(library) == ["two"]


def test_a_rewrite_within_one_step_of_the_clock_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.yaml", "one", at=1)
    stamp = library_module._stamp(path)
    monkeypatch.setattr(library_module, "_stamp", lambda _: stamp)  # as where the clock has not gone on
    library = open_library([path])
    written(path, "two", at=1)
    library.look()
    assert names(library) == ["two"]


def test_what_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.yaml", "one", at=1)
    monkeypatch.setattr(library_module, "COARSE_S", -1.0)
    library = open_library([path])
    (before,) = library.entries
    library.look()
    (after,) = library.entries
    assert after is before
