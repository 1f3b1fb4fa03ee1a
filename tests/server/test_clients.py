"""HTTP as real clients speak it, in bytes over sockets, against the whole server."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from llamafarm.access.settings import ServerSettings
from llamafarm.server.security import MAX_BODY
from llamafarm.server.security.coding import Plain
from tests.faultserver.server import FaultServer
from tests.server.api.world import SAYS, config_text
from tests.serving import serving

PATIENCE_S = 30.0
CHAT = "/v1/chat/completions"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Häy 🦙"}]}
BODY = json.dumps(HELLO, ensure_ascii=False).encode()
JSON = "content-type: application/json"
KEY = "lf-key-of-a-container"
GOOD = "https://good.example"


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    """A model server in a loop of its own, as the playground is."""
    loop, made = asyncio.new_event_loop(), FaultServer(SAYS)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(made.__aenter__(), loop).result(PATIENCE_S)
    yield made
    asyncio.run_coroutine_threadsafe(made.stop(), loop).result(PATIENCE_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_S)
    loop.close()


@pytest.fixture(scope="module")
def server(upstream: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    config = tmp_path_factory.mktemp("project") / "llamafarm.json"
    config.write_text(config_text(f"{upstream.url}/v1"))
    settings = ServerSettings(allowed_hosts=("farm.example", "*.barn.example"), cors_origins=(GOOD,))
    with serving([config], settings) as url:
        yield url


def told(url: str, *pieces: bytes) -> tuple[str, bytes]:
    """The head and the body of what the server answers to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), PATIENCE_S) as sock:
        for piece in pieces:
            sock.sendall(piece)
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    return head.decode().lower(), body


def head(line: str, *headers: str, close: bool = True) -> bytes:
    lines = [line, "host: localhost", *headers, *(["connection: close"] if close else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(*headers: str, body: bytes = BODY, line: str = f"POST {CHAT} HTTP/1.1", close: bool = True) -> bytes:
    return head(line, JSON, f"content-length: {len(body)}", *headers, close=close) + body


def question(upstream: FaultServer) -> str:
    content: str = upstream.requests[-1].json()["messages"][-1]["content"]
    return content


# --- offers, versions, lengths

H2C = ("connection: Upgrade, HTTP2-Settings, close", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAAB")


@pytest.mark.parametrize(
    "offer",
    [
        H2C,
        (H2C[0].replace("Upgrade, HTTP2-Settings", "HTTP2-Settings,upgrade"), *H2C[1:]),
        ("connection: close, Upgrade", "upgrade: TLS/1.2, HTTP/1.1"),
        ("connection: close, Upgrade", "upgrade: foo/2"),
        ("Connection: Upgrade, close", "Upgrade: h2c", "Upgrade: h3"),
    ],
)
@pytest.mark.parametrize("cut", [0, 40, len(BODY) + 3, len(BODY), 5])
def test_an_offer_of_another_protocol_is_passed_over(
    server: str, upstream: FaultServer, offer: tuple[str, ...], cut: int
) -> None:
    data = post(*offer, close=False)
    at = len(data) - cut
    status, body = told(server, data[:at], data[at:])
    assert status.startswith("http/1.1 200")
    assert json.loads(body)["choices"][0]["message"]["content"] == "Llamas eat hay."
    assert question(upstream) == "Häy 🦙"


def test_an_offer_with_chunks_and_one_without_a_body(server: str, upstream: FaultServer) -> None:
    pieces = b"%x\r\n%s\r\n" % (9, BODY[:9]), b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 9, BODY[9:])
    chunked = head(f"POST {CHAT} HTTP/1.1", JSON, "transfer-encoding: chunked", *H2C, close=False)
    assert told(server, chunked, *pieces)[0].startswith("http/1.1 200")
    assert question(upstream) == "Häy 🦙"
    assert told(server, head("GET /v1/models HTTP/1.1", *H2C, close=False))[0].startswith("http/1.1 200")


def test_requests_behind_an_offer_are_answered_on_the_same_connection(server: str) -> None:
    kept = tuple(line.replace(", close", "") for line in H2C)
    _, first = told(server, post(*kept, close=False), head("GET /v1/models HTTP/1.1"))
    assert b'"object":"chat.completion"' in first
    assert b'"object":"list"' in first


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection(server: str, stream: bool) -> None:
    body = json.dumps(HELLO | {"stream": stream}).encode()
    status, answer = told(server, post(body=body, line=f"POST {CHAT} HTTP/1.0", close=False))
    assert "200 ok" in status
    assert "transfer-encoding" not in status
    assert "connection: close" in status
    if stream:
        assert answer.startswith(b"data: {")
        assert answer.endswith(b"data: [DONE]\n\n")
    else:
        assert json.loads(answer)["choices"]
        assert f"content-length: {len(answer)}" in status


def test_who_waits_for_100_gets_it(server: str) -> None:
    request = post("expect: 100-continue")
    with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])), PATIENCE_S) as sock:
        sock.sendall(request[: -len(BODY)])
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 Continue")
        sock.sendall(BODY)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "target",
    ["http://localhost:8000/v1/models", "HTTP://localhost/v1/models?x=1", "//v1/models", "/v1//models", "/v1/models/"],
)
def test_targets_as_clients_write_them(server: str, target: str) -> None:
    status, body = told(server, head(f"GET {target} HTTP/1.1"))
    assert status.startswith("http/1.1 200")
    assert json.loads(body)["object"] == "list"


