"""The README is true: its examples load, and its keys, commands, samples and rooms are those of the code."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from llamafarm.cli.main import app
from llamafarm.config import load, parse, sample_names, sample_path
from llamafarm.config.model import NamedModel, Pricing, ServerTimeouts, Timeouts
from llamafarm.config.profiles import PROFILES
from llamafarm.config.project import RUNTIME, USED
from llamafarm.config.report import report
from llamafarm.config.sections.mcp import KEYS as SERVER_KEYS
from llamafarm.config.sections.models import KEYS, UNUSED
from llamafarm.core.reply import Reply
from llamafarm.core.types import Route
from llamafarm.output.contracts import chat_json, comparison_json
from llamafarm.routing import complexity

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_PICTURE = 250 * 1024
ENVIRON = {"OPENAI_API_KEY": "k", "DB_TOKEN": "t"}
REPLY = Reply(lane="a", asked="a", model="a", provider="embedded", model_id="m", status="done")
GROUP: Any = typer.main.get_command(app)  # a click Group, which typer types as any command


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text under the heading `title`, to the next one of its level or above."""
    level, words = re.fullmatch(r"(#+) (.*)", title).groups()  # type: ignore[union-attr]  # titles stand in this file
    found = re.search(
        rf"^{level} {re.escape(words)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
    assert found, f"the README has no section {title}"
    return found[1]


def first_column(title: str) -> set[str]:
    """The words in backticks of the first column of the table under `title`."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| ")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def spoken(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


# --- examples


@pytest.mark.parametrize("text", [block for block in blocks("yaml") if "ACME_KEY" not in block])
def test_every_project_loads_without_a_word(text: str) -> None:
    loaded = parse(text, trusted=True, environ=ENVIRON)
    assert loaded.project is not None
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert all(model.usable for model in loaded.project.models)


def test_the_report_of_validate_is_what_it_writes() -> None:
    (text,) = blocks("yaml", section("### `lf validate`"))
    (told,) = blocks("json", section("### `lf validate`"))
    assert json.loads(told) == report(parse(text, trusted=True, environ={}))


def shape(value: Any) -> Any:
    """The keys of `value`, all the way down; of a list its first entry's."""
    match value:
        case dict():
            return {key: shape(each) for key, each in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return None


def test_the_record_of_compare_has_these_keys() -> None:
    (told,) = blocks("json", section("### `lf compare`"))
    routes = [Route("complexity", "a", "why"), Route("token_budget", "a", "why")]
    assert shape(json.loads(told)) == shape(comparison_json("hi", routes, [REPLY]))


def test_the_record_of_chat_has_these_keys() -> None:
    (told,) = blocks("json", section("### `lf chat`"))
    assert shape(json.loads(told)) == shape(chat_json("hi", Route("default", "a", "why"), REPLY))


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [
        ("Why is the sky blue?", "fast"),
        ("Analyze why the sky is blue at noon and red in the evening.", "expert"),
        ("Tell me about the sky.", "default"),
    ],
)
def test_the_prompts_of_the_demo_are_routed_as_told(prompt: str, tier: str) -> None:
    steps = re.split(r"\n(?=\d\. )", section("### Demo tiers to stakeholders"))
    (step,) = [step for step in steps if f"`{prompt}`" in step]
    assert tier in step
    project = load(sample_path("embedded")).project
    assert project is not None
    assert complexity(prompt, project).model == tier


# --- commands


def commands() -> Iterator[list[str]]:
    """The arguments of every `lf …` and `app.py …` in a shell example."""
    for line in "".join(blocks("sh")).splitlines():
        if not re.search(r"\b(lf|app\.py)\b", line):
            continue
        words = shlex.split(line, comments=True)
        for name, prefix in (("lf", []), ("app.py", ["serve"])):
            if name in words:
                yield prefix + words[words.index(name) + 1 :]


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_every_command_is_understood(arguments: list[str]) -> None:
    name, *rest = arguments
    assert GROUP.commands[name].make_context(name, rest)


def options_of(command: Any) -> set[str]:
    names = [name for param in command.params for name in (*param.opts, *param.secondary_opts)]
    own = {name for name in names if name.startswith("--")} - {"--help"}
    return own.union(*map(options_of, getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("name", ["chat", "compare", "route", "learn", "models", "init", "serve"])
def test_every_option_is_listed(name: str) -> None:
    assert first_column(f"### `lf {name}`") == options_of(GROUP.commands[name])


def test_every_command_has_its_section() -> None:
    assert set(re.findall(r"^### `lf (\w+)`$", TEXT, re.MULTILINE)) == set(GROUP.commands)


# --- the reference of keys


def test_every_key_is_in_the_reference() -> None:
    assert first_column("### Top level") == set(USED)
    assert first_column("### `runtime`") == set(RUNTIME)
    assert first_column("### A named model") == set(KEYS)
    assert first_column("### MCP servers") == set(SERVER_KEYS)
    assert set(UNUSED) <= spoken(section("### A named model"))
    assert set(Pricing.model_fields) | set(Timeouts.model_fields) <= spoken(section("### A named model"))


def test_every_default_is_as_written() -> None:
    for name, field in Timeouts.model_fields.items():
        assert f"`{name}` ({field.default:g})" in section("### A named model")
    for name, field in ServerTimeouts.model_fields.items():
        assert f"`{name}` ({field.default:g})" in section("### MCP servers")
    turns = NamedModel.model_fields["max_tool_turns"].default
    assert f"before it has to answer: {turns}," in section("### A named model")
    assert first_column("### Providers") == set(PROFILES)
    for address in filter(None, (profile.address for profile in PROFILES.values())):
        assert f"`{address}`" in section("### Providers")


def test_every_sample_is_listed() -> None:
    assert first_column("### Samples") == set(sample_names())


# --- the house


def test_every_room_is_in_the_architecture() -> None:
    rooms = {f"llamafarm/{path.parent.name}/" for path in (ROOT / "llamafarm").glob("*/__init__.py")}
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Rooms")[2].partition("\n## ")[0]
    written = set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE))
    assert written - {"app.py", "sample_configs/", "tests/"} == rooms


def test_every_file_that_is_named_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:tests|scripts|\.ci|docs)/[\w./]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for script in re.findall(r"uv run (scripts/\w+\.py)", TEXT):
        ast.parse((ROOT / script).read_text(encoding="utf-8"))


def test_every_threat_names_tests_that_are_there() -> None:
    rows = [line for line in section("## Security and trust").splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        threat, _, tested = [cell.strip() for cell in row.strip("| ").split(" | ")]
        named = re.findall(r"`(tests/[\w./]+)(?:::(\w+))?`", tested)
        assert named, threat
        for path, test in named:
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


def test_every_link_within_the_page_has_its_heading() -> None:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "page.png").stat().st_size < MAX_PICTURE


def test_the_changelog_tells_of_this_version() -> None:
    from llamafarm import __version__  # noqa: PLC0415 - beside what is compared with it

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in text or f"as {__version__}" in text
