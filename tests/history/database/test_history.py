"""Finding, opening, judging and deleting what was recorded: the same on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.core.events import Failed
from llamafarm.core.types import Cost, Message
from llamafarm.history.database.connecting.place import Place, file_place
from llamafarm.history.database.history import STRETCH, History
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.ids import new_id
from llamafarm.history.model import Asked, Began, Piece, ProjectRef, Run, RunBegan, RunEnded, Vote
from llamafarm.history.query import Filter
from tests.history.database.made import PROJECT, SNAPSHOT, START, asked, ended, keep


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with open_store(place) as opened:
        yield opened


@pytest.fixture
def history(store: Store) -> History:
    return History(store)


def three(store: Store) -> tuple[Asked, Asked, Asked]:
    """Three comparisons, a day apart."""
    llamas = asked("What do llamas eat?")
    sky = asked(
        "Why is the sky blue?",
        ("fast",),
        project=ProjectRef("other", "farm", PROJECT.digest),
        started_at=START + timedelta(days=1),
    )
    chat = asked("Tell me more.", ("wise",), kind="chat", started_at=START + timedelta(days=2), parent=sky.id)
    keep(store, llamas, ended(llamas, text="Crème brûlée, never; grass."), ended(llamas, "wise", "Hay."))
    keep(store, sky, ended(sky, text="Rayleigh scattering.", reasoning="Photons, wavelengths…"))
    keep(store, chat, ended(chat, "wise", "那是因为瑞利散射。", model="spare", model_id="spare-9"))
    return llamas, sky, chat


# --- finding


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("llamas", [0]), ("LLAMAS eat", [0]), ("grass", [0]), ("gra", [0]), ("rass", []),
        ("creme brulee", [0]), ("Crème", [0]), ("photons", [1]), ("sky hay", []), ("blue scattering", [1]),
        ("瑞利", [2]), ("瑞士", []), ("", [0, 1, 2]), ("  ", [0, 1, 2]), ("?!", []),
        ("'", []), ('" OR "', []), ("hay*", [0]), ("NOT hay", []), ("words:hay", []), ("hay') OR ('1'='1", []), ("\x00hay\ud800", [0]),
    ],
)  # fmt: skip
async def test_full_text_finds_all_words_in_any_order(
    store: Store, history: History, text: str, found: list[int]
) -> None:
    kept = three(store)
    page = await history.find(Filter(text=text))
    assert [item.id for item in page.items] == [kept[index].id for index in reversed(found)]
    assert await history.count(Filter(text=text)) == len(found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), [0, 1, 2]), (Filter(project="farm"), [0, 1, 2]), (Filter(project="other/farm"), [1]), (Filter(project="far"), []),
        (Filter(model="fast"), [0, 1]), (Filter(model="wise"), [0, 2]), (Filter(model="spare"), [2]), (Filter(model="spare-9"), [2]),
        (Filter(kind="chat"), [2]), (Filter(since=START + timedelta(days=1)), [1, 2]), (Filter(until=START + timedelta(days=1)), [0]),
        (Filter(text="grass", model="wise"), [0]), (Filter(kind="sweep"), []),
    ],
)  # fmt: skip
async def test_filters(store: Store, history: History, wanted: Filter, found: list[int]) -> None:
    kept = three(store)
    page = await history.find(wanted)
    assert [item.id for item in page.items] == [kept[index].id for index in reversed(found)]


async def test_a_list_shows_each_lane_once_and_the_vote(store: Store, history: History) -> None:
    llamas, *_ = three(store)
    store.take(ended(llamas, "fast", "Again.", status="failed", cost=Cost(None, "unknown")))
    await history.vote(llamas.id, Vote("best", "wise", blind=True, voted_at=START))
    item = (await history.find()).items[-1]
    assert [(lane.lane, lane.status, lane.usd) for lane in item.lanes] == [
        ("fast", "failed", None),
        ("wise", "done", Decimal("0.000123")),
    ]
    assert item.vote == Vote("best", "wise", blind=True, voted_at=START)
    assert [(lane.estimated, lane.staged) for lane in item.lanes] == [(False, False), (True, False)]


async def test_pages_go_back_in_time_without_gaps(store: Store, history: History) -> None:
    kept = [keep(store, asked(f"question {number}")) for number in range(7)]
    seen: list[str] = []
    place: str | None = None
    while True:
        page = await history.find(older_than=place, limit=3)
        seen += [item.id for item in page.items]
        place = page.older
        if place is None:
            break
    assert seen == sorted((each.id for each in kept), reverse=True)


async def test_a_stream_gives_all(store: Store, history: History) -> None:
    kept = {keep(store, asked(f"question {number}")).id for number in range(STRETCH * 2 + 1)}
    streamed = [each.asked.id async for each in history.stream()]
    assert streamed == sorted(kept, reverse=True)
    assert [each.asked.id async for each in history.stream(oldest_first=True)] == sorted(kept)


async def test_what_failed_is_found_by_its_message(store: Store, history: History) -> None:
    kept = asked()
    failure = Failed(at=1.0, kind="ConnectFailed", message="Nothing listens at 127.0.0.1:9.")
    keep(store, kept, ended(kept, text="", status="failed", failure=failure))
    assert await history.count(Filter(text="listens")) == 1


async def test_texts_of_extreme_length_can_be_stored_and_found(store: Store, history: History) -> None:
    words = " ".join(f"w{number:x}" for number in range(300_000))
    kept = asked("x" * 100_000)
    keep(store, kept, ended(kept, text=words))
    assert await store.recorded() is None
    assert await history.count(Filter(text="w1f w2f")) == 1
    assert (await history.open(kept.id)).replies["fast"].text == words


# --- opening


async def test_a_comparison_is_opened_by_the_beginning_of_its_id(store: Store, history: History) -> None:
    first, second = keep(store, asked()), keep(store, asked())
    assert (await history.open(first.id.upper())).asked == first
    with pytest.raises(RequestError, match="Several"):
        await history.open(first.id[:2])
    for unknown in ("zzzz", "", "%", "'; DROP TABLE lanes; --", second.id + "0"):
        with pytest.raises(RequestError, match="no comparison"):
            await history.open(unknown)


# --- judging


async def test_a_vote_can_be_changed_and_taken_back(store: Store, history: History) -> None:
    llamas, *_ = three(store)
    for vote in (
        Vote("best", "fast", blind=False, voted_at=START),
        Vote("tie", None, blind=True, voted_at=START + timedelta(hours=1)),
        Vote("bad", None, blind=False, voted_at=START + timedelta(hours=2)),
        None,
    ):
        await history.vote(llamas.id, vote)
        assert (await history.open(llamas.id)).vote == vote


@pytest.mark.parametrize(("choice", "lane"), [("best", None), ("best", "nobody"), ("tie", "fast")])
async def test_a_vote_that_makes_no_sense_is_refused(
    store: Store, history: History, choice: str, lane: str | None
) -> None:
    llamas, *_ = three(store)
    with pytest.raises(RequestError):
        await history.vote(llamas.id, Vote(choice, lane, blind=False, voted_at=START))  # type: ignore[arg-type]
    assert (await history.open(llamas.id)).vote is None


# --- deleting


async def test_what_is_deleted_is_gone_with_all_that_belonged_to_it(store: Store, history: History) -> None:
    llamas, sky, chat = three(store)
    await history.vote(llamas.id, Vote("tie", None, blind=False, voted_at=START))
    assert await history.delete([llamas.id, chat.id, new_id()]) == 2
    assert [item.id for item in (await history.find()).items] == [sky.id]
    assert await history.count(Filter(text="grass")) == 0
    assert await history.snapshot(PROJECT.digest) == SNAPSHOT  # the other one's file, too
    assert await history.delete([sky.id]) == 1
    assert await history.snapshot(PROJECT.digest) is None


async def test_a_lane_that_ends_after_its_comparison_was_deleted_leaves_nothing(store: Store, history: History) -> None:
    kept = keep(store, asked())
    await history.delete([kept.id])
    store.take(ended(kept, text="too late"))
    assert await store.recorded() is None
    assert await history.count(Filter(text="late")) == 0


async def test_deleted_words_are_nowhere_in_the_file_of_sqlite(tmp_path: Path) -> None:
    async with open_store(file_place(tmp_path / "history.sqlite3")) as store:
        history = History(store)
        others = [asked(f"number {number}") for number in range(60)]
        for number, each in enumerate(others):
            keep(store, each, ended(each, text=f"common words and w{number}"))
            assert number % 7 or await store.recorded() is None  # several parts of the index
        kept = asked("the xylophone question")
        keep(store, kept, ended(kept, text="A quokkaquokka answer."), snapshot=replace(SNAPSHOT, text="zeppelin: 1"))
        assert await store.recorded() is None
        assert b"quokkaquokka" in await asyncio.to_thread(content, tmp_path)
        await history.delete([kept.id])
        left = await asyncio.to_thread(content, tmp_path)
        for word in (b"xylophone", b"quokkaquokka", kept.id.encode()):
            assert word not in left
        assert await history.count(Filter(text="common w5")) == 11


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


# --- runs


def a_run() -> Run:
    return Run(new_id(), "batch", "prompts.csv × 2 models", START, PROJECT, {"items": 3, "file": "prompts.csv"})


async def test_a_run_can_be_resumed_by_what_of_it_ended(store: Store, history: History) -> None:
    run = a_run()
    store.take(RunBegan(run, SNAPSHOT))
    first, second = (asked(f"row {number}", kind="batch", run=run.id, item=f"row-{number}") for number in (1, 2))
    keep(store, first, ended(first), ended(first, "wise", status="failed"))
    keep(store, second, ended(second))
    keep(store, asked("another"))
    begun = asked("row 3", kind="batch", run=run.id, item="row-3")
    keep(store, begun)
    keep(store, first, ended(first, "wise"))  # asked again, and this time it answered
    assert [each async for each in history.pieces(run.id)] == [
        Piece("row-1", first.id, {"fast": "done", "wise": "done"}),
        Piece("row-2", second.id, {"fast": "done"}),
        Piece("row-3", begun.id, {}),
    ]
    assert await history.run(run.id) == run
    store.take(RunEnded(run.id, START + timedelta(hours=1)))
    assert (await history.run(run.id)).ended_at == START + timedelta(hours=1)
    assert [each.id for each in await history.runs()] == [run.id]
    assert [each.id for each in await history.runs(kind="batch", project=replace(PROJECT, digest="another"))] == [
        run.id
    ]
    assert await history.runs(kind="sweep") == []
    assert await history.runs(project=ProjectRef("no", "such")) == []


async def test_comparisons_of_runs_are_listed_only_where_they_are_asked_for(store: Store, history: History) -> None:
    run = a_run()
    store.take(RunBegan(run, None))
    piece = keep(store, asked(kind="batch", run=run.id, item="row-1"))
    single = keep(store, asked())
    assert [item.id for item in (await history.find()).items] == [single.id]
    assert [item.id for item in (await history.find(Filter(run=run.id))).items] == [piece.id]
    assert [item.id for item in (await history.find(Filter(kind="batch"))).items] == [piece.id]


async def test_an_item_of_a_run_is_recorded_once(store: Store, history: History) -> None:
    run = a_run()
    store.take(RunBegan(run, None))
    once = keep(store, asked(kind="batch", run=run.id, item="row-1"))
    twice = keep(store, asked(kind="batch", run=run.id, item="row-1"))
    assert await store.recorded() is None
    assert [each.asked for each in await history.whole([once.id, twice.id])] == [once]


async def test_a_run_is_deleted_with_its_comparisons(store: Store, history: History) -> None:
    run = a_run()
    store.take(RunBegan(run, SNAPSHOT))
    piece = asked("zebra", kind="batch", run=run.id, item="row-1")
    keep(store, piece, ended(piece))
    await history.delete_run(run.id)
    assert await history.whole([piece.id]) == []
    assert await history.count(Filter(text="zebra", kind="batch")) == 0
    assert await history.snapshot(SNAPSHOT.digest) is None
    for ask in (history.run, history.delete_run):
        with pytest.raises(RequestError, match="no run"):
            await ask(run.id)


async def test_many_pieces_of_a_run_are_given_in_parts(
    store: Store, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamafarm.history.database.history.PIECES_AT_ONCE", 3)
    run = a_run()
    store.take(RunBegan(run, None))
    for number in range(7):
        piece = asked(kind="batch", run=run.id, item=str(number), messages=(Message("user", str(number)),))
        keep(store, piece, ended(piece))
    assert [each.item async for each in history.pieces(run.id)] == [str(number) for number in range(7)]


async def test_standings_count_who_answered_in_what_is_looked_for(store: Store, history: History) -> None:
    llamas, sky, _ = three(store)
    spare = keep(store, plain := asked("Which?"), ended(plain, model="spare"), ended(plain, "wise"))
    shown = keep(store, staged := asked("Show?"), ended(staged, staged={"fast": "429"}), ended(staged, "wise"))
    for each in (llamas, spare, shown):
        await history.vote(each.id, Vote("best", "wise", blind=each is llamas, voted_at=START))
    await history.vote(sky.id, Vote("tie", None, blind=False, voted_at=START))
    found = {
        each.model: (each.blind.won, each.blind.lost, each.named.won, each.named.lost)
        for each in await history.standings()
    }
    assert found == {"wise": (1, 0, 1, 0), "fast": (0, 1, 0, 0), "spare": (0, 0, 0, 1)}
    assert [each.model for each in await history.standings(Filter(text="which"))] == ["spare", "wise"]
    assert await history.standings(Filter(project="no/such")) == []
    store.take(ended(llamas, "fast", status="failed"))  # tried again, and there is no contest any more
    assert [each.blind.votes for each in await history.standings()] == [0, 0]


async def test_the_newest_answers_of_a_model_are_those_of_the_model_behind_its_name(place: Place) -> None:
    async with open_store(place) as store:
        for number in range(3):
            comparison = asked(f"Question {number}")
            failed = ended(comparison, "wise", status="failed") if number else ended(comparison, "wise")
            keep(store, comparison, ended(comparison, text=f"Answer {number}"), failed)
        await store.recorded()
        history = History(store)
        newest = await history.newest_lanes("fast", "fast-1", limit=2)
        assert [each.reply.text for each in newest] == ["Answer 2", "Answer 1"]
        assert await history.newest_lanes("fast", "another", limit=2) == []
        assert len(await history.newest_lanes("wise", "wise-1", limit=9)) == 1


# --- rehearsing


async def test_a_rehearsal_leaves_nothing_behind(store: Store, history: History) -> None:
    tried, kept = asked("Is everything ready?"), asked("What do llamas eat?")
    await store.rehearse([Began(tried, SNAPSHOT), ended(tried)])
    keep(store, kept, ended(kept))
    await store.rehearse([Began(tried, SNAPSHOT), ended(tried)])
    found = await history.find()
    assert [brief.id for brief in found.items] == [kept.id]
