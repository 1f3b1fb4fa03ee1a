"""Setting a parameter in a project file: that line changes, and nothing else does."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llamafarm.config import load, sample_names, sample_path
from llamafarm.config.patch import apply_file, diff, patch_file, patched
from llamafarm.config.reading.read import read_document
from llamafarm.core.errors import ConfigError, LlamaFarmError, RequestError
from llamafarm.core.types import JsonValue

FILE = """\
# The team's models.
version: v1
name: p      # short
namespace: n

runtime:
  models:
  - name: fast   # the cheap one
    provider: ollama
    model: 'llama3.2:1b'
    model_api_parameters:
      # chosen last spring
      temperature: 0.7   # warm
      max_tokens: 512
  - name: "bare"
    provider: openai
    model: m
    api_key: sk-very-secret
  -   {name: flow, provider: ollama, model: x, model_api_parameters: {temperature: 1}}
"""


def changed_lines(before: str, after: str) -> list[str]:
    return [
        line for line in diff(before, after, "f.yaml").splitlines()
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]  # fmt: skip


def test_a_value_that_is_there_is_replaced_in_its_line() -> None:
    after = patched(FILE, "f.yaml", {"fast": {"temperature": 0.2}})
    assert after == FILE.replace("temperature: 0.7   # warm", "temperature: 0.2   # warm")


def test_a_parameter_that_is_not_there_gets_a_line() -> None:
    after = patched(FILE, "f.yaml", {"fast": {"top_p": 0.9}})
    assert changed_lines(FILE, after) == ["+      top_p: 0.9"]


def test_a_section_that_is_not_there_gets_two() -> None:
    after = patched(FILE, "f.yaml", {"bare": {"temperature": 0.2}})
    assert changed_lines(FILE, after) == ["+    model_api_parameters:", "+      temperature: 0.2"]


def test_flow_style_stays_flow_style() -> None:
    after = patched(FILE, "f.yaml", {"flow": {"temperature": 0.2}})
    assert after == FILE.replace("temperature: 1}", "temperature: 0.2}")
    more = patched(FILE, "f.yaml", {"flow": {"top_p": 0.5}})
    assert "# the cheap one" in more
    assert "# chosen last spring" in more


def test_several_at_once() -> None:
    after = patched(FILE, "f.yaml", {"fast": {"temperature": 0, "seed": 7}, "bare": {"stop": ["a", "ü"]}})
    assert len(changed_lines(FILE, after)) == 5
    assert "# warm" in after


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_keeps_its_comments(name: str) -> None:
    path = sample_path(name)
    project = load(path).project
    assert project
    before, after = patch_file(path, {project.models[-1].name: {"temperature": 0.125}})
    removed = [line for line in changed_lines(before, after) if line.startswith("-")]
    assert len(removed) <= 1
    assert all("temperature" in line for line in removed)


@pytest.mark.parametrize(
    "models",
    [
        "runtime:\n  models:\n    fast:\n      provider: ollama\n      model: m\n",
        "runtime:\n  models:\n    fast: {provider: ollama, model: m}\n",
        'runtime:\n  models:\n    - {"name": "fast", "provider": "ollama", "model": "m"}',
        "runtime:\n  models:\n    - name: fast\n      provider: ollama\n      model: m\n      model_api_parameters: {}\n",
        "runtime:\n  models:\n    - name: fast\n      provider: ollama\n      model: m\n      model_api_parameters:\n",
        "runtime:\n  models:\n    - name: fast\n      model_api_parameters:\n        temperature: *hot\n",
        "runtime:\n  models:\n    - name: fast\n      model_api_parameters:\n        temperature: 'warm'\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_form_of_models(models: str, end: str) -> None:
    before = f"# top\nhot: &hot 0.9\n{models}".replace("\n", end)
    after = patched(before, "f.yml", {"fast": {"temperature": 0.2}})
    value = read_document(after, "f.yml").value
    assert "0.2" in str(value)
    assert "0.9" in str(value)
    assert after.startswith(f"# top{end}")
    assert end == "\n" or after.count("\n") == after.count("\r\n")


def test_the_one_model_of_old_files() -> None:
    before = "runtime:\n  provider: ollama  # here\n  model: m\n"
    after = patched(before, "f.yaml", {"default": {"temperature": 0.2}})
    assert changed_lines(before, after) == ["+  model_api_parameters:", "+    temperature: 0.2"]


def test_an_alias_that_others_share_is_not_changed() -> None:
    text = "runtime:\n  models:\n    - name: a\n      model_api_parameters: &p\n        temperature: 0.5\n    - name: b\n      model_api_parameters: *p\n"
    with pytest.raises(RequestError, match="alias"):
        patched(text, "f.yaml", {"b": {"temperature": 0.2}})


@pytest.mark.parametrize(("name", "model"), [("f.json", "fast"), ("f.toml", "fast"), ("f.yaml", "nobody")])
def test_what_can_not_be_changed_is_told(name: str, model: str) -> None:
    with pytest.raises(RequestError, match="by hand"):
        patched(FILE, name, {model: {"temperature": 0.2}})


@given(st.text(alphabet="ab:-#{}[]&*!|>'\"%@`, \n\t\r\u2028\x85", max_size=60))
def test_bad_files_are_refused_in_words(text: str) -> None:
    with pytest.raises(LlamaFarmError):
        patched(text, "f.yaml", {"fast": {"temperature": 0.2}})


@given(st.one_of(st.floats(0, 2), st.integers(0, 9), st.text(max_size=5), st.booleans(), st.lists(st.text(max_size=3))))
@example(["\x7f", ":0"])
@example([":0", "\x85", "\u2028"])
def test_any_value_is_read_back(value: JsonValue) -> None:
    for model in ("fast", "bare", "flow"):
        try:
            after = patched(FILE, "f.yaml", {model: {"temperature": value}})
        except RequestError as error:
            assert "more of f.yaml than meant" in str(error)  # noqa: PT017 - some text YAML can't say as JSON does
        else:
            assert str(read_document(after, "f.yaml").value).count("temperature") == str(
                read_document(FILE, "f.yaml").value
            ).count("temperature") + (model == "bare")


@pytest.mark.parametrize("model", ["fast", "bare", "flow"])
@pytest.mark.parametrize(
    "value",
    [
        ["\x7f", ":0"],
        [":0"],
        ["a: b", "- c", "#d", "? e", "&f", "*g", "!h"],
        ["\x85", "\u2028", "\u2029", "\ufeff"],
        {"a": ["\x9f", "{"]},
        "\x7f",
    ],
)
def test_signs_that_yaml_can_not_hold_raw_are_written(value: JsonValue, model: str) -> None:
    after = patched(FILE, "f.yaml", {model: {"stop": value}})
    project = read_document(after, "f.yaml").value
    assert isinstance(project, dict)
    (entry,) = [each for each in project["runtime"]["models"] if each["name"] == model]  # type: ignore[index, union-attr, call-overload]
    assert entry["model_api_parameters"]["stop"] == value  # type: ignore[index, call-overload]


def test_a_diff_shows_no_secret() -> None:
    after = patched(FILE, "f.yaml", {"bare": {"temperature": 0.2}})
    assert "sk-very-secret" in after
    assert "sk-very-secret" not in diff(FILE, after, "f.yaml")


def test_a_file_is_written_all_at_once_and_keeps_its_rights(tmp_path: Path) -> None:
    path, link = tmp_path / "llamafarm.yaml", tmp_path / "link.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    path.chmod(0o640)
    link.symlink_to(path)
    before, after = patch_file(link, {"fast": {"temperature": 0.2}})
    apply_file(link, before, after)
    assert path.read_bytes() == b"\xef\xbb\xbf" + after.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, path]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_text(FILE)
    before, after = patch_file(path, {"fast": {"temperature": 0.2}})
    path.write_text(FILE + "# mine\n")
    with pytest.raises(RequestError, match="has changed"):
        apply_file(path, before, after)
    assert path.read_text() == FILE + "# mine\n"
    with pytest.raises(ConfigError):
        patch_file(tmp_path / "nowhere.yaml", {})
