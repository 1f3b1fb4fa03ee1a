"""Addresses and methods: what the page does not use is not there, and nothing makes the server fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from llamafarm.config import sample_path
from tests.serving import serving


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving([sample_path("embedded")]) as url:
        yield url


def answer(server: str, head: str, body: bytes = b"") -> int:
    """The status of an answer to a request that no client would send."""
    parts = urlsplit(server)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as sock:
        length = f"content-length: {len(body)}\r\n" if body else ""
        lines = (
            f"{head} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n{length}\r\n"
        )
        sock.sendall(lines.encode("latin-1") + body)
        return int(sock.makefile("rb").readline().split()[1])


UNUSED = [
    "/gradio_api/upload", "/gradio_api/process_recording", "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://x/",
    "/gradio_api/call/v2/x", "/gradio_api/call/x", "/gradio_api/run/x", "/gradio_api/api/x",
    "/gradio_api/component_server", "/gradio_api/heartbeat/x", "/gradio_api/reset", "/gradio_api/cancel", "/gradio_api/info",
    "/gradio_api/openapi.json", "/gradio_api/stream/x", "/gradio_api/upload_progress", "/gradio_api/runs", "/gradio_api/token",
    "/gradio_api/vibe-edit", "/gradio_api/deep_link", "/monitoring", "/monitoring/summary", "/login", "/logout", "/pwa_icon",
    "/svelte/x", "/custom_component/x", "/gradio_api/custom_component/a/client/b/c", "/file=/etc/passwd", "/upload",
    "/gradio_api/queue/join/", "/gradio_api//queue/join", "/gradio_api/queue/%6aoin/x", "/GRADIO_API/queue/join", "/config/x",
]  # fmt: skip


@pytest.mark.parametrize("path", UNUSED)
def test_what_the_page_does_not_use_is_not_there(server: str, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "DELETE"):
        assert answer(server, f"{method} {path}") == 404


def test_what_the_page_uses_is_there(server: str) -> None:
    for path in ("/", "/config", "/theme.css", "/gradio_api/app_id", "/robots.txt"):
        assert httpx.get(f"{server}{path}").status_code == 200
    for path in ("/", "/config", "/gradio_api/app_id"):
        refused = httpx.post(f"{server}{path}")
        assert refused.status_code == 405
        assert "GET" in refused.headers["allow"]


TARGETS = [
    "*", "/", "//", "///", "/%00", "/%0d%0a", "/%ff", "/%", "/..", "/../..", "/./", "/?", "/?token", "/?%", "/?comparison=%00",
    "http://127.0.0.1/", "http://127.0.0.1", "127.0.0.1:80", "/v1", "/v1/", "/v1//", "/v1/projects/%00/x", "/v1/projects/%2f/%2f",
    "/mcp", "/mcp/", "/mcp/%00", "/report", "/report/", "/report/%00", "/report/../x", "/health/%00", "/docs", "/docs/%00",
    "/docs/static/../../x", "/openapi.json/", "/assets/", "/assets/%00", "/assets/../../etc/passwd", "/assets/%2e%2e/x",
    "/static/", "/static/%00", "/static/%2e%2e/%2e%2e/x", "/static/" + "a/" * 2_000, "/assets/" + "a" * 5_000, "/batches/x", "/batches/%00.csv",
    "/batches/../x.csv", "/batches/x.exe", "/history/export", "/history/export?format=csv&since=x", "/history/export?format=%00",
    "/history/export?format=csv&text=%00", "/gradio_api/queue/data", "/gradio_api/queue/join", "/theme.css", "/favicon.ico",
]  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:30])
def test_no_address_and_no_method_makes_it_fail(server: str, target: str) -> None:
    for method in METHODS:
        assert answer(server, f"{method} {target}") != 500


BODIES = [
    b"{}", b"[]", b"null", b"0", b'""', b"{", b"\xff", b'{"data":null}', b'{"data":[]}', b'{"data":[],"session_hash":"x"}',
    b'{"data":[],"fn_index":9999,"session_hash":"x"}', b'{"data":[],"fn_index":-1,"session_hash":"x"}',
    b'{"data":[],"fn_index":"x","session_hash":"x"}', b'{"data":{},"fn_index":0,"session_hash":0}',
    b'{"data":[],"fn_index":0,"session_hash":"\\u0000"}', b'{"data":[],"fn_index":0,"session_hash":""}',
    b'{"data":[],"fn_index":0,"session_hash":"x","trigger_id":"y"}', b'{"data":[],"fn_index":1e99,"session_hash":"x"}',
    b'{"data":[{"path":"/etc/passwd"}],"fn_index":0,"session_hash":"x"}', b'{"data":[],"api_name":"/x","session_hash":"x"}',
    b'{"data":[],"fn_index":0,"session_hash":"x","event_data":7}', b'{"data":[],"fn_index":0,"session_hash":"x","batched":true}',
]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/queue/join", "/gradio_api/run/predict", "/mcp", "/v1/chat/completions", "/v1/projects/a/b/compare"],
)
def test_no_body_makes_it_fail(server: str, path: str) -> None:
    for body in BODIES:
        assert answer(server, f"POST {path}", body) != 500, body
