"""What the server refuses, asked over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from llamafarm.access.asgi import Message, Receive, Scope, Send
from llamafarm.access.settings import ServerSettings
from llamafarm.config import sample_path
from llamafarm.core.errors import RequestError
from llamafarm.server import serve
from llamafarm.server.security import MAX_BODY, SecurityMiddleware
from tests.serving import TOKEN, serving


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving([sample_path("embedded")]) as url:
        yield url


def test_every_answer_has_the_policy(server: str) -> None:
    for path in ("/", "/config", "/nothing-here"):
        headers = httpx.get(f"{server}{path}").headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_another_name_for_this_machine_is_refused(server: str, host: str) -> None:
    answer = httpx.get(server, headers={"Host": host})
    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "[::1]:{}", "localhost"])
def test_this_machines_names_are_answered(server: str, host: str) -> None:
    assert httpx.get(server, headers={"Host": host.format(urlsplit(server).port)}).is_success


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_another_sites_page_cannot_post(server: str, origin: str) -> None:
    answer = httpx.post(f"{server}/gradio_api/queue/join", json={}, headers={"Origin": origin})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "Another site's page" in answer.text


PAGES = ("/", "/config", "/gradio_api/app_id", "/gradio_api/queue/data?session_hash=x", "/theme.css", "/v1/models", "/health", "/docs",
         "/openapi.json", "/history/export?format=csv", "/report/x", "/mcp", "/nothing", "/static/js/x.js")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_another_sites_page_cannot_read(server: str, path: str) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": server.replace("127.0.0.1", "localhost")},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
    ):
        answer = httpx.get(f"{server}{path}", headers=headers)
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_a_link_that_a_person_follows_opens_the_page(server: str, site: str) -> None:
    followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for path in ("/", "/?comparison=x", "/docs"):
        assert httpx.get(f"{server}{path}", headers=followed).status_code == httpx.codes.OK


def test_nothing_outside_the_api_says_that_others_may(server: str) -> None:
    preflight = {"Origin": server, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    for path in PAGES:
        for method in ("OPTIONS", "HEAD"):
            answer = httpx.request(method, f"{server}{path}", headers=preflight)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_pages_settings_tell_no_path_of_this_machine(server: str) -> None:
    for path in ("/config", "/"):
        text = httpx.get(f"{server}{path}").text
        assert str(sample_path("embedded").parent) not in text
        assert str(Path.home()) not in text
        assert TOKEN not in text


def test_a_body_that_says_it_is_too_long_is_refused_unread(server: str) -> None:
    parts = urlsplit(server)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.putrequest("POST", "/gradio_api/queue/join")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()
    assert connection.getresponse().status == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    connection.close()


def test_a_body_of_unknown_length_is_cut(server: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b" " * 65536

    try:
        answer = httpx.post(f"{server}/gradio_api/queue/join", content=endless())
    except httpx.TransportError:
        return
    assert answer.is_client_error


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RequestError, match="can't be used: Address already in use") as raised:
            serve([], ServerSettings(port=taken.getsockname()[1]))
    assert "--port" in raised.value.hint


async def test_a_stream_that_is_open_when_the_server_ends_is_closed_quietly() -> None:
    opened = asyncio.Event()
    sent: list[Message] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        opened.set()
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    task = asyncio.create_task(SecurityMiddleware(endless, ServerSettings())(scope, receive, send))
    await opened.wait()
    task.cancel()
    await task
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert not sent[-1].get("more_body")