def test_an_absolute_target_without_a_path_is_the_page(server: str) -> None:
    assert told(server, head("GET http://localhost:8000 HTTP/1.1"))[0].startswith("http/1.1 200")


@pytest.mark.parametrize("path", [f"{CHAT}/", "/v1//chat/completions", f"//{CHAT[1:]}", "/v1/chat//completions//"])
def test_slashes_too_many_change_nothing(server: str, path: str) -> None:
    assert told(server, post(line=f"POST {path} HTTP/1.1"))[0].startswith("http/1.1 200")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/models", 200), ("/v1/models/expert", 200), ("/health", 200), ("/docs", 200), ("/openapi.json", 200),
     ("/v1/projects/default/my-project", 200), ("/v1/projects/default/my-project/models", 200), ("/", 200),
     ("/v1/models/nobody", 404), (CHAT, 405), ("/v1/nothing", 404)],
)  # fmt: skip
def test_head_is_get_without_the_body(server: str, path: str, status: int) -> None:
    got, body = told(server, head(f"HEAD {path} HTTP/1.1"))
    assert got.startswith(f"http/1.1 {status}")
    assert body == b""
    if status == 200 and path.startswith("/v1"):
        whole = httpx.get(f"{server}{path}")
        assert f"content-length: {whole.headers['content-length']}" in got


# --- bodies

