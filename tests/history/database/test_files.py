"""SQLite files as people have them: with odd names, read-only, damaged, locked, and deleted under a running program."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from llamafarm.core.errors import StoreError
from llamafarm.history.database.connecting.place import FILE, Place, file_place, place_of
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store, open_store
from tests.databases import known
from tests.history.database.made import asked, ended, keep

NOBODY = 65534
NAMES = ["a?b", "c%20d", "100%", "e#f", "g h", "ü-日本", "i?mode=ro&immutable=1", "file:x", 'it\'s "so"', "{x}", "a;b"]


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def allow(path: Path, mode: int) -> None:
    path.chmod(mode)


async def recorded(place: Place) -> str:
    """The id of a comparison that is stored there."""
    async with open_store(place) as store:
        comparison = keep(store, one := asked(), ended(one))
        assert await store.recorded() is None
    return comparison.id


@pytest.mark.parametrize("name", NAMES)
async def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    place = known(place_of({"LF_DATA_DIR": str(tmp_path / name)}))
    identity = await recorded(place)
    assert files_in(tmp_path) == [f"{name}/{FILE}"]
    async with open_store(place) as store:
        assert (await History(store).open(identity)).asked.id == identity


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_that_is_named_may_be_called_anything(tmp_path: Path, name: str) -> None:
    await recorded(known(place_of({"LF_DATABASE_URL": f"sqlite:///{tmp_path}/{name}"})))
    assert files_in(tmp_path) == [name]


# --- files and folders that may not be written


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may do everything: then the test goes on as nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody can reach."""
    made = Path(tempfile.mkdtemp(prefix="lf-read-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o555, 0o444), (0o777, 0o444), (0o555, 0o644)])
async def test_reading_needs_no_right_to_write(folder: Path, folder_mode: int, file_mode: int) -> None:
    place = file_place(folder / FILE)
    identity = await recorded(place)
    allow(folder / FILE, file_mode)
    allow(folder, folder_mode)
    before = (folder / FILE).read_bytes()
    with without_rights():
        async with open_store(place) as store:
            history = History(store)
            assert (await history.open(identity)).asked.id == identity
            assert [item.id for item in (await history.find()).items] == [identity]
            with pytest.raises(StoreError, match=r"can't be written: (the file|its folder) may not be written"):
                await history.delete([identity])
            keep(store, one := asked(), ended(one))
            told = await store.recorded()
        assert told is not None
        assert "may not be written" in told
        assert store.answers == (0, 1)
    assert files_in(folder) == [FILE]
    assert (folder / FILE).read_bytes() == before


async def test_what_is_written_meanwhile_is_read_too(folder: Path) -> None:
    """A log that has not been brought into the file yet is part of it."""
    place = file_place(folder / FILE)
    async with open_store(place) as writing:
        comparison = keep(writing, one := asked(), ended(one))
        assert await writing.recorded() is None
        for name in files_in(folder):
            allow(folder / name, 0o444)
        with without_rights():
            async with open_store(place) as store:
                assert (await History(store).open(comparison.id)).asked.id == comparison.id


async def test_a_file_of_an_older_program_that_can_t_be_brought_up_to_date_is_told(folder: Path) -> None:
    place = file_place(folder / FILE)
    await recorded(place)
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.execute("DELETE FROM migrations WHERE name = (SELECT max(name) FROM migrations)")
        database.commit()
    allow(folder / FILE, 0o444)
    allow(folder, 0o555)
    with without_rights():
        async with open_store(place) as store:
            with pytest.raises(StoreError, match="may not be written"):
                await History(store).find()


# --- damaged, locked, gone


async def told_of(place: Place) -> str:
    async with open_store(place) as store:
        with pytest.raises(StoreError) as error:
            await History(store).find()
        assert await store.recorded() == str(error.value)
    return str(error.value)


async def test_a_damaged_file_is_called_damaged(tmp_path: Path) -> None:
    place = file_place(tmp_path / FILE)
    await recorded(place)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:4096] + b"Z" * (len(whole) - 4096))
    assert await told_of(place) == f"The history at {place.name} can't be written: the file is damaged."


async def test_a_file_that_is_cut_off_is_called_damaged(tmp_path: Path) -> None:
    place = file_place(tmp_path / FILE)
    await recorded(place)
    os.truncate(tmp_path / FILE, 5000)
    assert "the file is damaged" in await told_of(place)


async def test_another_file_is_called_no_database(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("Dear diary, " * 500)
    assert "the file is no SQLite database" in await told_of(file_place(tmp_path / FILE))


async def test_a_locked_file_is_called_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamafarm.history.database.connecting.connect.BUSY_S", 0.1)
    place = file_place(tmp_path / FILE)
    await recorded(place)
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "another process holds the file" in await told_of(place)


def delete(file: Path) -> None:
    for path in list(file.parent.iterdir()):
        path.unlink()


def delete_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


def put_another(file: Path) -> None:
    shutil.copy(file, file.with_name("other"))
    file.with_name("other").replace(file)


GONE = pytest.mark.parametrize("go", [delete, delete_folder, put_another])


async def begun(store: Store) -> None:
    keep(store, one := asked(), ended(one))
    assert await store.recorded() is None


@GONE
async def test_a_file_that_goes_while_it_is_open_is_noticed_by_who_writes(tmp_path: Path, go: object) -> None:
    file = tmp_path / "data" / FILE
    async with open_store(file_place(file)) as store:
        await begun(store)
        assert callable(go)
        go(file)
        comparison = keep(store, one := asked(), ended(one))
        told = await store.recorded()
        assert told is not None
        assert "was deleted or replaced while it was open" in told
        assert store.deleted
        assert (await History(store).open(comparison.id)).asked.id == comparison.id, "what comes later is kept"
        keep(store, other := asked(), ended(other))
        assert await store.recorded() is None, "it was told"
        assert store.trouble is not None
        assert "was deleted or replaced" in store.trouble


@GONE
async def test_a_file_that_goes_while_it_is_open_is_noticed_by_who_reads(tmp_path: Path, go: object) -> None:
    file = tmp_path / "data" / FILE
    async with open_store(file_place(file)) as store:
        await begun(store)
        assert callable(go)
        go(file)
        history = History(store)
        with pytest.raises(StoreError, match="was deleted or replaced while it was open"):
            await history.find()
        await history.find()  # the new file


async def test_an_answer_whose_comparison_went_with_the_file_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / FILE
    async with open_store(file_place(file)) as store:
        comparison = keep(store, asked())
        assert await store.recorded() is None
        delete(file)
        store.take(ended(comparison))
        assert "was deleted" in (await store.recorded() or "")
        await begun(store)
