"""lf chat: the answer alone on standard output, all else beside it, and exit codes that tell what happened."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, chunk, ending, plays, refuses, said, thought

KEY = "sk-very-secret-key-1234567890"
YES = plays("openai", answer("openai", "Yes."))


def messages(server: FaultServer, at: int = -1) -> list[tuple[str, str]]:
    return [(each["role"], each["content"]) for each in server.requests[at].json()["messages"]]


# --- what goes where


def test_the_answer_is_alone_on_standard_output(tmp_path: Path, run: Run, serve: Serve) -> None:
    thoughts = [thought("openai", "Let me "), thought("openai", "think.")]
    server = serve(plays("openai", [*thoughts, *answer("openai", "Hay,\x1b[31m grüß ", "Gott.")]))
    written(tmp_path, HEAD + entry("fast", server.url, pricing={"input": 1, "output": 2}))
    done = run("chat", "Hello")
    assert done.code == 0
    assert done.text == "Hay,\x1b[31m grüß Gott.\n"  # no terminal: exactly what the model said, and a line end
    reasoning, summary = done.notes.splitlines()
    assert reasoning == "Let me think."
    assert summary.startswith("fast (openai fast-id) · TTFT ")
    assert " · 11 in, 7 out · $0.0000250 (config) · " in summary
    assert summary.endswith(" · route: default")


@pytest.mark.parametrize("text", ["a\n", "a\r\n\n", "\n a \n\n", "\u2028\ufeff\n"])
def test_a_line_end_of_the_models_own_is_enough(tmp_path: Path, run: Run, serve: Serve, text: str) -> None:
    server = serve(plays("openai", answer("openai", text)))
    written(tmp_path, HEAD + entry("fast", server.url))
    assert run("chat", "Hello").out == text.encode()


def test_no_stream_writes_the_whole_also_where_it_breaks(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", [thought("openai", "Hm."), said("openai", "half")], then="cut"))
    written(tmp_path, HEAD + entry("fast", server.url))
    done = run("chat", "--no-stream", "Hello")
    assert (done.code, done.text) == (1, "half\n")
    reasoning, failure, summary = done.notes.splitlines()
    assert reasoning == "Hm."
    assert "cut the connection in mid-answer" in failure
    assert summary.endswith(" · failed")


def test_reasoning_that_turns_out_late_is_told_as_such(tmp_path: Path, run: Run, serve: Serve) -> None:
    late = plays("openai", answer("openai", "hm", "</think>", "so"))
    written(tmp_path, HEAD + entry("fast", serve(late).url))
    assert "until here was the model's reasoning" in run("chat", "Hello").notes
    whole = run("chat", "--no-stream", "Hello")
    assert whole.text == "so\n"
    told = json.loads(run("chat", "--json", "Hello").text)
    assert (told["text"], told["reasoning"]) == ("so", "hm")


def test_a_finish_of_stop_with_a_call_is_a_call(tmp_path: Path, run: Run, serve: Serve) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": {"x": 1}}}
    server = serve(plays("openai", [chunk({"tool_calls": [call]}), ending("openai", "stop")]))
    written(tmp_path, HEAD + entry("fast", server.url))
    told = json.loads(run("chat", "--json", "Hello").text)
    assert told["finish_reason"] == "tool_calls"
    assert [(call["name"], call["arguments"]) for call in told["open_tool_calls"]] == [("look", '{"x": 1}')]


def test_tool_calls_and_a_cut_answer_are_told(tmp_path: Path, run: Run, serve: Serve) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "weather", "arguments": '{"place": "Lima"}'}}
    called = plays("openai", [chunk({"tool_calls": [call]}), ending("openai", "tool_calls")])
    server = serve(plays("openai", [said("openai", "Once"), ending("openai", "length")]), called)
    written(tmp_path, HEAD + entry("fast", server.url))
    done = run("chat", "Hello")
    assert (done.code, done.text) == (0, "")
    assert 'tool call: weather({"place": "Lima"})' in done.notes
    assert run("chat", "Hello").notes.endswith(" · cut at the token limit\n")


TURN = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
TOOLS = """mcp:
  servers:
    - {name: maths, transport: stdio, command: "%s", args: [-m, tests.tools.serve, stdio]}
    - {name: gone, transport: http, base_url: "http://127.0.0.1:9/mcp"}
