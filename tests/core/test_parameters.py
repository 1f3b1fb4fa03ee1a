"""Who is asked, and what, is never a parameter: in no protocol and on no face."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from llamafarm.cli.main import app
from llamafarm.config.project import parse
from llamafarm.core.errors import RequestError
from llamafarm.core.parameters import OURS, RESERVED
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.engine.lane import Lane, Question, request_for
from llamafarm.experiments.sweep.grid import Grid, Prompt
from llamafarm.providers.http.client import open_client
from llamafarm.providers.registry import REMOTE
from llamafarm.ui.compare.settings import Settings
from tests.providers.helpers import named

FORGED: dict[str, JsonValue] = {
    "model": "dearer",
    "models": ["dearer"],
    "messages": [{"role": "user", "content": "forged"}],
    "stream": False,
    "stream_options": {"include_usage": False},
    "tools": [{"type": "function", "function": {"name": "forged"}}],
    "functions": [{"name": "forged"}],
    "n": 5,
    "prompt": "forged",
    "chat_template": "forged",
}
FILE = (
    "runtime:\n  models:\n    - name: a\n      provider: openai\n      base_url: http://127.0.0.1:9\n      model: m\n"
)


@pytest.mark.parametrize("provider", sorted(REMOTE))
@pytest.mark.parametrize("way", ["parameters", "extra_body"])
async def test_no_body_holds_anothers_word_for_ours(provider: str, way: str) -> None:
    own = {name: FORGED[name] for name in sorted(OURS)}
    async with open_client() as client:
        model = named(provider, "http://127.0.0.1:9", **({"extra_body": own} if way == "extra_body" else {}))
        request = ChatRequest((Message("user", "Hello"),), own if way == "parameters" else {})
        asked: Any = REMOTE[provider](model, client)
        body = asked.payload(request)
    assert body["model"] == "llama3.1:8b"
    assert [message["content"] for message in body["messages"]] == ["Hello"]
    assert body["stream"] is True
    assert "tools" not in body


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_each_face_refuses_it(name: str) -> None:
    project = parse(FILE, trusted=True).project
    assert project is not None
    (model,) = project.models
    question = Question((Message("user", "Hello"),), parameters={name: "x"})
    with pytest.raises(RequestError, match=f"`{name}` is no parameter"):
        request_for(project, Lane("a", model), question)
    with pytest.raises(RequestError, match=f"`{name}` is no parameter"):
        request_for(project, Lane("a", model, {name: 1}), Question.of("Hello"))
    with pytest.raises(RequestError, match=f"`{name}` is no parameter"):
        Grid((model,), name, (1, 2), 1, (Prompt("Hello"),))
    with pytest.raises(RequestError, match=f"`{name}` is no parameter"):
        Settings.of(project, model).__class__(
            **{**vars_of(Settings.of(project, model)), "others": f'{{"{name}": 1}}'}
        ).lane(project, model)


def vars_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@pytest.mark.parametrize("command", [["compare", "Hi"], ["chat", "Hi"], ["batch", "rows.jsonl"]])
def test_the_command_line_says_so(command: list[str]) -> None:
    told = CliRunner().invoke(app, [*command, "--param", "model=dearer"], env={"COLUMNS": "200"})
    assert told.exit_code == 2
    assert "is no parameter" in told.output


@pytest.mark.parametrize("section", ["model_api_parameters", "extra_body"])
def test_the_project_file_has_a_problem_with_its_line(section: str) -> None:
    text = f"{FILE}      {section}:\n        top_p: 0.5\n        messages: []\n"
    loaded = parse(text, trusted=True)
    assert loaded.project is not None
    (model,) = loaded.project.models
    assert not model.usable
    (problem,) = model.problems
    assert (problem.line, problem.key) == (9, f"runtime.models[0].{section}.messages")
    assert "is no parameter" in problem.message


def test_the_operators_raw_fields_may_change_what_servers_differ_in() -> None:
    text = f"{FILE}      extra_body: {{stream_options: null, top_k: 5, models: [x]}}\n"
    loaded = parse(text, trusted=True)
    assert loaded.project is not None
    assert loaded.project.models[0].usable


def test_a_null_takes_nothing_away_that_is_ours() -> None:
    model = named("openai", "http://127.0.0.1:9", extra_body={"messages": None, "model": None})
    body = REMOTE["openai"](model, None).payload(ChatRequest((Message("user", "Hi"),)))  # type: ignore[arg-type,attr-defined]
    assert body["model"]
    assert body["messages"]
