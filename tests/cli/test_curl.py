"""lf chat --curl: the same request from a shell, with no key in it and nothing that the shell would act on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.cli.commands.chat.curl import curl_command, key_variable
from llamafarm.core.characters import for_terminal
from llamafarm.core.types import JsonValue, SentRequest
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import answer, plays

# A curl that tells its arguments; what a shell makes of a command is best known to a shell.
TELL = "curl() { printf '%s\\0' \"$@\"; }\n"
TRICKY = 'it\'s $HOME `id` "$(id)" \\ !! %s \x1b[31m \u009b1m \u2028 💧 \n end'
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def arguments_of(command: str, **environment: str) -> list[str]:
    """What `sh` hands to curl."""
    done = subprocess.run(["/bin/sh", "-c", TELL + command], capture_output=True, check=True, env=environment)
    return done.stdout.decode().split("\0")[:-1]


@given(TEXT, st.dictionaries(TEXT, TEXT | st.integers(0, 2**53) | st.booleans() | st.none(), max_size=4))
def test_a_shell_makes_the_same_request_of_it(text: str, more: dict[str, str | int | bool | None]) -> None:
    body: dict[str, JsonValue] = {"messages": [{"role": "user", "content": text}], "more": {**more}}
    sent = SentRequest("POST", "http://h/v1/x?a='b'", {"X-A": "$A", "Authorization": "Bearer $THE_KEY"}, body)
    command = for_terminal(curl_command(sent))  # as it is printed
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", command)
    told = arguments_of(command, THE_KEY="k 'e' $y", A="never")
    assert told[:-1] == [
        "--no-buffer", "http://h/v1/x?a='b'", "--header", "X-A: $A", "--header", "Authorization: Bearer k 'e' $y", "--data-raw",
    ]  # fmt: skip
    assert json.loads(told[-1]) == body


@pytest.mark.parametrize("value", ["Bearer $(id)", "Bearer $A; id", "Bearer $1", "Basic $A", 'Bearer "$A"'])
def test_only_a_plain_variable_is_one(value: str) -> None:
    sent = SentRequest("POST", "http://h", {"Authorization": value}, {})
    assert key_variable(sent) is None
    assert f"Authorization: {value}" in arguments_of(curl_command(sent), A="never")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_curl_itself_sends_what_lf_sends(tmp_path: Path, run: Run, serve: Serve, provider: str) -> None:
    script = (
        plays("openai", answer("openai", "Yes.")) if provider == "openai" else plays("ollama", answer("ollama", "Y"))
    )
    server = serve(script)
    written(tmp_path, HEAD + entry("fast", server.url, provider=provider, api_key="${env:THE_KEY:-k}"))
    words = ["--temperature", "0.5", "--param", 'stop=["it\'s"]', "--system", "Grüß", TRICKY]
    shown = run("chat", "--curl", *words)
    assert (shown.code, server.requests) == (0, [])
    assert "lf: put the key into the variable THE_KEY first: export THE_KEY=…" in shown.notes
    assert run("chat", *words).code == 0
    environment = {"PATH": os.environ["PATH"], "THE_KEY": "k"}
    subprocess.run(["/bin/sh", "-c", shown.text], check=True, capture_output=True, timeout=30, env=environment)
    ours, curls = server.asked
    assert (curls.method, curls.path, curls.json()) == (ours.method, ours.path, ours.json())
    for name in ("authorization", "content-type", "accept"):
        assert curls.headers[name] == ours.headers[name]


def test_a_key_of_the_file_becomes_a_variable(tmp_path: Path, run: Run) -> None:
    written(tmp_path, HEAD + entry("fast", "http://127.0.0.1:9", api_key="sk-in-the-file"))
    shown = run("chat", "--curl", "Hi")
    assert '"Authorization: Bearer $API_KEY"' in shown.text
    assert "sk-in-the-file" not in shown.text + shown.notes
    assert "export API_KEY=…" in shown.notes


def test_no_key_no_header(tmp_path: Path, run: Run) -> None:
    written(tmp_path, HEAD + entry("fast", "http://127.0.0.1:9"))
    shown = run("chat", "--curl", "Hi")
    assert "Authorization" not in shown.text
    assert shown.notes == ""


def test_a_model_in_this_process_has_no_request(run: Run) -> None:
    done = run("chat", "--curl", "Hi")
    assert (done.code, done.text) == (2, "")
    assert "there is no request to show" in done.notes
