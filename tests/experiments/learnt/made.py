"""A history whose truth is known: planted comparisons with votes or checks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.core.types import Cost, Message
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store
from llamafarm.history.model import Asked, Ended, Vote
from tests.history.database.made import START, asked, ended, keep
from tests.learning.worlds import World, planted

TEXT = """version: v1
name: farm
namespace: default
runtime:
  default_model: cheap
{extra}  models:
{models}"""
MODEL = """    - name: {name}
      provider: openai
      model: {name}-1
      base_url: http://127.0.0.1:9/v1
"""
COSTS = {"coder": "0.004", "writer": "0.003", "cheap": "0.0005"}


def project(extra: str = "", names: tuple[str, ...] = tuple(COSTS)) -> Project:
    """A project with these named models."""
    text = TEXT.format(extra=extra, models="".join(MODEL.format(name=name) for name in names))
    found = parse(text, trusted=True, environ={}).project
    assert found is not None
    return found


def comparison(world: World, row: int) -> tuple[Asked, list[Ended]]:
    """A row of `world`, an hour after the one before, answered by three models."""
    at = START + timedelta(hours=row)
    made = asked(world.prompts[row], tuple(COSTS), started_at=at, messages=(Message("user", world.prompts[row]),))
    return made, [ended(made, name, f"Answer {name}.", cost=Cost(Decimal(usd), "table")) for name, usd in COSTS.items()]


def vote_of(world: World, row: int) -> Vote:
    """For the lane that is truly the best."""
    best = tuple(COSTS)[int(world.truth[row].argmax())]
    return Vote("best", best, blind=row % 2 == 0, voted_at=START + timedelta(hours=row, minutes=5))


async def compared(store: Store, count: int, *, first: int = 0, voted: bool = True, seed: int = 1) -> World:
    """Keep comparisons of a planted world, each with a vote."""
    world = planted(400, seed)
    for row in range(first, first + count):
        made, lanes = comparison(world, row)
        keep(store, made, *lanes)
        if voted:
            await History(store).vote(made.id, vote_of(world, row))
    return world
