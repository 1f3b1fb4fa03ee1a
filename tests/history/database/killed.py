"""A process that records lanes and says of each that it is stored, until it is killed. The place is in its environment.

Usage: python -m tests.history.database.killed COUNT
"""

from __future__ import annotations

import asyncio
import os
import sys

from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.store import open_store
from llamafarm.history.model import Began
from tests.history.database.made import asked, ended


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def main(count: int) -> None:
    place = place_of(os.environ)
    assert place is not None
    async with open_store(place) as store:
        comparison = asked()
        store.take(Began(comparison, None))
        say("comparison", comparison.id)
        for number in range(count):
            lane = ended(comparison, f"lane-{number}", f"answer {number} " * 50)
            store.take(lane)
            assert await store.recorded() is None
            say("stored", lane.id)
        await asyncio.Event().wait()  # to be killed, and not to close the store


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
