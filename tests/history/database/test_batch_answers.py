"""The answers of a batch come out of the history in the order of its file, judged anew, a few at a time."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import Any

from llamafarm.experiments.batch.run import answers
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.ids import new_id, piece_id
from llamafarm.history.model import ProjectRef, Run, RunBegan
from llamafarm.output.batch import rows, written
from tests.history.database.made import asked, ended, keep


async def filled(store: Store, rows: int, text: str) -> str:
    """A batch of so many rows, which were answered last to first."""
    run = Run(new_id(), "batch", "rows.csv", datetime.now(UTC), ProjectRef("n", "p"))
    store.take(RunBegan(run, None))
    for number in range(rows, 0, -1):
        own: dict[str, Any] = {
            "kind": "batch",
            "id": piece_id(run.id, number),
            "run": run.id,
            "item": f"{number} q{number}",
        }
        row = asked(f"Question {number}", checks=("contains:hay", "not-contains:straw"), **own)
        keep(store, row, ended(row, "wise", text), ended(row, "fast", "Grass and hay."), snapshot=None)
    assert await store.recorded() is None
    return run.id


async def test_answers_come_in_the_order_of_the_file_with_what_their_checks_say(place: Place) -> None:
    async with open_store(place) as store:
        run = await filled(store, 3, "straw")
        found = [each async for each in answers(History(store), run)]
    assert [(each.row, each.ended.spec.id) for each in found] == [
        (number, lane) for number in (1, 2, 3) for lane in ("fast", "wise")
    ]
    assert [each.sample.passed for each in found[:2]] == [True, False]
    assert found[1].sample.notes == ("contains:hay: does not hold", "not-contains:straw: does not hold")
    (row,) = rows(found[1])
    assert (row["row"], row["id"], row["model"], row["passed"]) == (1, "q1", "wise", False)


async def test_memory_holds_a_few_of_many_answers(place: Place) -> None:
    async with open_store(place) as store:
        run = await filled(store, 600, "straw and hay " * 1_000)
        await anext(written(answers(History(store), run), "csv"))  # pandas is imported once, and stays
        tracemalloc.start()
        size = 0
        async for piece in written(answers(History(store), run), "csv"):
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size > 8_000_000
    assert peak < 5_000_000
