"""The history's file is for its owner alone, and so is what SQLite keeps beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamafarm.history.database.connecting.connect import open_database
from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.connecting.private import keep_private


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(folder: Path) -> dict[str, str]:
    return {each.name: f"{each.stat().st_mode & 0o777:o}" for each in folder.iterdir()}


def test_a_new_file_and_what_is_beside_it_are_private(tmp_path: Path) -> None:
    file = tmp_path / "made" / "h.sqlite3"
    database = open_database(file_place(file))
    try:
        assert rights(file.parent) == {"h.sqlite3": "600", "h.sqlite3-wal": "600", "h.sqlite3-shm": "600"}
        assert f"{file.parent.stat().st_mode & 0o777:o}" == "700"
    finally:
        database.close()


def test_what_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir(mode=0o755)
    file = folder / "h.sqlite3"
    first = open_database(file_place(file))
    try:
        for each in folder.iterdir():
            each.chmod(0o644)
        open_database(file_place(file)).close()
        assert set(rights(folder).values()) == {"600"}
        assert f"{folder.stat().st_mode & 0o777:o}" == "755"  # a folder that was there stays as it was
    finally:
        first.close()


def test_a_link_leads_to_a_private_file(tmp_path: Path) -> None:
    link, file = tmp_path / "link.sqlite3", tmp_path / "real.sqlite3"
    link.symlink_to(file)
    open_database(file_place(link)).close()
    assert rights(tmp_path)["real.sqlite3"] == "600"


def test_a_file_that_only_its_owner_may_read_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "h.sqlite3"
    file.touch(mode=0o444)
    keep_private(file)
    assert rights(tmp_path) == {"h.sqlite3": "400"}


def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "h.sqlite3"
    file.touch(mode=0o644)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    keep_private(file)
    assert rights(tmp_path) == {"h.sqlite3": "644"}
