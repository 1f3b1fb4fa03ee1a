"""lf chat --url: the same engine and the same printing before a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamafarm.cli.asking.remote import base_url
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import USAGE, answer, chunk, event, plays, refuses, said
from tests.serving import serving

YES = plays("openai", answer("openai", "Yes."))
EXTENSION: dict[str, Any] = {
    "asked": "expert",
    "model": "fast",
    "provider": "ollama",
    "model_id": "llama3.2:1b",
    "route": {"strategy": "complexity", "model": "expert", "reason": "It says “analyze”.", "signals": {"tier": "expert"}},
    "fallbacks": [{"model": "expert", "to": "fast", "lost_s": 1.25, "kind": "ConnectFailed", "message": "Gone."}],
    "timings": {},
}  # fmt: skip
COST = {"usd": 0.0, "source": "free", "estimated": False, "detail": "Runs on hardware of your own."}


def relaying(**last: Any) -> list[bytes]:
    """A stream of a LlamaFarm server: what it knows first in the first chunk, the rest in the last."""
    ending = EXTENSION | {"cost": COST, "usage_source": "reported"} | last
    return [
        chunk({"role": "assistant", "content": ""}, llamafarm=EXTENSION),
        said("openai", "Hay."),
        chunk({}, "stop", llamafarm=ending),
        event({"id": "c1", "choices": [], "usage": USAGE}),
        event("[DONE]"),
    ]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1"),
        ("https://h/v1/projects/n/p", "https://h/v1/projects/n/p"),
        ("https://h/v1/projects/n/p/chat/completions", "https://h/v1/projects/n/p"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
    ],
)
def test_addresses(url: str, base: str) -> None:
    assert base_url(url) == base


def test_any_server_of_openais_form(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(YES)
    done = run("chat", "--url", server.url, "Hi")
    assert (done.code, done.text) == (0, "Yes.\n")
    assert done.notes.startswith("default · TTFT ")
    assert " · cost unknown · " in done.notes
    monkeypatch.setenv("LF_API_KEY", "from-the-environment")
    run(
        "chat",
        "--url",
        f"{server.url}/v1/projects/n/p",
        "--model",
        "fast",
        "--system",
        "Be brief.",
        "--temperature",
        "0",
        "Hi",
    )
    run("chat", "--url", server.url, "--api-key", "from-the-option", "--var", "food=hay", "--model", "auto", "Hi")
    first, second, third = server.requests
    assert first.path == "/v1/chat/completions"
    assert "model" not in first.json()
    assert "authorization" not in first.headers
    assert second.path == "/v1/projects/n/p/chat/completions"
    assert second.headers["authorization"] == "Bearer from-the-environment"
    body = second.json()
    assert (body["model"], body["temperature"], body["messages"][0]["content"]) == ("fast", 0, "Be brief.")
    assert third.headers["authorization"] == "Bearer from-the-option"
    assert (third.json()["model"], third.json()["variables"]) == ("auto", {"food": "hay"})


def test_what_a_llamafarm_server_tells_is_told_on(run: Run, serve: Serve) -> None:
    server = serve(plays("openai", relaying()))
    done = run("chat", "--url", server.url, "--model", "auto", "Analyze this")
    assert done.text == "Hay.\n"
    route, fallback, summary = done.notes.splitlines()
    assert route == "Route by complexity: It says “analyze”."
    assert fallback == "expert → fast after 1.25 s: Gone."
    assert summary.startswith("fast (ollama llama3.2:1b) · TTFT ")
    assert " · 11 in, 7 out · free · " in summary
    assert summary.endswith(", 1.25 s of it lost · route: complexity")


RETRIED = {"attempt": 2, "delay_s": 0.0, "kind": "ServerFailed", "message": "It broke."}


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ({"retries": [RETRIED], "lost_s": 0.0002}, "under 1 ms lost to a failed try"),
        ({"reconnects": 2, "lost_s": 0.0002}, "under 1 ms lost to 2 closed connections"),
        ({"lost_s": 1.25, "fallbacks": EXTENSION["fallbacks"]}, "1.25 s lost to a model that failed before"),
        ({"timings": {"server_queue_s": 0.0001}}, ""),
    ],
)
def test_what_a_servers_answer_lost_is_marked(run: Run, serve: Serve, last: dict[str, Any], words: str) -> None:
    server = serve(plays("openai", relaying(**{"fallbacks": [], **last})))
    first = run("chat", "--url", server.url, "Hi").notes
    assert words in first
    told = json.loads(run("chat", "--url", server.url, "--json", "Hi").out)
    assert len(told["retries"]) == len(last.get("retries", ()))
    assert told["reconnects"] == last.get("reconnects", 0)
    assert told["lost_s"] == told["timings"]["ttft_lost_s"] == last.get("lost_s", 0)


def test_json_has_the_servers_word_too(run: Run, serve: Serve) -> None:
    server = serve(plays("openai", relaying(usage_source="estimated")))
    told = json.loads(run("chat", "--url", server.url, "--model", "expert", "--json", "Hi").out)
    assert told["route"] == {"strategy": "complexity", "model": "expert", "reason": "It says “analyze”."}
    assert (told["model"], told["answered_by"], told["provider"]) == ("expert", "fast", "ollama")
    assert [step["to"] for step in told["fallbacks"]] == ["fast"]
    assert told["cost"] == {"usd": 0.0, "source": "free", "estimated": False, "detail": COST["detail"]}
    assert told["usage"]["source"] == "estimated"  # counts that no model server reported are marked here too


def test_a_servers_refusal_says_what_to_do(run: Run, serve: Serve) -> None:
    server = serve(refuses(401, {"error": {"message": "No key"}}))
    done = run("chat", "--url", server.url, "Hi")
    assert done.code == 1
    assert "Look at the environment variable LF_API_KEY." in done.notes
    broken = serve(
        plays("openai", [said("openai", "Ha"), event({"error": {"message": "it broke"}, "llamafarm": EXTENSION})])
    )
    done = run("chat", "--url", broken.url, "Hi")
    assert (done.code, done.text) == (1, "Ha\n")
    assert "it broke" in done.notes
    assert "expert → fast after 1.25 s: Gone." in done.notes


def test_curl_goes_to_the_server(run: Run) -> None:
    shown = run("chat", "--url", "http://127.0.0.1:9/v1/projects/n/p", "--api-key", "secret-key", "--curl", "Hi")
    assert "http://127.0.0.1:9/v1/projects/n/p/chat/completions" in shown.text
    assert '"Authorization: Bearer $LF_API_KEY"' in shown.text
    assert "secret-key" not in shown.text + shown.notes


def test_our_own_server_tells_all_of_it(tmp_path: Path, run: Run, serve: Serve) -> None:
    model = serve(YES)
    prompts = 'prompts: [{name: a, messages: [{role: system, content: "You like {{ food }}."}]}]\n'
    gone = entry("expert", "http://127.0.0.1:9", fallback=["fast"])
    config = written(tmp_path, HEAD + gone + entry("fast", model.url, pricing={"input": 1, "output": 2}) + prompts)
    with serving([config]) as url:
        done = run(
            "chat", "--url", f"{url}/v1/projects/n/p", "--model", "auto", "--var", "food=hay", "Analyze this well"
        )
        unfilled = run("chat", "--url", url, "Hi")
        unknown = run("chat", "--url", url, "--model", "nobody", "--var", "food=hay", "Hi")
    assert (done.code, done.text) == (0, "Yes.\n")
    route, fallback, summary = done.notes.splitlines()
    assert route.startswith("Route by complexity: It says “analyze”: expert tier → expert")
    assert fallback.startswith("expert → fast after ")
    assert summary.startswith("fast (openai fast-id) · TTFT ")
    assert " lost to 2 failed tries and a model that failed before)" in summary
    assert " · 11 in, 7 out · $0.0000250 (config) · " in summary
    assert summary.endswith(" of it lost · route: complexity")
    body = model.requests[0].json()
    assert [each["content"] for each in body["messages"]] == ["You like hay.", "Analyze this well"]
    assert unfilled.code == unknown.code == 1
    assert "food" in unfilled.notes
    assert "expert, fast" in unknown.notes
