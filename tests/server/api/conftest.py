"""One server for all tests of the API that need no settings of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.server.api.world import World, world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("projects")) as shared:
        yield shared


@pytest.fixture
def here(shared_world: World) -> World:
    shared_world.anew()
    return shared_world
