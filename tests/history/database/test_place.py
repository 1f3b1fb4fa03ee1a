"""Where the history is kept, and what people are told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.core.errors import MissingPartError, RequestError
from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.store import open_store
from tests.databases import known


def test_by_default_it_is_a_file_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert known(place_of({})).file == tmp_path / "share" / "llamafarm-playground" / "history.sqlite3"


def test_another_folder_or_file_can_be_named(tmp_path: Path) -> None:
    assert known(place_of({"LF_DATA_DIR": str(tmp_path)})).file == tmp_path / "history.sqlite3"
    assert known(place_of({"LF_DATABASE_URL": f"sqlite:///{tmp_path}/own.db"})).file == tmp_path / "own.db"


@pytest.mark.parametrize("word", ["off", "OFF", " none "])
def test_it_can_be_switched_off(word: str) -> None:
    assert place_of({"LF_DATABASE_URL": word}) is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://me:secret@db.example:5433/farm", "PostgreSQL at db.example:5433/farm"),
        ("postgres://me:secret@db.example/farm", "PostgreSQL at db.example/farm"),
        ("postgresql+psycopg://me:secret@db.example/farm", "PostgreSQL at db.example/farm"),
        ("postgresql:///farm?host=/tmp/x&password=secret", "PostgreSQL at localhost/farm"),
    ],
)
def test_a_name_for_people_has_no_password(url: str, name: str) -> None:
    place = known(place_of({"LF_DATABASE_URL": url}))
    assert place.name == name
    assert "secret" not in repr(place)
    assert place.url.get_secret_value().startswith("postgresql+psycopg://")


@pytest.mark.parametrize(
    "url", ["mysql://me:secret@db/farm", "sqlite://", "sqlite:///", "history.db", "postgresql://me:secret@db:port/x"]
)
def test_other_addresses_are_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(RequestError) as error:
        place_of({"LF_DATABASE_URL": url})
    assert "LF_DATABASE_URL" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_missing_driver_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamafarm.history.database.connecting.place.find_spec", lambda _: None)
    with pytest.raises(MissingPartError, match="llamafarm-playground\\[postgres\\]"):
        place_of({"LF_DATABASE_URL": "postgresql://db/farm"})


async def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    place = known(place_of({"LF_DATABASE_URL": "postgresql://me:secret@127.0.0.1:9/farm"}))
    async with open_store(place) as store:
        told = await store.recorded()
    assert told == "The history at PostgreSQL at 127.0.0.1:9/farm can't be written: the server can't be reached."