BARE = zlib.compressobj(wbits=-15)
RAW = BARE.compress(BODY) + BARE.flush()
PACKED = {
    "gzip": gzip.compress(BODY, mtime=0),
    "x-gzip": gzip.compress(BODY, mtime=0),
    "GZIP": gzip.compress(BODY[:20], mtime=0) + gzip.compress(BODY[20:], mtime=0),
    "deflate": zlib.compress(BODY),
    "Deflate": RAW,
    "identity": BODY,
}


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("path", [CHAT, "/v1/projects/default/my-project/compare"])
def test_packed_bodies_are_read(server: str, upstream: FaultServer, coding: str, path: str) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    answer = httpx.post(f"{server}{path}", content=PACKED[coding], headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 200
    assert question(upstream) == "Häy 🦙"


@pytest.mark.parametrize("coding", PACKED)
def test_packed_bodies_are_the_same_however_they_are_cut(coding: str) -> None:
    for size in (1, 2, 3, 7):
        plain, data = Plain(coding.lower()), PACKED[coding]
        cuts = [data[at : at + size] for at in range(0, len(data), size)]
        read = [piece for each in cuts for piece in plain.feed(each, last=False)]
        assert b"".join([*read, *plain.feed(b"", last=True)]) == BODY


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "aes128gcm"])
def test_what_nobody_unpacks_is_415_in_openais_form(server: str, coding: str) -> None:
    answer = httpx.post(f"{server}{CHAT}", content=b"x", headers={"content-encoding": coding})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_encoding")
    assert "gzip" in answer.json()["error"]["message"]
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("coding", "data"),
    [("gzip", BODY), ("gzip", gzip.compress(BODY, mtime=0)[:-9]), ("gzip", gzip.compress(BODY, mtime=0) + b"more"), ("gzip", b"\x1f"),
     ("deflate", zlib.compress(BODY) + b"x"), ("deflate", b"\x00" * 9), ("deflate", RAW[:5])],
)  # fmt: skip
def test_what_is_not_packed_as_it_says_is_400(server: str, coding: str, data: bytes) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    answer = httpx.post(f"{server}{CHAT}", content=data, headers=headers)
    assert (answer.status_code, "Content-Encoding" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_noticed_while_it_grows(server: str, coding: str) -> None:
    packer = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    piece = b" " * 1_000_000
    bomb = b"".join(packer.compress(piece) for _ in range(200)) + packer.flush()
    assert len(bomb) < MAX_BODY // 20
    headers = {"content-type": "application/json", "content-encoding": coding}
    for path in (CHAT, "/v1/projects/default/my-project/compare", "/mcp", "/gradio_api/queue/join"):
        answer = httpx.post(f"{server}{path}", content=bomb, headers=headers, timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_a_packed_body_is_as_deep_and_holds_as_much_as_any(server: str) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    for body in (b"[" * 100_000, b"[" + b"[]," * 100_000 + b"1]"):
        answer = httpx.post(f"{server}{CHAT}", content=gzip.compress(body, mtime=0), headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize("path", [CHAT, "/v1/projects/default/my-project/compare"])
@pytest.mark.parametrize(
    "pieces", [(b"\xef\xbb\xbf" + BODY,), (b"\xef", b"\xbb", b"\xbf" + BODY), (b"\xef\xbb\xbf", BODY)]
)
def test_a_byte_order_mark_is_read(server: str, upstream: FaultServer, path: str, pieces: tuple[bytes, ...]) -> None:
    line = head(f"POST {path} HTTP/1.1", JSON, "transfer-encoding: chunked")
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    assert told(server, line, *chunks, b"0\r\n\r\n")[0].startswith("http/1.1 200")
    assert question(upstream) == "Häy 🦙"


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_unicode_is_told_to_be_utf_8(server: str, coding: str) -> None:
    answer = httpx.post(f"{server}{CHAT}", content=json.dumps(HELLO).encode(coding))
    assert (answer.status_code, "UTF-8" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("path", [CHAT, "/v1/projects/default/my-project/compare"])
@pytest.mark.parametrize(
    "kind", [None, "application/json; charset=utf-8", "APPLICATION/JSON", "text/json", "application/vnd.api+json"]
)
def test_json_by_any_of_its_names_is_read(server: str, path: str, kind: str | None) -> None:
    lines = [f"content-length: {len(BODY)}"] + ([f"content-type: {kind}"] if kind else [])
    assert told(server, head(f"POST {path} HTTP/1.1", *lines) + BODY)[0].startswith("http/1.1 200")


@pytest.mark.parametrize("path", [CHAT, "/v1/projects/default/my-project/compare"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_what_calls_itself_something_else_is_told_what_to_send(server: str, path: str, kind: str) -> None:
    answer = httpx.post(f"{server}{path}", content=BODY, headers={"content-type": kind})
    assert answer.status_code == 400
    assert "Content-Type: application/json" in answer.json()["error"]["message"]


# --- names of the server


@pytest.mark.parametrize(
    "host", ["farm.example", "FARM.example:8000", "farm.example.", "a.barn.example", "b.a.barn.example", "LOCALHOST"]
)
def test_names_that_the_operator_allows_are_answered(server: str, host: str) -> None:
    assert httpx.get(f"{server}/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["host.docker.internal:8000", "barn.example", "evilbarn.example", "farm.example.evil"])
def test_another_name_is_told_the_way_out(server: str, host: str) -> None:
    answer = httpx.get(f"{server}/v1/models", headers={"Host": host})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (421, "wrong_host")
    assert f"--allowed-host {host.partition(':')[0]}" in error["message"]
    assert "LF_ALLOWED_HOSTS" in error["message"]


def test_what_is_no_name_is_not_recommended(server: str) -> None:
    answer = httpx.get(f"{server}/v1/models", headers={"Host": "x; rm -rf"})
    assert (answer.status_code, "--allowed-host" in answer.text) == (421, False)


def test_a_container_with_a_key_is_answered(tmp_path: Path) -> None:
    config = tmp_path / "llamafarm.json"
    config.write_text(config_text("http://127.0.0.1:9/v1"))
    with serving([config], ServerSettings(api_keys=(SecretStr(KEY),))) as url:
        docker = {"Host": "host.docker.internal:8000"}
        for key, status in ((KEY, 200), ("wrong", 401)):
            headers = docker | {"Authorization": f"Bearer {key}"}
            assert httpx.get(f"{url}/v1/models", headers=headers).status_code == status
        assert httpx.get(f"{url}/v1/models", headers=docker).status_code == 421
        assert httpx.get(f"{url}/health", headers=docker).status_code == 421


# --- addresses


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/chat/completions", "the API is under /v1, and this address is /v1/chat/completions."),
        ("POST", "/chat/completions/", "this address is /v1/chat/completions."),
        ("GET", "/models", "this address is /v1/models."),
        ("GET", "/projects/default/my-project/models", "this address is /v1/projects/default/my-project/models."),
        ("POST", "/v1/v1/chat/completions", "this address is /v1/chat/completions."),
        ("POST", "/v1/chat/completions/chat/completions", "this address is /v1/chat/completions."),
        ("POST", "/api/v1/chat/completions", "this address is /v1/chat/completions."),
        ("POST", "/openai/v1/chat/completions", "this address is /v1/chat/completions."),
        ("POST", "/v1/projects/default/my-project/v1/chat/completions", "/v1/projects/default/my-project/chat/completions."),
        ("POST", "/v1/chat/completion", "did you mean /v1/chat/completions?"),
        ("POST", "/v1/projects/default/my-project/chat/completion", "mean /v1/projects/default/my-project/chat/completions?"),
        ("GET", "/v1/model", "did you mean /v1/models?"),
        ("POST", "/v1/responses", "chat completions at /v1/chat/completions"),
        ("POST", "/v1/embeddings", "chat completions at /v1/chat/completions"),
        ("POST", "/api/chat", "chat completions at /v1/chat/completions"),
        ("GET", "/api/tags", "models at /v1/models"),
        ("GET", "/v1", "chat completions at /v1/chat/completions"),
    ],
)  # fmt: skip
def test_where_nothing_is_the_address_that_was_meant_is_told(server: str, method: str, path: str, words: str) -> None:
    answer = httpx.request(method, f"{server}{path}", json=HELLO if method == "POST" else None)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (404, "invalid_request_error", "not_found")
    assert words in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", CHAT, "POST"), ("PUT", CHAT, "POST"), ("POST", "/v1/models", "GET"), ("DELETE", "/v1/models/expert", "GET"),
     ("PATCH", "/v1/projects/default/my-project", "GET"), ("GET", "/v1/projects/default/my-project/route", "POST")],
)  # fmt: skip
def test_a_method_that_is_not_taken_is_405_with_what_is(server: str, method: str, path: str, allowed: str) -> None:
    answer = httpx.request(method, f"{server}{path}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (405, "method_not_allowed")
    assert f"does not take {method}: use {allowed}" in error["message"]
    assert allowed in answer.headers["allow"]


def test_the_page_tells_programs_in_their_form_and_people_in_theirs(server: str) -> None:
    program = httpx.post(f"{server}/some/thing", json={})
    assert (program.status_code, program.json()["error"]["code"]) == (404, "not_found")
    person = httpx.get(f"{server}/some/thing", headers={"accept": "text/html,application/json;q=0.5"})
    assert (person.status_code, person.headers["content-type"]) == (404, "text/plain; charset=utf-8")


def test_one_model_of_a_project(server: str) -> None:
    place = f"{server}/v1/projects/default/my-project/models"
    assert httpx.get(f"{place}/expert").json() == httpx.get(f"{server}/v1/models/expert").json()
    assert httpx.get(f"{place}/auto").json()["id"] == "auto"
    missing = httpx.get(f"{place}/exprt")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert "Did you mean 'expert'?" in missing.json()["error"]["message"]
    assert "default, expert" in httpx.get(f"{place}/a/b:c").json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [("/v1/projects/defualt/my-project", "'default/my-project'"), ("/v1/projects/default/my_project", "Did you mean"),
     ("/v1/projects/other/thing", "there is: default/my-project.")],
)  # fmt: skip
def test_a_project_that_there_is_not_is_told_which_there_are(server: str, path: str, words: str) -> None:
    answer = httpx.get(f"{server}{path}/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "project_not_found")
    assert words in answer.json()["error"]["message"]


def test_a_picture_by_its_address_is_told_in_words(server: str) -> None:
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
    answer = httpx.post(f"{server}{CHAT}", json={"messages": [{"role": "user", "content": parts}]})
    message = answer.json()["error"]["message"]
    assert "addresses are not fetched" in message
    assert not set("^$[]{}\\") & set(message.removeprefix("messages[0].content[1].image_url.url"))


# --- pages of other sites


@pytest.mark.parametrize("path", ["/mcp", CHAT, "/v1/models"])
def test_an_allowed_origin_may_ask_before_it_calls(server: str, path: str) -> None:
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,mcp-session-id",
    }
    told = httpx.options(f"{server}{path}", headers={"Origin": GOOD} | preflight)
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, GOOD)
    assert "mcp-session-id" in told.headers["access-control-allow-headers"]
    other = httpx.options(f"{server}{path}", headers={"Origin": "https://evil.example"} | preflight)
    assert "access-control-allow-origin" not in other.headers
    posted = httpx.post(f"{server}{path}", json={}, headers={"Origin": "https://evil.example"})
    assert posted.status_code == 403
