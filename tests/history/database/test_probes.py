"""Probes are kept by server, model and day: a day's newest stands, and the newest of all is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.history.probe import Finding, Probe, Subject

WRONG = Finding(
    "stream", "streams word by word", "no", "In one piece, “\x00\ud83d”.", "No speed.", "in lumps", ("speed",)
)
PROBE = Probe(Subject("http://gpu:8000/v1", "openai", "m"), "fast", datetime(2026, 11, 29, 9, tzinfo=UTC), (), 300, 2.5)


async def test_the_newest_of_each_subject_is_given_as_it_was_kept(place: Place) -> None:
    other = replace(PROBE, subject=Subject("http://gpu:8000/v1", "openai", "another"))
    later = replace(PROBE, findings=(WRONG,), probed_at=PROBE.probed_at + timedelta(hours=3))
    tomorrow = replace(later, probed_at=PROBE.probed_at + timedelta(days=1), ended=False, long_tokens=5130)
    async with open_store(place) as store:
        history = History(store)
        assert await history.newest_probes() == []
        for probe in (PROBE, other, later):
            await history.keep_probe(probe)
        assert await history.newest_probes() == [other, later]
        await history.keep_probe(tomorrow)
        assert await history.newest_probes() == [other, tomorrow]
    assert [(mark.figures, mark.day) for mark in tomorrow.marks] == [(("speed",), "2026-11-30")]
