"""An edit of a masked text gets its secrets back, and none goes to another place than before."""

from __future__ import annotations

import pytest

from llamafarm.config import masked_text, parse
from llamafarm.config.secrets.restore import restored
from llamafarm.config.secrets.secret import HIDDEN

BEFORE = """version: v1
name: p
namespace: n
mcp:
  servers:
    - {name: s, command: npx, args: [x, --token, tok-own-1], env: {MODE: env-own-1}}
runtime:
  models:
    - name: a
      provider: openai
      model: m
      base_url: http://u:pw-own-1@h/v1
      api_key: "sk-own\\x2d1"
      extra_body: {auth: auth-own-1}
      model_api_parameters: {temperature: 0.5}
    - {name: b, provider: openai, model: m, base_url: "http://b/v1", api_key: sk-own-2}
"""
SHOWN = masked_text(BEFORE, "p.yaml")
ALL = ("tok-own-1", "env-own-1", "pw-own-1", "sk-own-1", "auth-own-1", "sk-own-2")


def held(text: str) -> set[str]:
    return {each for each in ALL if each in text}


def test_what_is_not_about_them_brings_all_back() -> None:
    assert not held(SHOWN)
    edited = SHOWN.replace("0.5", "0.9").replace("model: m", "model: other")
    assert held(restored(edited, BEFORE, "p.yaml")) == set(ALL)
    assert masked_text(restored(edited, BEFORE, "p.yaml"), "p.yaml").replace('"', "") == edited.replace('"', "")


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (("http://(hidden)@h/v1", "http://evil/v1"), {"pw-own-1", "sk-own-1", "auth-own-1"}),
        (("http://(hidden)@h/v1", "http://(hidden)@evil/v1"), {"pw-own-1", "sk-own-1", "auth-own-1"}),
        (('base_url: "http://b/v1", ', ""), {"sk-own-2"}),
        (("name: b, provider: openai", "name: b, provider: ollama"), {"sk-own-2"}),
        (("name: b", "name: c"), {"sk-own-2"}),
        (("command: npx", "command: curl"), {"tok-own-1", "env-own-1"}),
        (("args: [x, ", "args: [evil, "), {"tok-own-1", "env-own-1"}),
        (("name: b, ", "name: b, <<: {base_url: 'http://evil'}, "), {"sk-own-2"}),
        (("api_key: (hidden)}", "api_key: sk-new}"), {"sk-own-2"}),
    ],
)
def test_none_goes_to_another_place(change: tuple[str, str], lost: set[str]) -> None:
    assert change[0] in SHOWN
    assert held(restored(SHOWN.replace(*change), BEFORE, "p.yaml")) == set(ALL) - lost


def test_none_is_shared_with_another_place() -> None:
    edited = SHOWN.replace("api_key: (hidden)}", "api_key: &k (hidden)}")
    edited += "    - {name: evil, provider: openai, model: m, base_url: 'http://evil', api_key: *k}\n"
    assert "sk-own-2" not in restored(edited, BEFORE, "p.yaml")


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("p.json", '{"models": [{"name": "a", "base_url": "http://h", "api_key": "sk-own\\u002d1"}]}'),
        ("p.toml", "[[models]]\nname = 'a'\nbase_url = 'http://h'\napi_key = 'sk-own-1'\n"),
    ],
)
def test_json_and_toml(name: str, before: str) -> None:
    shown = masked_text(before, name)
    assert "sk-own-1" in restored(shown, before, name)
    assert "sk-own-1" not in restored(shown.replace("http://h", "http://evil"), before, name)


def test_what_can_not_be_read_comes_back_as_it_is() -> None:
    broken = SHOWN + "  - [\n"
    assert restored(broken, BEFORE, "p.yaml") == broken


def test_hidden_is_nobodys_key() -> None:
    loaded = parse(SHOWN, name="p.yaml", trusted=True, environ={})
    assert loaded.project is not None
    assert [model.usable for model in loaded.project.models] == [False, False]
    assert loaded.project.mcp_servers == ()
    for model in loaded.project.models:
        assert any("write it anew" in problem.message for problem in model.problems)
    fine = parse(BEFORE.replace("name: b, ", f"name: b, description: 'is {HIDDEN}', "), name="p.yaml", trusted=True)
    assert fine.project is not None
    assert all(model.usable for model in fine.project.models if model.name == "b")
