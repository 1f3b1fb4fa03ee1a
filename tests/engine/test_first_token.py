"""The wait for a first token may be long on one's own network, and is told while it goes on."""

from __future__ import annotations

import pytest

from llamafarm.cli.terminal.lines import waiting_line
from llamafarm.core.addresses import on_own_network
from llamafarm.core.events import Asking, Sent, Started, TextDelta
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Cost, SentRequest
from llamafarm.engine.fold.fold import Fold
from llamafarm.pricing.local import runs_here
from llamafarm.ui.parts.cards import summary
from llamafarm.ui.parts.words import ending
from tests.providers.helpers import named

OWN = [
    "http://localhost:11434", "http://127.0.0.1:8000/v1", "http://[::1]:8000", "http://192.168.1.7/v1", "http://10.0.0.2",
    "http://172.20.1.1", "http://[fe80::1]", "http://[fd00::2]", "http://gpu:8000", "http://box.local", "http://a.lan/v1",
    "http://vllm.internal", "http://x.home.arpa", "http://LOCALHOST", "http://100.64.0.9", "http://host.docker.internal:1",
]  # fmt: skip
OTHERS = [
    "https://api.openai.com/v1", "https://openrouter.ai/api/v1", "http://8.8.8.8", "http://[2606:4700::1111]",
    "https://internal.example.com", "https://local.ai", "",
]  # fmt: skip


@pytest.mark.parametrize("address", OWN)
def test_own(address: str) -> None:
    assert on_own_network(address)
    assert runs_here(named("ollama", address))


@pytest.mark.parametrize("address", OTHERS)
def test_others(address: str) -> None:
    assert not on_own_network(address)
    assert not runs_here(named("ollama", address))


def after(seconds: float, url: str) -> Reply:
    """A lane that was sent 0.5 s after its start, and `seconds` later."""
    model = named("openai", url)
    fold = Fold("lane", model, lambda _: model, lambda *_: Cost(None, "unknown"))
    fold.add(Started(at=0.0))
    fold.add(Asking(at=0.0, model="lane", request=ChatRequest(())))
    fold.add(Sent(at=0.5, request=SentRequest("POST", url, {}, {})))
    return fold.reply(0.5 + seconds)


def test_a_long_wait_is_told_as_it_goes_on() -> None:
    own = after(45, "http://gpu:8000")
    assert own.note == "waiting for the first token: 45 s; a large model may be loading"
    assert after(46, "https://api.openai.com/v1").note == "waiting for the first token: 46 s"
    assert after(2, "http://gpu:8000").note == ""
    assert waiting_line(own).startswith("lane: waiting for the first token: 45 s; a large model")
    assert summary(own).startswith("Waiting for the first token: 45 s")
    assert ending(own) == own.note


def test_what_has_begun_is_not_waited_for() -> None:
    model = named("openai", "http://gpu")
    fold = Fold("lane", model, lambda _: model, lambda *_: Cost(None, "unknown"))
    fold.add(Started(at=0.0))
    fold.add(Sent(at=0.0, request=SentRequest("POST", "http://gpu", {}, {})))
    fold.add(TextDelta(at=60.0, text="so"))
    assert fold.reply(90.0).note == ""
