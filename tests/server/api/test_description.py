"""The description at /docs: offline, and true — schemathesis asks the API for all that it allows, and more."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.server.api.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

EXAMPLES = 10


async def test_the_page_of_the_description_needs_no_other_server(here: World) -> None:
    told = await here.client.get("/docs")
    assert told.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', told.text)
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith("/docs/static/")
        assert (await here.client.get(address)).status_code == 200


async def test_every_operation_is_described(here: World) -> None:
    described = (await here.client.get("/openapi.json")).json()
    operations = {
        (method, path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == {
        ("post", "/v1/projects/{namespace}/{project}/chat/completions"),
        ("post", "/v1/projects/{namespace}/{project}/compare"),
        ("post", "/v1/projects/{namespace}/{project}/route"),
        ("get", "/v1/projects/{namespace}"),
        ("get", "/v1/projects/{namespace}/{project}"),
        ("get", "/v1/projects/{namespace}/{project}/models"),
        ("get", "/v1/projects/{namespace}/{project}/models/{model}"),
        ("post", "/v1/chat/completions"),
        ("get", "/v1/models"),
        ("get", "/v1/models/{model}"),
        ("get", "/health"),
    }
    for (method, path), operation in operations.items():
        assert operation["description"], path
        assert "422" not in operation["responses"], path
        if method == "post":
            assert "4XX" in operation["responses"], path
    schemas = described["components"]["schemas"]
    assert "ChatCompletionChunk" in schemas
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references <= set(schemas)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_the_description_is_true(here: World, mode: GenerationMode) -> None:
    await asyncio.to_thread(explore, here.url, mode)


def explore(url: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.POSITIVE or operation.body:  # no address is wrong by its form
            checked(operation.as_strategy(generation_mode=mode))()


def checked(cases: Any) -> Callable[[], None]:
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases)
    def check(case: Any) -> None:
        case.call_and_validate()

    return check
