"""The rooms of the house: imports point down, and a library lives in one room."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from llamafarm.config.profiles import PROVIDERS

ROOT = Path(__file__).resolve().parent.parent / "llamafarm"

MOST_FILES = 16  # in a folder: with more, it holds several things
MAY_IMPORT: dict[str, set[str]] = {  # besides itself and `core`, from the lowest room to the highest
    "core": set(),
    "config": set(),
    "pricing": {"config"},
    "learning": set(),
    "routing": {"config", "learning"},  # how much evidence it takes
    "providers": {"config"},
    "tools": {"config"},
    "history": set(),
    "engine": {"config", "providers", "tools", "history"},
    "experiments": {"config", "engine", "history", "learning"},
    "output": {"config", "experiments", "history"},
    "runtime": {"config", "pricing", "routing", "providers", "tools", "history", "engine", "experiments"},
    "access": set(),
    "ui": {"access", "runtime", "output", "experiments", "engine", "history", "routing", "learning", "config"},
    "server": {"access", "ui", "runtime", "output", "engine", "routing", "config"},
    "cli": {
        "access",
        "server",
        "runtime",
        "output",
        "experiments",
        "engine",
        "history",
        "learning",
        "routing",
        "config",
    },
}
LIVES_IN = {
    "gradio": {"ui"},
    "pandas": {"output"},
    "pyarrow": {"output"},
    "numpy": {"learning"},
    "fastapi": {"server", "ui"},
    "fastapi_offline": {"server"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "uvloop": {"server", "cli"},
    "httpx": {"providers"},
    "httpx_aiohttp": {"providers"},
    "aiohttp": {"providers"},
    "yarl": {"providers"},
    "certifi": {"providers"},
    "xllamacpp": {"providers"},
    "mcp": {"tools", "server"},
    "httpx2": {"tools"},
    "genai_prices": {"pricing"},
    "yaml": {"config"},
    "dotenv": {"config"},
    "typer": {"cli"},
    "rich": {"cli"},
    "sqlalchemy": {"history"},
    "platformdirs": {"history"},
    "filelock": {"history"},
    "regex": {"experiments"},
    "jsonschema": {"experiments"},
    "referencing": {"experiments"},
    "ruamel": {"config"},
    "jinja2": {"output"},
    "markupsafe": {"output"},
    "markdown_it": {"ui"},
}


# What lies below httpx is known to one module: everything else speaks httpx, and can be tested with its transports.
TRANSPORT = Path("providers/http/transport.py")
BELOW_HTTPX = {"aiohttp", "httpx_aiohttp", "yarl"}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports() -> Iterator[tuple[Path, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield path, alias.name
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert node.level == 0, f"{path}: relative import"
                yield path, node.module


def _froms(path: Path) -> list[ast.ImportFrom]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in tree if isinstance(node, ast.ImportFrom)]


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in ROOT.rglob("*.py")} == {*MAY_IMPORT, "__init__"}


def test_a_room_imports_only_what_lies_below_it() -> None:
    order = list(MAY_IMPORT)
    assert [room for room, below in MAY_IMPORT.items() if below - set(order[: order.index(room)])] == []


def test_imports_point_down() -> None:
    wrong = []
    for path, module in imports():
        parts = module.split(".")
        if parts[0] != "llamafarm" or len(parts) == 1:
            continue
        here, there = room_of(path), parts[1]
        if there not in {here, "core"} | MAY_IMPORT[here]:
            wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_what_a_provider_is_like_is_told_by_its_profile_alone() -> None:
    """No module asks for a provider's name: see `config.profiles`."""
    wrong = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words: list[ast.AST] = [*node.comparators] if isinstance(node, ast.Compare) else []
            words += [node.pattern] if isinstance(node, ast.match_case) else []
            named = {each.value for word in words for each in ast.walk(word) if isinstance(each, ast.Constant)}
            if named & set(PROVIDERS):
                wrong.append(f"{path.relative_to(ROOT)}: {named}")
    assert wrong == []


def test_no_folder_holds_more_than_one_story() -> None:
    folders = Counter(path.parent for path in ROOT.rglob("*.py") if path.name != "__init__.py")
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > MOST_FILES} == {}


def test_modules_stand_in_no_circle() -> None:
    modules = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in ROOT.rglob("*.py")}
    modules = {module.removesuffix(".__init__") for module in modules}
    below: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        here = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        named = {f"{node.module}.{alias.name}" for node in _froms(path) for alias in node.names}
        named = {name if name in modules else name.rpartition(".")[0] for name in named}
        below[here] = (named & modules) - {here}
    TopologicalSorter(below).prepare()  # raises CycleError, which names them


@pytest.mark.parametrize("library", sorted(LIVES_IN))
def test_a_library_lives_in_its_rooms(library: str) -> None:
    found = {room_of(path) for path, module in imports() if module.split(".")[0] == library}
    assert found
    assert found <= LIVES_IN[library]


def test_what_lies_below_httpx_is_the_affair_of_its_transport() -> None:
    found = {path.relative_to(ROOT) for path, module in imports() if module.split(".")[0] in BELOW_HTTPX}
    assert found == {TRANSPORT}


def test_what_is_named_for_newcomers_is_there() -> None:
    text = (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("## Where things go")[2].splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len({"provider", "check", "column", "export", "strategy", "tab"})
    for row in rows:
        cells = row.strip("| ").split(" | ")
        for cell, top in zip(cells[1:], ("llamafarm", "tests"), strict=True):
            named = [name for name in re.findall(r"`([\w./]+)`", cell) if "/" in name]
            assert named, row
            assert [name for name in named if not (ROOT.parent / name).exists() or not name.startswith(top)] == []
