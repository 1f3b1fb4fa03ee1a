"""A lane's controls: what they show of a project file, and what they make of a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamafarm.config import parse
from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.engine.lane import Question, request_for
from llamafarm.ui.compare.live import Changes
from llamafarm.ui.compare.settings import Settings
from llamafarm.ui.parts.temperature import scale


def project(parameters: str) -> tuple[Project, NamedModel]:
    loaded = parse(
        "version: v1\nname: p\nnamespace: n\nprompts:\n  - name: s\n    messages:\n"
        "      - {role: system, content: Be kind.}\nruntime:\n  models:\n"
        f"    - {{name: a, provider: ollama, model: m, model_api_parameters: {parameters}}}\n",
        name="x.yaml",
        trusted=True,
    )
    assert loaded.project is not None
    return loaded.project, loaded.project.models[0]


def sent(settings: Settings, parameters: str) -> dict[str, JsonValue]:
    held, model = project(parameters)
    return dict(request_for(held, settings.lane(held, model), Question.of("x")).parameters)


@pytest.mark.parametrize(
    "parameters", ["{}", "{temperature: 0.3, top_k: 5}", "{temperature: 0, max_tokens: 9, stop: [a]}"]
)
def test_untouched_controls_send_what_the_file_says(parameters: str) -> None:
    held, model = project(parameters)
    assert sent(Settings.of(held, model), parameters) == dict(model.parameters)


def test_a_control_that_is_off_sends_nothing() -> None:
    held, model = project("{temperature: 0.3}")
    settings = replace(Settings.of(held, model), send_temperature=False)
    assert "temperature" not in sent(settings, "{temperature: 0.3}")


def test_other_parameters_replace_the_files_others() -> None:
    held, model = project("{top_k: 5, seed: 1}")
    settings = replace(Settings.of(held, model), others='{"seed": 2}', max_tokens=7.0)
    assert sent(settings, "{top_k: 5, seed: 1}") == {"seed": 2, "max_tokens": 7}


@pytest.mark.parametrize("others", ["{", "[1]", "3", '{"a": NaN}', '{"a": 1e999}'])
def test_other_parameters_that_are_no_json_object_are_told(others: str) -> None:
    held, model = project("{}")
    with pytest.raises(RequestError, match="The other parameters are not"):
        replace(Settings.of(held, model), others=others).lane(held, model)


def test_the_system_prompt_as_edited_replaces_the_files() -> None:
    held, model = project("{}")
    settings = replace(Settings.of(held, model), system="Be rude.")
    request = request_for(held, settings.lane(held, model), Question.of("x"))
    assert [message.content for message in request.messages] == ["Be rude.", "x"]


@pytest.mark.parametrize(
    ("temperature", "words"),
    [
        (0.0, "Factual"),
        (0.2, "Code"),
        (0.4, "Analysis"),
        (0.6, "General chat"),
        (0.9, "Creative"),
        (1.2, "Brainstorming"),
    ],
)
def test_the_scale_names_the_documentations_ranges(temperature: float, words: str) -> None:
    assert words in scale(temperature)


def test_changes_lets_through_what_is_new() -> None:
    changes: Changes[str, int] = Changes()
    assert changes.of({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert changes.of({"a": 1, "b": 3}) == {"b": 3}
    assert changes.of({"a": 1}) == {}
