"""What of a project file is shown: its text, with the secrets in it hidden by their places."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config import load, masked_text, parse
from llamafarm.config.reading.read import read_document
from llamafarm.config.secrets.secret import HIDDEN, names_secret, shown_address, shown_words
from llamafarm.core.types import JsonValue

SECRET = "zq-sesame-77"  # noqa: S105 - made up; in none of the texts around it
HEAD = "version: v1\nname: test\nnamespace: default\n"


def masked_value(value: JsonValue) -> JsonValue:
    return read_document(masked_text(json.dumps(value), "a.json"), "a.json").value


def test_literal_secrets_alone_are_hidden() -> None:
    text = (
        f"{HEAD}mcp:\n  servers:\n    - {{name: s, command: x, env: {{MODE: 'env-secret', T: '${{TOKEN}}'}}}}\n"
        "runtime:\n  models:\n    - {name: a, api_key: 'sk-literal', model_api_parameters: {max_tokens: 12345}}\n"
        "    - {name: b, api_key: '${env:KEY}'}\n    - {name: c, api_key: not-needed}\n"
    )
    shown = masked_text(text, "a.yaml")
    assert "sk-literal" not in shown
    assert "env-secret" not in shown
    assert shown.count(HIDDEN) == 2
    for kept in ("${TOKEN}", "${env:KEY}", "not-needed", "12345"):
        assert kept in shown


YAML = {
    "plain": "api_key: zq-sesame-77",
    "escaped": r'api_key: "\x7aq-sesame\x2d77"',
    "quoted": "api_key: 'zq-sesame-77'",
    "literal": "api_key: |\n  zq-sesame-77\n",
    "folded": "api_key: >-\n  zq-sesame-77\n",
    "two lines": 'api_key: "zq-sesame\\\n  -77"',
    "plain on two lines": "api_key: zq\n  zq-sesame-77\nb: 1",
    "number": "api_key: 1234567e10 #\n",
    "tagged": "api_key: !!str zq-sesame-77",
    "verbatim tag": "api_key: !<tag:yaml.org,2002:str> zq-sesame-77",
    "anchored": "api_key: &key zq-sesame-77\nother: {token: *key}",
    "alias": "x-name: &key zq-sesame-77\napi_key: *key",
    "merged": "x-base: &base {api_key: zq-sesame-77}\nmodel:\n  <<: *base",
    "aliased environment": "x-env: &env {MODE: zq-sesame-77}\nserver: {env: *env}",
    "merged into an environment": "x-env: &env {MODE: zq-sesame-77}\nserver:\n  env:\n    <<: [*env]\n",
    "flow": "{models: [{name: a, api_key: zq-sesame-77}]}",
    "flow over lines": "{models: [{name: a, api_key:\n   zq-sesame-77}]}",
    "explicit key": "? api_key\n: zq-sesame-77\n",
    "escaped key": r'"api\u005fkey": zq-sesame-77',
    "twice": "api_key: zq-sesame-77\napi_key: other",
    "second document": "a: 1\n---\napi_key: zq-sesame-77\n",
    "comment": "# api_key: zq-sesame-77\na: 1 # token = zq-sesame-77",
    "byte order mark": "\ufeffapi_key: zq-sesame-77",
    "line ends": "a: é😀\r\napi_key: zq-sesame-77\r\nb: 1\r\n",
    "below a secret": "auth:\n  pass: zq-sesame-77\n  more: [zq-sesame-77]",
    "headers": "extra_headers: {X-Team: zq-sesame-77}",
    "environment as a list": "env:\n  - TEAM=zq-sesame-77",
    "named value": "variables:\n  - {name: API_TOKEN, value: zq-sesame-77}",
    "default of a variable": "api_key: ${KEY:-zq-sesame-77}",
    "beside a variable": "api_key: ${KEY}zq-sesame-77",
    "camel": "clientSecret: zq-sesame-77",
    "word of a command": "args: [--token, zq-sesame-77, --api-key=zq-sesame-77, -e, GH_TOKEN=zq-sesame-77]",
    "escaped word": r'args: ["--api-key=\x7aq-sesame-77"]',
    "header as a word": "args:\n  - --header\n  - 'Authorization: Bearer zq-sesame-77'",
    "JSON in a word": 'args: [\'{"apiKey": "zq-sesame-77"}\']',
    "command in one": "command: npx server --token zq-sesame-77 --verbose",
    "password in an address": "base_url: http://zq-sesame-77:zq-sesame-77@h/v1",
    "escaped address": r'base_url: "http:\/\/u:\x7aq-sesame-77@h/v1"',
    "parameter of an address": "base_url: http://h/v1?v=1&key=zq-sesame-77#token=zq-sesame-77",
    "address in a block": "content: |\n  see http://u:zq-sesame-77@h/\n  there\n",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_every_form_of_yaml_is_masked_in_its_place(text: str) -> None:
    secret = "1234567e10" if "1234567e10" in text else SECRET
    shown = masked_text(text, "a.yaml")
    assert HIDDEN in shown
    for part in (secret, "sesame", "x7aq"):
        assert part not in shown
    assert shown.count("\n") == text.count("\n")  # the lines of its problems stay
    assert secret not in str(read_document(shown, "a.yaml").value)


JSON = (
    r'{"api_key": "\u007aq-sesame-77"}',
    '{"api_key": 771234567}',
    '{"a":[{"env":{"A":"zq-sesame-77"}}],"e":"\\u00e9","base_url":"http:\\/\\/u:zq-sesame-77@h"}',
    '{\n\t"api_key"\t:\t"zq-sesame-77"\n}',
    '{"api_key": "zq-sesame-77", "api_key": "other"}',
)
TOML = (
    'api_key = "zq-sesame-77"',
    "api_key = 'zq-sesame-77'",
    r'api_key = "\u007aq-sesame-77"',
    'api_key = """\nzq-sesame-77"""',
    "api_key = '''zq-sesame-77'''\nb = 1",
    "runtime.auth.value = 'zq-sesame-77'",
    "[[runtime.models]]\nname = 'a'\n[runtime.models.extra_body]\n'auth' = 'zq-sesame-77'",
    "x = { a = [ { password = 'zq-sesame-77' }, ], b = 1 }",
    "[mcp.servers.a.env]\nA = 'zq-sesame-77'",
    "api_key = 771234567",
    "note = '''\n[env]\n'''\n# token = 'zq-sesame-77'",
    'args = [\n  "--token", # its key\n  "zq-sesame-77",\n]',
    "base_url = 'http://u:zq-sesame-77@h/?key=zq-sesame-77'",
    "at = 1979-05-27 07:32:00\napi-key = 'zq-sesame-77'",
)


@pytest.mark.parametrize(("name", "text"), [*(("a.json", t) for t in JSON), *(("a.toml", t) for t in TOML)])
def test_json_and_toml_are_masked_in_their_places(name: str, text: str) -> None:
    shown = masked_text(text, name)
    assert HIDDEN in shown
    assert "sesame" not in shown
    assert "771234567" not in shown
    assert shown.count("\n") == text.count("\n")
    read_document(shown, name)


BROKEN = (
    "a: [\napi_key: zq-sesame-77\n",
    "a: [\nenv:\n  MODE: zq-sesame-77\n",
    'a: [\n"api_key": "zq-sesame\\\n  -77"\n',
    "a: [\napi_key: |\n  zq-sesame-77\n",
    'a: [\n"api\\u005fkey": zq-sesame-77\n',
    "a: [\nnote: zq-sesame-77-zq-77\n",
    "a: [\nbase_url: http://u:zq-sesame-77@h\n",
    'a: [\nb: "\\x7aq-sesame-77"\n',
    "a: *nowhere\nextra: {auth: zq-sesame-77}\n",
    "[env\nMODE = 'zq-sesame-77'\n[env]\nMODE = 'zq-sesame-77'\n",
    "a: [\nauth:\n  - zq-sesame-77\n",
)


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml"])
def test_what_can_not_be_read_is_masked_rather_too_much(text: str, name: str) -> None:
    loaded = parse(text, name=name, trusted=True, environ={})
    assert loaded.project is None
    assert "sesame" not in loaded.text
    assert loaded.text.startswith(("a:", "[env"))


@given(
    st.sampled_from(["a.yaml", "a.json", "a.toml"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12),
    st.integers(0, 3),
)
def test_whatever_a_secret_is_the_rest_is_as_it_was(name: str, noise: str, depth: int) -> None:
    value: JsonValue = {"api_key": f"zq{noise}zq-sesame-77", "note": noise, "n": 5}
    for _ in range(depth):
        value = {"more": [value, noise]}
    text = json.dumps(value)
    if name == "a.toml":
        text = f"api_key = {json.dumps(f'zq{noise}zq-sesame-77', ensure_ascii=False)}\nn = 5"
    try:
        before = str(read_document(text, name).value)
    except Exception:  # what our reader refuses, JSON's escapes in YAML, is masked roughly
        assert "sesame" not in masked_text(text, name)
        return
    shown = masked_text(text, name)
    assert "sesame" not in shown
    after = str(read_document(shown, name).value)
    assert after.count(HIDDEN) == 1
    assert after == before.replace(repr(f"zq{noise}zq-sesame-77"), repr(HIDDEN))


@pytest.mark.parametrize("name", ["a.yaml", "a.toml"])
def test_fifteen_thousand_secrets_are_masked_in_one_pass(name: str) -> None:
    """By value it took the square of their number: eleven seconds."""

    def seconds(count: int) -> float:
        each = "- {{api_key: s{}k}}\n" if name == "a.yaml" else "[[m]]\napi_key = 's{}k'\n"
        text = "".join(each.format(number) for number in range(count))
        began = time.process_time()
        assert masked_text(text, name).count(HIDDEN) == count
        return time.process_time() - began

    few = seconds(1_500)
    assert seconds(15_000) < 40 * few


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:sk-secret@example.org/v1", f"https://{HIDDEN}@example.org/v1"),
        ("http://sk-secret@127.0.0.1:1", f"http://{HIDDEN}@127.0.0.1:1"),
        ("https://user:p@ss@example.org", f"https://{HIDDEN}@example.org"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("https://${env:USER}:${env:PW}@example.org", "https://${env:USER}:${env:PW}@example.org"),
        ("https://${env:USER}:secret@example.org", f"https://{HIDDEN}@example.org"),
        ("https://h/v1?api-version=2&sig=ab%2Bc&q=1", f"https://h/v1?api-version=2&sig={HIDDEN}&q=1"),
        ("https://h/v1?access%5Ftoken=abc", f"https://h/v1?access%5Ftoken={HIDDEN}"),
        ("https://h/?key=${env:KEY}", "https://h/?key=${env:KEY}"),
        ("h/v1?api_key=abc", f"h/v1?api_key={HIDDEN}"),
        ("redirects to //h?token=a;b and http://u:p@h", f"redirects to //h?token={HIDDEN} and http://{HIDDEN}@h"),
        ("http://localhost:11434", "http://localhost:11434"),
    ],
)
def test_one_function_shows_an_address(address: str, shown: str) -> None:
    assert shown_address(address) == shown
    text = f"{HEAD}runtime:\n  models:\n    - {{name: a, base_url: '{address}'}}\n"
    assert f"base_url: '{shown}'" in masked_text(text, "a.yaml")
    assert masked_value({"base_url": address, "n": [address, 1, None]}) == {"base_url": shown, "n": [shown, 1, None]}


@pytest.mark.parametrize(
    "name",
    re.split(
        " ",
        "api_key apiKey APIKEY OPENAI_API_KEY api-keys token GITHUB_TOKEN accessToken authtoken auth Authorization x-api-key"
        " password db_password client_secret SECRETS aws_secret_access_key private_key credentials GITHUB_PAT key"
        " OPENAI_KEY Cookie jwt bearer_token proxy_password hf_token auth_tokens",
    ),
)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    re.split(
        " ",
        "max_tokens tokens max_completion_tokens first_token between_tokens eos_token_id stop_token token_budget tokenizer"
        " prompt_cache_key public_key keyboard monkey author path model keep_alive compass",
    ),
)
def test_names_of_other_things(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("--max-tokens=5", "--max-tokens=5"),
        ("server.py", "server.py"),
        ("--token=${TOKEN}", "--token=${TOKEN}"),
        ("-y --token=a b", f"-y --token={HIDDEN} b"),
        ("X_TOKEN=a b", f"X_TOKEN={HIDDEN}"),
        ("sh -c 'TOKEN=a run'", f"sh -c 'TOKEN={HIDDEN} run'"),
    ],
)
def test_words_of_commands(word: str, shown: str) -> None:
    assert shown_words(word) == shown


def test_values_are_hidden_whatever_their_type() -> None:
    value: JsonValue = {"api_key": 12345, "max_tokens": 5, "deep": [{"password": "x", "token": "${T}", "keys": True}]}
    assert masked_value(value) == {
        "api_key": HIDDEN, "max_tokens": 5, "deep": [{"password": HIDDEN, "token": "${T}", "keys": True}]}  # fmt: skip


def test_a_value_that_also_stands_elsewhere_stays_there() -> None:
    text = f"{HEAD}runtime:\n  models:\n    - {{name: a, api_key: x, model_api_parameters: {{max_tokens: 5}}}}\n"
    assert masked_text(text, "a.yaml") == text.replace("api_key: x", f"api_key: {HIDDEN}")


def test_a_tool_whose_argument_is_called_token_keeps_its_schema() -> None:
    schema: JsonValue = {"parameters": {"properties": {"token": {"type": "string", "description": "which"}}}}
    assert masked_value(schema) == schema


@pytest.mark.parametrize("name", ["p.yaml", "p.json", "p.toml"])
def test_a_loaded_file_carries_its_masked_text(tmp_path: Path, name: str) -> None:
    model = {"name": "a", "provider": "openai", "model": "m", "base_url": "http://u:zq-sesame-77@h", "api_key": SECRET}
    text = json.dumps({"version": "v1", "name": "p", "namespace": "n", "runtime": {"models": [model]}})
    if name == "p.toml":
        text = 'version = "v1"\nname = "p"\nnamespace = "n"\n[[runtime.models]]\n' + "\n".join(
            f"{key} = {json.dumps(value)}" for key, value in model.items()
        )
    path = tmp_path / name
    path.write_text(text)
    loaded = load(path)
    assert loaded.project is not None
    assert loaded.project.text == loaded.text
    assert loaded.project.models[0].api_key is not None
    assert loaded.project.models[0].api_key.get_secret_value() == SECRET
    assert SECRET not in loaded.text + repr(loaded.text)
    assert loaded.text.count(HIDDEN) == 2