"""


def test_tools_that_run_here_are_told_and_turns_are_paragraphs(
    tmp_path: Path, run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    asks = plays("openai", [said("openai", "I look."), chunk({"tool_calls": [TURN]}), ending("openai", "tool_calls")])
    tells = plays("openai", answer("openai", "It is ", "3."))
    server = serve(tells, asks, tells, asks)
    written(tmp_path, HEAD + entry("fast", server.url) + TOOLS % sys.executable)
    done, whole = run("chat", "What is 1 + 2?"), run("chat", "--json", "What is 1 + 2?")
    assert (done.code, done.text) == (0, "I look.\n\nIt is 3.\n")
    missing, called, returned, summary = done.notes.splitlines()
    assert missing.startswith("no tools of gone: ")
    assert called == 'tool call: add({"a": 1, "b": 2})'
    assert returned.startswith("maths: add → done, ")
    assert returned.endswith(": 3")
    assert " · 22 in, 14 out · " in summary
    told = json.loads(whole.out)
    assert told["text"] == "I look.\n\nIt is 3."
    assert [(each["tool"], each["result"]) for each in told["tool_calls"]] == [("add", "3")]
    assert told["open_tool_calls"] == []


# --- what is asked


def test_argument_file_and_standard_input_become_one_prompt(tmp_path: Path, run: Run, serve: Serve) -> None:
    (tmp_path / "a.txt").write_bytes("\ufefffrom a file\n".encode())
    (tmp_path / "b.txt").write_bytes("from Windows\r\n".encode("utf-16"))
    server = serve(YES)
    written(tmp_path, HEAD + entry("fast", server.url))
    run("chat", "Read this:", "-f", "a.txt", "-f", "b.txt", given=b"from a pipe\n\n")
    run("chat", given=b"from a pipe\n\n")
    run("chat", "-f", "-", "-f", "a.txt", given=b"from a pipe\n\n")
    assert messages(server, 0) == [("user", "Read this:\n\nfrom a file\n\nfrom Windows\n\nfrom a pipe")]
    assert messages(server, 1) == [("user", "from a pipe")]
    assert messages(server, 2) == [("user", "from a pipe\n\nfrom a file")]


def test_parameters_variables_and_the_system_prompt(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(YES)
    text = HEAD + entry("fast", server.url, model_api_parameters={"top_p": 0.5, "temperature": 0.1, "seed": 1})
    written(tmp_path, text + TEMPLATE)
    words = ["--temperature", "0", "--max-tokens", "9", "--param", "top_p=null", "--param", 'stop=["."]']
    run("chat", "Hi", *words, "-p", "x=text", "-p", 'y="7"', "-p", "z=NaN", "--var", "food=1.0")
    run("chat", "Hi", "--system", "Be brief, {{ food }}.", "--var", "food=hay=fine")
    body = server.requests[0].json()
    assert {name: body[name] for name in ("temperature", "max_tokens", "seed", "stop", "x", "y", "z")} == {
        "temperature": 0, "max_tokens": 9, "seed": 1, "stop": ["."], "x": "text", "y": "7", "z": "NaN",
    }  # fmt: skip
    assert "top_p" not in body
    assert messages(server, 0) == [("system", "You like 1.0."), ("user", "Hi")]
    assert messages(server, 1) == [("system", "Be brief, hay=fine."), ("user", "Hi")]


def test_the_router_picks_for_auto_and_says_why(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(YES)
    written(tmp_path, HEAD + entry("default", server.url) + entry("expert", server.url))
    done = run("chat", "--model", "auto", "Analyze the causes of the war")
    assert done.notes.startswith("Route by complexity: It says “analyze”: expert tier → expert")
    assert done.notes.endswith(" · route: complexity\n")
    assert run("chat", "-m", "expert", "Hi").notes.endswith(" · route: named\n")
    assert [request.json()["model"] for request in server.requests] == ["expert-id", "expert-id"]


# --- what goes wrong


def test_fallbacks_are_told_and_get_what_was_asked(tmp_path: Path, run: Run, serve: Serve) -> None:
    failing = refuses(500, {"error": {"message": "out of memory"}}, retry_after="0")
    bad, good = serve(failing), serve(YES)
    written(tmp_path, HEAD + entry("first", bad.url, fallback=["second"]) + entry("second", good.url))
    done = run("chat", "Hi", "--system", "Be brief.", "--temperature", "0.3")
    assert (done.code, done.text) == (0, "Yes.\n")
    second, third, fallback, summary = done.notes.splitlines()
    assert "out of memory" in second
    assert second.endswith(" Try 2 in 0 ms.")
    assert third.endswith(" Try 3 in 0 ms.")
    assert fallback.startswith("first → second after ")
    assert summary.startswith("second (openai second-id) · ")
    assert summary.endswith(" of it lost · route: default")
    assert messages(good) == [("system", "Be brief."), ("user", "Hi")]
    assert good.requests[0].json()["temperature"] == 0.3


def test_no_answer_is_exit_1_with_a_sentence(tmp_path: Path, run: Run) -> None:
    written(tmp_path, HEAD + "    - {name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n")
    done = run("chat", "Hello")
    assert (done.code, done.text) == (1, "")
    assert (
        "lf: Nothing listens at 127.0.0.1:9. Is the server running? Else start it: ollama serve. At fault: the address.\n"
        in done.notes
    )
    assert " · failed after " in done.notes


TEMPLATE = 'prompts: [{name: a, messages: [{role: system, content: "You like {{ food }}."}]}]\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "There is no prompt"),
        ([" "], "There is no prompt"),
        (["-f", "nowhere.txt"], "nowhere.txt can't be read: No such file"),
        (["-f", "."], "can't be read: Is a directory"),
        (["-f", "latin.txt"], "latin.txt is not UTF-8 text"),
        (["-f", "large.txt"], "large.txt is larger than 8 MiB"),
        (["Hi", "--model", "nobody"], "There is no model nobody; the project has: m."),
        (["Hi"], "The prompt needs a value for: food. Give it with --var NAME=TEXT."),
        (["Hi", "--var", "food"], "'food' is not KEY=VALUE"),
        (["Hi", "--param", "=1"], "'=1' is not KEY=VALUE"),
        (["Hi", "--temperature", "nan"], "--temperature"),
        (["Hi", "--temperature", "inf"], "A temperature is a finite number"),
        (["Hi", "--temperature", "-1"], "greater than or equal to 0"),
        (["Hi", "--max-tokens", "0"], "greater than or equal to 1"),
        (["Hi", "--config", "nowhere.yaml"], "There is no file nowhere.yaml"),
        (["Hi", "-i", "--json"], "neither JSON nor a curl command"),
        (["Hi", "--api-key", "k"], "--api-key goes with --url"),
        (["Hi", "--url", "http://127.0.0.1:9", "--config", "llamafarm.yaml"], "--url goes without --config"),
        (["Hi", "--url", "ftp://127.0.0.1"], "is no address"),
        (["Hi", "--url", "http://"], "is no address"),
        (["Hi", "--url", "http://h:99999"], "is no address"),
        (["Hi", "--url", "http://[::1"], "is no address"),
        (["Hi", "--url", "http://h/v1?key=x"], "is no address"),
        (["Hi", "there"], "there"),
        (["\udcff"], "is not UTF-8 text"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_sentence(tmp_path: Path, run: Run, arguments: list[str], words: str) -> None:
    written(tmp_path, HEAD + "    - {name: m, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n" + TEMPLATE)
    (tmp_path / "latin.txt").write_bytes(b"gr\xfc\xdf Gott")
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(8 * 1024 * 1024 + 1)
    done = run("chat", *arguments)
    assert (done.code, done.text) == (2, "")
    assert words in " ".join(done.notes.split())


# --- for machines


def test_json_tells_everything(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", [thought("openai", "Hm."), *answer("openai", "Yes.")]))
    gone = entry("gone", "http://127.0.0.1:9", fallback=["good"])
    written(tmp_path, HEAD + gone + entry("good", server.url, pricing={"input": 1, "output": 2}))
    done = run("chat", "--json", "Hi")
    assert done.code == 0
    told: dict[str, Any] = json.loads(done.out)
    assert told["prompt"] == "Hi"
    assert told["route"] == {"strategy": "default", "model": "gone", "reason": "The project's default model."}
    assert (told["model"], told["answered_by"], told["model_id"]) == ("gone", "good", "good-id")
    assert (told["text"], told["reasoning"], told["finish_reason"]) == ("Yes.", "Hm.", "stop")
    assert (told["status"], told["partial"], told["error"], told["tool_calls"]) == ("done", False, None, [])
    assert [step["to"] for step in told["fallbacks"]] == ["good"]
    assert [each["attempt"] for each in told["retries"]] == [2, 3]
    assert told["lost_s"] == told["fallbacks"][0]["lost_s"] > 0
    assert (told["usage"]["input"], told["usage"]["output"], told["usage"]["source"]) == (11, 7, "reported")
    assert told["lost_s"] < told["timings"]["ttfr_s"] <= told["timings"]["ttft_s"] <= told["timings"]["total_s"]
    assert (told["cost"]["usd"], told["cost"]["source"]) == (0.000025, "config")
    assert "Yes." not in done.notes


def test_keys_stay_secret(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(refuses(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    written(tmp_path, HEAD + entry("fast", server.url, api_key=KEY))
    chats = [run("chat", *words, "Hi") for words in ([], ["--json"], ["--curl"])]
    looks = [run("models", "check", "--json"), run("models", "check"), run("models", "list")]
    assert [done.code for done in (*chats, *looks)] == [1, 1, 0, 1, 1, 0]
    assert not [done for done in (*chats, *looks) if KEY in done.text + done.notes]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
