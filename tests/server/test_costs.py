"""What strangers can cost a real server process: in memory, and in time that its event loop stands still."""

from __future__ import annotations

import json
import socket
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.server.process import Watched, watched

MIB = 1024 * 1024
STILL_S = 0.1  # what one request may stop the loop for
NOISE = 3  # other work on the machine; each request is tried so often, and the best try counts
PROJECT = {
    "version": "v1",
    "name": "p",
    "namespace": "n",
    "runtime": {"models": [{"name": "a", "provider": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1"}]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "p.json").write_text(json.dumps(PROJECT))
    with watched(folder, "--config", "p.json") as running:
        yield running


PATHS = {
    "/v1/chat/completions": b'{"messages":[{"role":"user","content":%b}]}',
    "/v1/projects/n/p/compare": b'{"messages":[{"role":"user","content":%b}]}',
    "/v1/projects/n/p/route": b'{"prompt":%b}',
    "/mcp": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"chat","arguments":{"prompt":%b}}}',
    "/gradio_api/queue/join": b'{"data":[%b],"fn_index":0,"session_hash":"x"}',
    "/gradio_api/call/v2/x": b'{"data":[%b]}',
}
TOO_MUCH = {
    "6 MiB of text": b'"%b"' % (b"word " * (6 * MIB // 5)),
    "6 MiB of lists": b"[%b1]" % (b"[]," * (2 * MIB)),
    "6 MiB of objects": b"[%b1]" % (b'{"a":1},' * (6 * MIB // 8)),
    "6 MiB of empty texts": b"[%b1]" % (b'"",' * (2 * MIB)),
    "6 MiB of digits": b"1" * (6 * MIB),
    "900 nested arrays": b"[" * 900 + b"]" * 900,
    "900 nested objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "100,000 nested arrays": b"[" * 100_000 + b"]" * 100_000,
    "many lists in 1 MB": b"[%b1]" % (b"[]," * (MIB // 3)),
    "many numbers in 1 MB": b"[%b1]" % (b"1," * (MIB // 2)),
}


def stood(server: Watched, path: str, body: bytes) -> tuple[list[int], float]:
    """The answers to several tries, and the shortest time that the loop stood still in one of them."""
    statuses, found = [], []
    for _ in range(NOISE):
        server.worst_s, answers = 0.0, server.answers
        statuses.append(server.ask("POST", path, body))
        while server.answers < answers + 3:
            time.sleep(0.01)
        found.append(server.worst_s)
        if found[-1] < STILL_S:
            break
    return statuses, min(found)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("inner", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_request_that_is_too_much_stops_nobody(server: Watched, path: str, inner: bytes) -> None:
    statuses, stood_s = stood(server, path, PATHS[path] % inner)
    assert all(status == 0 or 400 <= status < 500 for status in statuses)
    assert stood_s < STILL_S


LARGE = {
    "one word again and again": "word ",
    "no word at all": ". ",
    "one word": "a",
    "words that are looked for": "incomparable ",
    "no Latin letters": "瑞利散",
}


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/v1")])
@pytest.mark.parametrize("words", LARGE.values(), ids=LARGE)
def test_a_large_request_that_is_answered_stops_nobody(server: Watched, path: str, words: str) -> None:
    text = json.dumps(words * (5_600_000 // len(words.encode())), ensure_ascii=False)
    statuses, stood_s = stood(server, path, PATHS[path] % text.encode())
    assert 413 not in statuses
    assert stood_s < 3 * STILL_S  # words of megabytes are read and written several times, each time in one step


def test_headers_without_end_take_no_memory(server: Watched) -> None:
    before = server.memory
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n")
            try:
                for number in range(40):
                    sock.sendall(b"x-%d: %b\r\n" % (number, b"a" * MIB))
            except OSError:
                pass  # it has closed
    assert server.memory - before < 30 * MIB


def test_half_open_connections_lock_nobody_out(server: Watched) -> None:
    before, held = server.memory, []
    try:
        for _ in range(600):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")
            held.append(sock)
        answered = []
        for _ in range(10):
            begun = time.perf_counter()
            assert server.ask("GET", "/health") in (200, 503)
            answered.append(time.perf_counter() - begun)
        assert statistics.median(answered) < 1
        assert server.memory - before < 60 * MIB
    finally:
        for sock in held:
            sock.close()
