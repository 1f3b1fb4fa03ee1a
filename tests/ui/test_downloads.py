"""What the History tab's links download, asked over real sockets: behind the gate, filtered, whole."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from collections.abc import Iterator
from io import BytesIO, StringIO

import httpx
import pandas as pd
import pytest
from pydantic import SecretStr

from llamafarm.access.settings import ServerSettings
from llamafarm.config import sample_path
from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.store import open_store
from llamafarm.history.model import Asked
from llamafarm.ui.batch.view import downloads
from tests.databases import known
from tests.history.database.made import asked, ended, keep
from tests.history.database.test_batch_answers import filled
from tests.serving import serving

KEY = "sk-of-the-page"


async def two() -> list[Asked]:
    async with open_store(known(place_of(os.environ))) as store:
        llamas, sky = asked(), asked("=SUM(1)", ("fast",), kind="chat")
        keep(store, llamas, ended(llamas, text="Grass"), ended(llamas, "wise", "Hay"))
        keep(store, sky, ended(sky, text="Scattering"))
        return [llamas, sky]


@pytest.fixture
def server() -> Iterator[str]:
    with serving([sample_path("embedded")], ServerSettings(api_keys=(SecretStr(KEY),))) as url:
        yield url


def test_what_a_search_finds_is_downloaded_by_those_who_may(server: str) -> None:
    llamas, sky = asyncio.run(two())
    address = f"{server}/history/export"
    assert httpx.get(address, params={"format": "csv"}).status_code == httpx.codes.UNAUTHORIZED
    with httpx.Client(auth=("me", KEY)) as client:
        table = client.get(address, params={"format": "csv"})
        assert table.headers["content-disposition"] == 'attachment; filename="llamafarm-history.csv"'
        assert table.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(StringIO(table.text)))
        assert [(row["comparison"], row["lane"]) for row in rows] == [
            (sky.id, "fast"), (llamas.id, "fast"), (llamas.id, "wise"),
        ]  # fmt: skip
        assert rows[0]["prompt"] == "'=SUM(1)"
        lines = client.get(address, params={"format": "jsonl", "model": "wise"}).text.splitlines()
        assert [json.loads(line)["id"] for line in lines] == [llamas.id]
        assert "Scattering" in client.get(address, params={"format": "markdown", "text": "scatt", "kind": "chat"}).text
        parquet = client.get(address, params={"format": "parquet"})
        assert parquet.headers["content-disposition"] == 'attachment; filename="llamafarm-history.parquet"'
        assert pd.read_parquet(BytesIO(parquet.content))["prompt"].tolist()[0] == "=SUM(1)"
        assert client.get(address, params={"format": "jsonl", "project": "no/such"}).text == ""


async def a_batch() -> str:
    async with open_store(known(place_of(os.environ))) as store:
        return await filled(store, 2, "straw")


def test_the_answers_of_a_batch_are_downloaded_in_each_form(server: str) -> None:
    run = asyncio.run(a_batch())
    with httpx.Client(base_url=server, auth=("me", KEY)) as client:
        files = {form: client.get(f"/batches/{run}.{form}") for form in ("csv", "jsonl", "parquet")}
    assert [answer.status_code for answer in files.values()] == [200] * 3
    rows = list(csv.DictReader(StringIO(files["csv"].text)))
    told = [json.loads(line) for line in files["jsonl"].text.splitlines()]
    frame = pd.read_parquet(BytesIO(files["parquet"].content))
    assert [row["text"] for row in rows] == [each["text"] for each in told] == frame["text"].tolist()
    assert [row["passed"] == "true" for row in rows] == [each["passed"] for each in told] == frame["passed"].tolist()


@pytest.mark.parametrize(
    ("query", "said"), [({"format": "pdf"}, "csv, jsonl, markdown"), ({"format": "csv", "since": "soon"}, "no date")]
)
def test_what_cannot_be_downloaded_is_said(server: str, query: dict[str, str], said: str) -> None:
    answer = httpx.get(f"{server}/history/export", params=query, auth=("me", KEY))
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert said in answer.text


def test_without_pyarrow_parquet_is_not_offered_and_its_command_is_told(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamafarm.output.tables.find_spec", lambda _: None)
    answer = httpx.get(f"{server}/history/export", params={"format": "parquet"}, auth=("me", KEY))
    assert (answer.status_code, "llamafarm-playground[parquet]" in answer.text) == (400, True)
    assert "parquet" not in downloads("r" * 26)


def test_parquet_is_offered_where_it_can_be_written() -> None:
    assert "as Parquet" in downloads("r" * 26)


def test_without_a_history_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    with serving([sample_path("embedded")]) as url:
        answer = httpx.get(f"{url}/history/export", params={"format": "csv"})
    assert (answer.status_code, "switched off" in answer.text) == (httpx.codes.SERVICE_UNAVAILABLE, True)
