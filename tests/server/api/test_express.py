"""Chat completions go past the framework: what it would do for them is done all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from llamafarm.server.api.completions import chat
from llamafarm.server.api.errors import ApiError
from llamafarm.server.security import MAX_BODY
from tests.server.api.world import CHAT, PROJECT, World

pytestmark = pytest.mark.asyncio(loop_scope="package")
SHORT = "/v1/chat/completions"


@pytest.mark.parametrize("path", [CHAT, SHORT])
async def test_a_defect_is_told_in_openais_form(here: World, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(chat, "asked", broken)
    told = await here.ask(path)
    assert (told.status_code, told.json()["error"]["code"]) == (500, "internal_error")
    assert "RuntimeError" in told.text
    assert "secret" not in told.text


async def test_an_error_of_ours_keeps_its_status_and_headers(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: object) -> None:
        raise ApiError(418, "A teapot.", "teapot", headers={"retry-after": "7"})

    monkeypatch.setattr(chat, "asked", refusing)
    told = await here.ask()
    assert (told.status_code, told.json()["error"]["code"], told.headers["retry-after"]) == (418, "teapot", "7")


@pytest.mark.parametrize("path", [CHAT, f"{PROJECT}/compare"])
async def test_a_body_of_unknown_length_is_bounded(here: World, path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * (MAX_BODY // 8)

    told = await here.client.post(path, content=endless(), headers={"content-type": "application/json"})
    assert (told.status_code, told.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", CHAT, 405), ("POST", f"{CHAT}/more", 404)])
async def test_all_else_is_the_frameworks(here: World, method: str, path: str, status: int) -> None:
    told = await here.client.request(method, path)
    assert (told.status_code, set(told.json())) == (status, {"error"})
