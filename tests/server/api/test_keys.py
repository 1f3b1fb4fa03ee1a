"""Who may call: keys for programs, a login for people, and what is refused to everybody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from llamafarm.access.asgi import Message, Receive, Scope, Send
from llamafarm.access.auth import Authentication
from llamafarm.access.settings import Login, ServerSettings
from llamafarm.core.errors import RequestError
from llamafarm.server.security import MAX_BODY
from tests.faultserver.speech import answer, plays, said
from tests.server.api.world import CHAT, HELLO, config_text, world
from tests.serving import serving

KEY, OTHER, PASSWORD = "lf-key-one", "lf-key-two", "hay:and:grass"
PROTECTED = ServerSettings(
    api_keys=(SecretStr(KEY), SecretStr(OTHER)), login=Login("ann", SecretStr(PASSWORD)), generations=1
)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page and the API, protected."""
    config = tmp_path_factory.mktemp("project") / "llamafarm.json"
    config.write_text(config_text("http://127.0.0.1:9/v1"))
    with serving([config], PROTECTED) as url:
        yield url


WRONG = [
    {},
    bearer("wrong"),
    bearer(f"{KEY}x"),
    bearer(KEY[:-1]),
    {"Authorization": KEY},
    {"Authorization": "Bearer"},
    {"Authorization": f"Token {KEY}"},
    basic("ann", "wrong"),
    basic("bob", PASSWORD),
    basic(KEY, ""),
    basic("", ""),
    {"Authorization": "Basic not-base64!"},
    {"Authorization": "Basic /////w=="},
    {"X-Api-Key": KEY},
]
RIGHT = [bearer(KEY), bearer(OTHER), {"Authorization": f"bearer {KEY}"}, basic("ann", PASSWORD), basic("anyone", KEY)]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_strangers_are_asked_who_they_are(server: str, number: int) -> None:
    """Each from an address of its own: one that is wrong too often waits, which is another test's matter."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=f"127.0.1.{number + 1}")) as client:
        _asked_who_it_is(client, server, WRONG[number])


def _asked_who_it_is(client: httpx.Client, server: str, headers: dict[str, str]) -> None:
    told = client.get(f"{server}/v1/models", headers=headers)
    assert told.status_code == 401
    assert told.headers["www-authenticate"] == "Bearer"
    assert told.json()["error"]["code"] == "invalid_api_key"
    assert "Authorization: Bearer KEY" in told.json()["error"]["message"]
    page = client.get(server, headers=headers)
    assert page.status_code == 401
    assert page.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("headers", RIGHT)
def test_a_key_or_the_login_opens_everything(server: str, headers: dict[str, str]) -> None:
    for path in ("/v1/models", "/", "/docs", "/openapi.json", "/health"):
        assert httpx.get(f"{server}{path}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/gradio_api/info", "/gradio_api/heartbeat/x", "/gradio_api/startup-events", "/theme.css", "/docs",
     "/docs/static/swagger-ui.css", "/openapi.json", "/v1", "/v1/", "/v1/nothing", "/v1/projects/default/my-project",
     "/mcp", "/mcp/", "/v1/../v1/models", "//v1/models", "/assets/x", "/static/x", "/nothing", "/health/", "/health/x"],
)  # fmt: skip
def test_nothing_else_is_open(server: str, path: str) -> None:
    assert httpx.get(f"{server}{path}").status_code == 401


def test_mcp_clients_need_a_key_too(server: str) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    accepted = {"Accept": "application/json, text/event-stream"}
    told = httpx.post(f"{server}/mcp", json=body, headers=accepted)
    assert (told.status_code, told.headers["www-authenticate"]) == (401, "Bearer")
    told = httpx.post(f"{server}/mcp", json=body, headers=accepted | bearer(KEY), timeout=30)
    assert told.status_code == 200
    assert "protocolVersion" in told.text


def test_health_is_open_but_tells_strangers_little(server: str) -> None:
    assert httpx.get(f"{server}/health").json() == {"status": "degraded"}
    assert "my-project" in httpx.get(f"{server}/health", headers=bearer(KEY)).text


def test_keys_are_in_no_answer(server: str) -> None:
    for path in ("/v1/models", "/", "/config", "/health", "/openapi.json", "/v1/projects/default/my-project"):
        text = httpx.get(f"{server}{path}", headers=bearer(KEY)).text
        assert KEY not in text
        assert OTHER not in text
        assert "hay:and" not in text


def test_the_description_says_that_a_key_is_needed(server: str) -> None:
    described = httpx.get(f"{server}/openapi.json", headers=bearer(KEY)).json()
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    operation = described["paths"]["/v1/chat/completions"]["post"]
    assert operation["security"] == [{"HTTPBearer": []}]


# --- the bound on answers, and whose session it is


async def test_one_key_may_have_so_many_answers_running(tmp_path: Path) -> None:
    async with world(tmp_path, PROTECTED) as here:
        here.says(plays("openai", [said("openai", "Llamas")], then="hang"))
        body = HELLO | {"stream": True}
        async with here.client.stream("POST", CHAT, json=body, headers=bearer(KEY)) as running:
            assert running.status_code == 200
            refused = await here.ask(headers=bearer(KEY))
            here.anew()
            others = await here.ask(headers=bearer(OTHER))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_generations")
        assert refused.headers["retry-after"] == "1"
        assert others.status_code == 200


async def test_every_lane_of_a_comparison_counts(tmp_path: Path) -> None:
    async with world(tmp_path, PROTECTED) as here:
        path = "/v1/projects/default/my-project/compare"
        told = await here.ask(path, models=["default", "expert"], headers=bearer(KEY))
        assert (told.status_code, told.json()["error"]["code"]) == (429, "too_many_generations")
        assert (await here.ask(path, models=["default"], headers=bearer(KEY))).status_code == 200


async def test_callers_cannot_read_each_others_sessions(tmp_path: Path) -> None:
    async with world(tmp_path, PROTECTED) as here:
        here.says(plays("openai", answer("openai", "A secret.")))
        for headers in (bearer(KEY), bearer(OTHER), basic("ann", PASSWORD)):
            assert (await here.ask(headers=headers | {"X-Session-ID": "s"})).status_code == 200
            assert len(here.last.json()["messages"]) == 1
        await here.ask(headers=basic("anyone", KEY) | {"X-Session-ID": "s"})
        assert len(here.last.json()["messages"]) == 3


# --- where the server may listen


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])  # noqa: S104 - it is refused
def test_other_machines_are_let_in_by_key_or_login_only(host: str) -> None:
    with pytest.raises(RequestError, match="can be reached from other machines") as caught:
        ServerSettings(host=host).check()
    assert all(word in caught.value.hint for word in ("LF_API_KEYS", "--login", "--host 127.0.0.1"))
    ServerSettings(host=host, api_keys=(SecretStr("k"),)).check()
    ServerSettings(host=host, login=Login("u", SecretStr("p"))).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_this_machine_needs_neither(host: str) -> None:
    ServerSettings(host=host).check()


@pytest.mark.parametrize("text", ["", "user", "user:", ":password", ":"])
def test_half_a_login_is_none(text: str) -> None:
    with pytest.raises(RequestError, match="user:password"):
        Login.of(text)


def test_a_password_may_hold_colons() -> None:
    assert Login.of("ann:a:b").password.get_secret_value() == "a:b"


# --- other sites' pages


async def test_other_sites_may_call_the_api_only_where_they_are_named(tmp_path: Path) -> None:
    named = ServerSettings(api_keys=(SecretStr(KEY),), cors_origins=("https://good.example",))
    with serving([_config(tmp_path)], named) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
            for origin, status in (("https://good.example", 200), ("https://evil.example", 400)):
                told = await client.options("/v1/models", headers={"Origin": origin} | preflight)
                assert told.status_code == status
                allowed = told.headers.get("access-control-allow-origin")
                assert (allowed == origin) is (status == 200)
            good = bearer(KEY) | {"Origin": "https://good.example"}
            answered = await client.post("/v1/projects/default/my-project/route", json={"prompt": "x"}, headers=good)
            assert answered.status_code == 200
            assert answered.headers["access-control-allow-origin"] == "https://good.example"
            assert (await client.post("/gradio_api/queue/join", json={}, headers=good)).status_code == 403


async def test_by_default_no_other_site_may_call(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        told = await here.ask(headers={"Origin": "https://evil.example"})
        assert (told.status_code, told.json()["error"]["code"]) == (403, "wrong_origin")
        assert "access-control-allow-origin" not in (await here.client.get("/v1/models")).headers


def _config(folder: Path) -> Path:
    path = folder / "llamafarm.json"
    path.write_text(config_text("http://127.0.0.1:9/v1"))
    return path


async def test_websockets_are_closed_to_strangers() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("a stranger came in")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Authentication(app, PROTECTED)({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's advice, on the way upstream
async def test_bodies_of_the_api_are_bounded(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        told = await here.client.post(CHAT, content=b" " * (MAX_BODY + 1))
        assert (told.status_code, told.json()["error"]["code"]) == (413, "request_too_large")
        big = await here.ask(messages=[{"role": "user", "content": "x" * (MAX_BODY // 2)}])
        assert big.status_code == 200
