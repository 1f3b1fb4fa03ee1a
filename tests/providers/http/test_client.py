"""What travels with a request, and by which way."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest
import trustme

from llamafarm.core.errors import BadAnswer, RequestError
from llamafarm.core.events import TextDelta
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import TYPES, answer, plays
from tests.providers.helpers import KEY, REQUEST, ask, asking, named, text_of

SO = answer("openai", "so")


async def test_no_cookie_of_one_answer_travels_with_the_next_request() -> None:
    async def sets_a_cookie(exchange: Exchange) -> None:
        await exchange.head(set_cookie="session=someone")
        for piece in SO:
            await exchange.send(piece)
        await exchange.end()

    async with FaultServer(sets_a_cookie) as server:
        model = named("openai", server.url)
        async with asking(model) as provider:
            for _ in range(2):
                assert text_of([event async for event in provider.stream(REQUEST)]) == "so"
        assert [seen.headers.get("cookie") for seen in server.requests] == [None, None]
        assert server.requests[0].headers["user-agent"].startswith("llamafarm-playground/")


async def test_a_proxy_of_the_environment_is_used_and_never_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(plays("openai", SO)) as proxy, FaultServer(plays("openai", SO)) as local:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "spared.invalid")
        events, error = await ask(named("openai", "http://models.invalid/v1"))
        assert (text_of(events), error) == ("so", None)
        assert [seen.path for seen in proxy.requests] == ["http://models.invalid/v1/chat/completions"]
        events, error = await ask(named("openai", local.url))
        assert (text_of(events), error) == ("so", None)
        _, error = await ask(named("openai", "http://spared.invalid/v1"))
        assert error is not None
        assert "not known" in error.message
        assert (len(proxy.requests), len(local.requests)) == (1, 1)


async def test_an_authority_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with FaultServer(plays("openai", SO), tls=context) as server:
        events, error = await ask(named("openai", server.url))
    assert (text_of(events), error) == ("so", None)


@pytest.mark.parametrize("key", [KEY, None])
async def test_a_password_in_the_address_is_sent_unless_there_is_a_key(key: str | None) -> None:
    async with FaultServer(plays("openai", SO)) as server:
        address = server.url.replace("//", "//user:pass@")
        events, error = await ask(named("openai", address, api_key=key))
        sent = server.requests[0].headers["authorization"]
    assert (text_of(events), error) == ("so", None)
    assert sent == (f"Bearer {key}" if key else "Basic dXNlcjpwYXNz")


async def test_a_key_that_no_header_can_hold_is_told_without_it() -> None:
    async with FaultServer(plays("openai", SO)) as server:
        with pytest.raises(RequestError) as told:
            await ask(named("openai", server.url, api_key=f"{KEY}\nX-Other: 1"))
        assert not server.requests
    assert "LANE_KEY" in f"{told.value.message} {told.value.hint}"
    assert KEY not in f"{told.value.message} {told.value.hint}"


async def test_what_is_no_http_is_told() -> None:
    async def talks_otherwise(exchange: Exchange) -> None:
        await exchange.send(b"220 mail.example ESMTP\r\n\r\n")

    async with FaultServer(talks_otherwise) as server:
        _, error = await ask(named("openai", server.url))
    assert isinstance(error, BadAnswer)
    assert "not HTTP" in error.message


async def test_bytes_that_cannot_be_decompressed_are_told() -> None:
    async def breaks(exchange: Exchange) -> None:
        whole = gzip.compress(b"".join(SO))
        await exchange.head(content_type=TYPES["openai"], content_encoding="gzip")
        await exchange.send(whole[:12] + bytes(byte ^ 0x55 for byte in whole[12:]))
        await exchange.end()

    async with FaultServer(breaks) as server:
        events, error = await ask(named("openai", server.url))
    assert isinstance(error, BadAnswer)
    assert "decompressed" in error.message
    assert not [event for event in events if isinstance(event, TextDelta)]
