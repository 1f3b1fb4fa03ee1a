"""What headers claim of proxies counts from trusted ones alone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from llamafarm.access.asgi import ADDRESSED, Message, Receive, Scope, Send
from llamafarm.access.settings import ServerSettings
from llamafarm.config import sample_path
from llamafarm.server.http.proxies import Proxies
from tests.serving import serving

CLAIMS = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "9.9.9.9",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "Forwarded": "for=9.9.9.9;host=evil.example;proto=https",
    "X-Gradio-Server": "http://evil.example",
    "X-Real-IP": "9.9.9.9",
    "X-Original-URL": "/evil.example",
}


async def seen(trusted: tuple[str, ...], client: str, **headers: str) -> Scope:
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)

    async def nothing() -> Message:
        raise AssertionError

    async def nowhere(message: Message) -> None:
        raise AssertionError

    given = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "client": (client, 1),
        "headers": given,
    }
    await Proxies(app, trusted)(scope, nothing, nowhere)
    return found[0]


@pytest.mark.parametrize(
    ("trusted", "client"), [((), "127.0.0.1"), (("10.0.0.1",), "127.0.0.1"), (("10.0.0.0/8",), "11.0.0.1"), ((), "::1")]
)
async def test_nothing_that_strangers_claim_counts(trusted: tuple[str, ...], client: str) -> None:
    scope = await seen(trusted, client, host="own.example", **CLAIMS)
    assert scope["headers"] == [(b"host", b"own.example")]
    assert (scope["client"], scope["scheme"]) == ((client, 1), "http")


@pytest.mark.parametrize("trusted", [("10.0.0.1",), ("10.0.0.0/8",), ("1.1.1.1", "10.0.0.1"), ("*",)])
async def test_a_trusted_proxy_is_believed(trusted: tuple[str, ...]) -> None:
    scope = await seen(trusted, "10.0.0.1", host="127.0.0.1:8000", **CLAIMS)
    assert scope["headers"] == [(b"host", b"evil.example")]
    assert (scope["client"][0], scope["scheme"]) == ("9.9.9.9", "https")
    assert scope[ADDRESSED] == "127.0.0.1:8000"


async def test_of_several_addresses_the_last_that_no_trusted_proxy_has_counts() -> None:
    scope = await seen(("10.0.0.0/8",), "10.0.0.1", host="x", x_forwarded_for="6.6.6.6, 9.9.9.9, 10.0.0.7")
    assert scope["client"][0] == "9.9.9.9"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving([sample_path("embedded")]) as url:
        yield url


def test_the_page_says_its_own_address_whatever_is_claimed(server: str) -> None:
    assert httpx.get(f"{server}/config", headers=CLAIMS).json()["root"] == server
    assert "evil.example" not in httpx.get(server, headers=CLAIMS).text


def test_behind_a_trusted_proxy_the_page_has_the_proxys_address() -> None:
    with serving([sample_path("embedded")], ServerSettings(forwarded_allow_ips=("127.0.0.1",))) as url:
        public = {"X-Forwarded-Host": "lf.example", "X-Forwarded-Proto": "https"}
        assert httpx.get(f"{url}/config", headers=public).json()["root"] == "https://lf.example"
        own = httpx.post(
            f"{url}/v1/projects/samples/embedded/route",
            json={"prompt": "x"},
            headers=public | {"Origin": "https://lf.example"},
        )
        assert own.status_code == 200
        named = httpx.get(url, headers=public | {"Host": "lf.example"})
        assert named.status_code == 421  # which name a loopback server answers to, no proxy decides
