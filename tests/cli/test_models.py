"""lf models list, lf models check and lf route."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import refuses

HERE = "    - {name: here, provider: embedded, model: smollm2-135m-instruct, tier: fast, description: Short answers}\n"
GONE = "    - {name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n"
UNSET = "    - {name: unset, provider: openai, model: gpt-4o, api_key: '${env:NOT_SET_AT_ALL}', default: true}\n"


def test_list_tells_people_and_machines(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret-of-the-environment")
    key = entry("keyed", "http://127.0.0.1:9", api_key="${env:SOME_KEY}", fallback=["here"])
    written(
        tmp_path,
        HEAD + HERE + key + UNSET + entry("literal", "http://u:a-secret@h/?key=secret", api_key="sk-literal-secret"),
    )
    done, told = run("models", "list"), run("models", "list", "--json")
    assert (done.code, told.code) == (0, 0)
    head, here, keyed, unset, literal = done.text.splitlines()
    assert head.split() == ["Name", "Provider", "Model", "Tier", "Address", "Key", "Note"]
    assert here.split() == ["here", "embedded", "smollm2-135m-instruct", "fast", "none", "Short", "answers"]
    assert "$SOME_KEY " in keyed
    assert unset.startswith("unset (default) ")
    assert "$NOT_SET_AT_ALL (not set)" in unset
    assert "The environment variable NOT_SET_AT_ALL is not set" in unset
    assert "in the file" in literal
    models = {model["name"]: model for model in json.loads(told.out)["models"]}
    assert [name for name, model in models.items() if model["default"]] == ["unset"]
    assert [name for name, model in models.items() if not model["usable"]] == ["unset"]
    assert (models["keyed"]["key"], models["keyed"]["fallback"]) == ("$SOME_KEY", ["here"])
    assert models["literal"]["base_url"] == "http://(hidden)@h/?key=(hidden)"
    assert "secret" not in done.text + told.text


def test_check_tells_what_is_there_and_what_to_do(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(refuses(200, {"data": [{"id": "fast-id"}]}))
    written(tmp_path, HEAD + HERE + GONE + UNSET + entry("fast", server.url) + entry("none", server.url, model="x"))
    done, told = run("models", "check"), run("models", "check", "--json")
    assert (done.code, told.code) == (0, 0)
    _, here, gone, unset, fast, none = done.text.splitlines()
    assert here.split()[:5] == ["here", "✓", "✓", "✓", "none"]
    assert gone.split()[:5] == ["gone", "✗", "✗", "?", "none"]
    assert gone.strip().endswith("Nothing listens at 127.0.0.1:9. Is the server running? Else start it: ollama serve.")
    assert unset.split()[:6] == ["unset", "✗", "?", "?", "missing", "(NOT_SET_AT_ALL)"]
    assert fast.split()[:5] == ["fast", "✓", "✓", "✓", "none"]
    assert none.split()[:5] == ["none", "✗", "✓", "✗", "none"]
    models = json.loads(told.out)["models"]
    assert [(each["name"], each["usable"], each["server"], each["found"], each["key"]) for each in models] == [
        ("here", True, "yes", "yes", "none"),
        ("gone", False, "no", "unknown", "none"),
        ("unset", False, "unknown", "unknown", "missing"),
        ("fast", True, "yes", "yes", "none"),
        ("none", False, "yes", "no", "none"),
    ]
    assert set(models[0]) == {"name", "usable", "server", "found", "key", "message", "todo", "seconds"}


def test_check_is_exit_1_where_none_can_be_used(tmp_path: Path, run: Run) -> None:
    written(tmp_path, HEAD + GONE)
    assert run("models", "check").code == 1
    done = run("models", "check", "--json")
    assert (done.code, json.loads(done.out)["models"][0]["usable"]) == (1, False)


@pytest.mark.parametrize("command", ["list", "check"])
def test_a_file_that_is_none_is_exit_2(tmp_path: Path, run: Run, command: str) -> None:
    written(tmp_path, "- a\n")
    done = run("models", command)
    assert (done.code, done.text) == (2, "")
    assert "line 1: A project file is a mapping" in done.notes


# --- lf route


def test_route_tells_what_each_strategy_picks(tmp_path: Path, run: Run) -> None:
    written(
        tmp_path, HEAD + "".join(f"    - {{name: {name}, provider: ollama, model: m}}\n" for name in ("fast", "expert"))
    )
    (tmp_path / "q.txt").write_text("the causes of the war\n")
    done = run("route", "-f", "q.txt", "Analyze")
    assert done.code == 0
    head, complexity, budget, learned = done.text.splitlines()
    assert head.split() == ["Strategy", "Model", "Why"]
    assert complexity.startswith("complexity (auto)  expert  It says “analyze”: expert tier")
    assert budget.startswith("token budget       fast    About ")
    assert "No evidence yet: 0 of 30 comparisons" in learned
    told = json.loads(run("route", "--json", given=b"What?").out)
    assert told["prompt"] == "What?"
    assert told["auto"] == {"strategy": "complexity", "model": "fast"}
    assert set(told["route"]) == {"complexity", "token_budget", "learned"}
    assert told["route"]["complexity"]["signals"]["question_mark"] is True


def test_route_without_a_prompt_is_exit_2(run: Run) -> None:
    assert run("route").code == 2
