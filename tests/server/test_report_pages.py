"""Reports over HTTP: for whoever may call, of what there is."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from llamafarm.access.auth import Authentication
from llamafarm.access.settings import ServerSettings
from llamafarm.runtime import Runtime, open_runtime
from llamafarm.server.report_pages import reports
from tests.history.database.made import asked, ended, keep


def client(runtime: Runtime, settings: ServerSettings) -> httpx.AsyncClient:
    app = Authentication(reports(runtime), settings)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")


async def test_a_report_is_a_page_of_its_own() -> None:
    async with open_runtime() as runtime, client(runtime, ServerSettings()) as caller:
        assert runtime.store is not None
        comparison = asked("Which?")
        keep(runtime.store, comparison, ended(comparison))
        found = await caller.get(f"/report/{comparison.id}")
        assert found.status_code == 200
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        assert found.headers["content-disposition"] == f'inline; filename="report-{comparison.id}.html"'
        assert found.text.startswith("<!doctype html>")
        assert (await caller.head("/report/latest")).content == b""
        assert (await caller.post("/report/latest")).status_code == 405
        for name in ("", "nothing", "..%2f..%2fetc", "a%0d%0aX-Evil:%201", "<script>"):
            missing = await caller.get(f"/report/{name}")
            assert missing.status_code == 404
            assert missing.headers["content-type"].startswith("text/plain")


async def test_strangers_get_none() -> None:
    settings = ServerSettings(api_keys=(SecretStr("k" * 20),))
    async with open_runtime() as runtime, client(runtime, settings) as caller:
        assert (await caller.get("/report/latest")).status_code == 401
        known = {"Authorization": f"Bearer {'k' * 20}"}
        assert (await caller.get("/report/latest", headers=known)).status_code == 404


async def test_without_a_history_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    async with open_runtime() as runtime, client(runtime, ServerSettings()) as caller:
        found = await caller.get("/report/latest")
    assert (found.status_code, "switched off" in found.text) == (503, True)
