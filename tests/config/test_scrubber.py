"""Known secrets are taken out of what comes, whatever their form and wherever a piece ends."""

from __future__ import annotations

import base64
import html
import json
import timeit
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config.model import McpServer, NamedModel
from llamafarm.config.secrets.known import model_scrubber, server_scrubber
from llamafarm.config.secrets.scrubber import ScrubbedText, Scrubber
from llamafarm.config.secrets.secret import HIDDEN

KEY = 'sk-Very/se+cret="key"&12'  # of what every form escapes
SCRUBBER = Scrubber([KEY, "x", "lemonade", "short-1"])
FORMS = {
    "as it is": KEY,
    "Bearer": f"Bearer {KEY}",
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 of a name and it": base64.b64encode(f"name:{KEY}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"a{KEY}ü".encode()).decode(),
    "address": quote(KEY, safe=""),
    "form": quote_plus(f"q={KEY}"),
    "JSON": json.dumps({"Authorization": f"Bearer {KEY}"}),
    "JSON with escaped slashes": json.dumps(KEY).replace("/", "\\/"),
    "HTML": html.escape(KEY),
    "hexadecimal": KEY.encode().hex(),
}
PARTS = ("Very", "cret", "key", base64.b64encode(b"ret=").decode()[1:4], b"cret".hex())


def streamed(text: str, size: int) -> str:
    """`text` in pieces of `size`, with what is held back at the end."""
    stream = ScrubbedText(SCRUBBER)
    told = []
    for at in range(0, len(text), size):
        piece = text[at : at + size]
        told += [piece] if stream.passes(piece) else [each for each, _ in stream.feed(piece, 0.0)]
    return "".join([*told, *(each for each, _ in stream.end())])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found(form: str) -> None:
    cleaned = SCRUBBER.clean(f"You sent {FORMS[form]}, thanks.")
    assert HIDDEN in cleaned
    assert cleaned.startswith("You sent ")
    assert cleaned.endswith(", thanks.")
    assert not any(part in cleaned.replace('"Authorization"', "") for part in PARTS)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_however_it_is_split(form: str) -> None:
    text = f"You sent {FORMS[form]}, and again {FORMS[form]}"
    for size in range(1, len(text)):
        told = streamed(text, size)
        assert told.count(HIDDEN) == 2
        assert not any(part in told.replace('"Authorization"', "") for part in PARTS)


@given(st.text(alphabet="skVery- /se+x", max_size=60), st.integers(1, 9))
def test_nothing_else_is_lost(text: str, size: int) -> None:
    assert streamed(text, size) == SCRUBBER.clean(text)


@given(st.lists(st.sampled_from([KEY, KEY[:5], KEY[:-1], "s", "sk-", " and ", "abc"]), max_size=8), st.integers(1, 40))
def test_text_and_secrets_are_told_apart(parts: list[str], size: int) -> None:
    text = "".join([*parts, " end."])
    assert streamed(text, size).replace(HIDDEN[0], "(").count(HIDDEN) == SCRUBBER.clean(text).count(HIDDEN)
    assert KEY not in streamed(text, size)


def test_a_secret_that_is_cut_off_is_hidden() -> None:
    assert streamed(f"It is {KEY[:-1]}", 4).endswith(HIDDEN)
    assert streamed(f"It is {KEY[:4]}", 4) == f"It is {KEY[:4]}"


def test_what_waits_keeps_its_instant() -> None:
    stream = ScrubbedText(SCRUBBER)
    assert list(stream.feed("a sk-V", 1.0)) == [("a ", 1.0)]
    assert list(stream.feed("ery", 2.0)) == []
    assert list(stream.feed("much so", 3.0)) == [("sk-Very", 1.0), ("much so", 3.0)]


def test_what_is_no_secret_is_left_alone() -> None:
    """Fewer than eight letters, and placeholders: answers would be torn apart."""
    text = "x marks the lemonade, short-1"
    assert SCRUBBER.clean(text) == text
    assert not Scrubber([])
    assert not Scrubber(["", "Bearer "])


def test_a_piece_without_secrets_costs_little() -> None:
    """0.3 µs and less on a quiet machine; this bound is against a cost of another order."""
    stream = ScrubbedText(Scrubber(["sk-proj-abcdefghijklmnopqrstuvwxyz0123456789", "zq-another-secret"]))
    pieces = [" the", " model", " answers", " some", " thing", "."] * 1000
    took = min(timeit.repeat(lambda: [stream.passes(piece) for piece in pieces], number=1, repeat=7))
    assert took / len(pieces) < 3e-6


def model(**settings: object) -> NamedModel:
    return NamedModel.model_validate({"name": "a", "provider": "openai", "model": "m"} | settings)


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        ({"api_key": "sk-secret-12345"}, "sk-secret-12345"),
        ({"base_url": "http://name:pass%40word9@h/v1"}, "pass@word9"),
        ({"base_url": "http://h/v1?v=2024-10-21&api-key=secret-12345"}, "secret-12345"),
        ({"extra_body": {"auth": {"value": "secret-12345"}}}, "secret-12345"),
        ({"extra_body": {"tools": [{"headers": {"X-Team": "secret-12345"}}]}}, "secret-12345"),
        ({"parameters": {"webhook": "https://u:secret-12345@h"}}, "secret-12345"),
        ({"extra_body": {"access_token": 1234567890}}, "1234567890"),
    ],
)
def test_the_secrets_of_a_model(settings: dict[str, object], secret: str) -> None:
    scrubber = model_scrubber(model(**settings))
    assert scrubber
    assert secret not in scrubber.clean(f"of {secret}.")
    assert scrubber.clean("name m 2024-10-21 h") == "name m 2024-10-21 h"


def test_the_secrets_of_an_mcp_server() -> None:
    server = McpServer.model_validate(
        {
            "name": "s", "transport": "stdio", "command": "x",
            "args": ["--token", "arg-secret-1", "--api-key=arg-secret-2", "/data/folder1", "-e", "A_TOKEN=arg-secret-3"],
            "env": {"GH_TOKEN": "justlettershere", "OTHER": "a1b2c3d4e5", "ROOT": "/home/me/1", "MODE": "read-only"},
            "headers": {"Authorization": "Bearer head-secret-1"}, "base_url": "https://h/?key=query-secret-1",
        }
    )  # fmt: skip
    text = "arg-secret-1 arg-secret-2 arg-secret-3 justlettershere a1b2c3d4e5 head-secret-1 query-secret-1"
    assert server_scrubber(server).clean(text) == " ".join([HIDDEN] * 7)
    plain = "/home/me/1 read-only /data/folder1 x h"
    assert server_scrubber(server).clean(plain) == plain
