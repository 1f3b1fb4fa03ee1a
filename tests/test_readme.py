"""README and docs are true: their examples load, and their keys, commands, samples and rooms are those of the code."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
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
from tests.pages import ARCHITECTURE, COMMANDS, PAGES, PROJECT_FILE, README, ROOT, SECURITY, Page, blocks

MAX_PICTURE = 250 * 1024
MAX_README = 250  # lines
TEXTS = [page.text for page in PAGES]
ENVIRON = {"OPENAI_API_KEY": "k", "DB_TOKEN": "t"}
REPLY = Reply(lane="a", asked="a", model="a", provider="embedded", model_id="m", status="done")
GROUP: Any = typer.main.get_command(app)  # a click Group, which typer types as any command


def first_column(page: Page, title: str) -> set[str]:
    """The words in backticks of the first column of the table under `title`."""
    rows = [line.split("|")[1] for line in page.section(title).splitlines() if line.startswith("| ")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def spoken(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


# --- examples


@pytest.mark.parametrize("text", [block for block in blocks("yaml", *TEXTS) if "ACME_KEY" not in block])
def test_every_project_loads_without_a_word(text: str) -> None:
    loaded = parse(text, trusted=True, environ=ENVIRON)
    assert loaded.project is not None
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert all(model.usable for model in loaded.project.models)


def test_the_report_of_validate_is_what_it_writes() -> None:
    (text,) = blocks("yaml", COMMANDS.section("## `lf validate`"))
    (told,) = blocks("json", COMMANDS.section("## `lf validate`"))
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
    (told,) = blocks("json", COMMANDS.section("## `lf compare`"))
    routes = [Route("complexity", "a", "why"), Route("token_budget", "a", "why")]
    assert shape(json.loads(told)) == shape(comparison_json("hi", routes, [REPLY]))


def test_the_record_of_chat_has_these_keys() -> None:
    (told,) = blocks("json", COMMANDS.section("## `lf chat`"))
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
    steps = re.split(r"\n(?=\d\. )", README.section("### Demo tiers to stakeholders"))
    (step,) = [step for step in steps if f"`{prompt}`" in step]
    assert tier in step
    project = load(sample_path("embedded")).project
    assert project is not None
    assert complexity(prompt, project).model == tier


# --- commands


def commands() -> Iterator[list[str]]:
    """The arguments of every `lf …` and `app.py …` in a shell example."""
    for line in "".join(blocks("sh", *TEXTS)).splitlines():
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


@pytest.mark.parametrize("name", ["chat", "compare", "route", "learn", "replay", "models", "init", "serve"])
def test_every_option_is_listed(name: str) -> None:
    assert first_column(COMMANDS, f"## `lf {name}`") == options_of(GROUP.commands[name])


def test_every_command_has_its_section() -> None:
    assert set(re.findall(r"^## `lf (\w+)`$", COMMANDS.prose, re.MULTILINE)) == set(GROUP.commands)


# --- the reference of keys


def test_every_key_is_in_the_reference() -> None:
    assert first_column(PROJECT_FILE, "## Top level") == set(USED)
    assert first_column(PROJECT_FILE, "## `runtime`") == set(RUNTIME)
    assert first_column(PROJECT_FILE, "## A named model") == set(KEYS)
    assert first_column(PROJECT_FILE, "## MCP servers") == set(SERVER_KEYS)
    assert set(UNUSED) <= spoken(PROJECT_FILE.section("## A named model"))
    assert set(Pricing.model_fields) | set(Timeouts.model_fields) <= spoken(PROJECT_FILE.section("## A named model"))


def test_every_default_is_as_written() -> None:
    for name, field in Timeouts.model_fields.items():
        assert f"`{name}` ({field.default:g})" in PROJECT_FILE.section("## A named model")
    for name, field in ServerTimeouts.model_fields.items():
        assert f"`{name}` ({field.default:g})" in PROJECT_FILE.section("## MCP servers")
    turns = NamedModel.model_fields["max_tool_turns"].default
    assert f"before it has to answer: {turns}," in PROJECT_FILE.section("## A named model")
    assert first_column(PROJECT_FILE, "## Providers") == set(PROFILES)
    for address in filter(None, (profile.address for profile in PROFILES.values())):
        assert f"`{address}`" in PROJECT_FILE.section("## Providers")


def test_every_sample_is_listed() -> None:
    assert first_column(PROJECT_FILE, "## Samples") == set(sample_names())


# --- the house


def test_every_room_is_in_the_architecture() -> None:
    rooms = {f"llamafarm/{path.parent.name}/" for path in (ROOT / "llamafarm").glob("*/__init__.py")}
    written = set(re.findall(r"^\| `([^`]+)`", ARCHITECTURE.section("## Rooms"), re.MULTILINE))
    assert written - {"app.py", "sample_configs/", "tests/"} == rooms


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Page) -> None:
    for path in re.findall(r"`((?:tests|scripts|\.ci|docs)/[\w./]+)`", page.text):
        assert (ROOT / path).exists(), path
    for script in re.findall(r"uv run (scripts/\w+\.py)", page.text):
        ast.parse((ROOT / script).read_text(encoding="utf-8"))


def test_every_threat_names_tests_that_are_there() -> None:
    rows = [line for line in SECURITY.section("# Security and trust").splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        threat, _, tested = [cell.strip() for cell in row.strip("| ").split(" | ")]
        named = re.findall(r"`(tests/[\w./]+)(?:::(\w+))?`", tested)
        assert named, threat
        for path, test in named:
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_its_file_and_heading(page: Page) -> None:
    anchors = {ROOT / other.name: other.anchors for other in PAGES}
    assert len(page.anchors) == len(set(page.anchors)), "two headings of one name"
    for path, anchor in page.links:
        assert path.exists(), path
        assert not anchor or anchor in anchors[path], f"{path.name}#{anchor}"


def test_every_page_is_found_from_the_readme() -> None:
    assert {ROOT / page.name for page in PAGES} - {path for path, _ in README.links} == {ROOT / "README.md"}


def test_the_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= MAX_README


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "page.png").stat().st_size < MAX_PICTURE
    assert ROOT / "docs" / "page.png" in {path for path, _ in README.links}


def test_the_changelog_tells_of_this_version() -> None:
    from llamafarm import __version__  # noqa: PLC0415 - beside what is compared with it

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == __version__
