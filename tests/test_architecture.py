"""The rooms of the house: imports point down, and a library lives in one room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "llamafarm"

# What a room may import of the project, besides itself and the ground (whose modules import nothing but each other).
GROUND = {
    "characters", "types", "events", "conditions", "modelnames", "reply", "errors", "parameters", "strict_json", "__init__",
}  # fmt: skip
MAY_IMPORT: dict[str, set[str]] = {
    "display": {"study"},
    "tokens": set(),
    "study": set(),
    "sheets": set(),
    "files": set(),
    "experiments": {"config", "study", "sheets", "records", "display", "tokens"},
    "signals": set(),
    "wire": set(),
    "records": set(),
    "export": {"records", "display", "study", "sheets"},
    "report": {"engine", "records", "display", "study", "config"},
    "settings": set(),
    "config": {"files"},
    "pricing": {"config"},
    "routing": {"config", "tokens"},
    "providers": {"config", "wire", "tokens"},
    "tools": {"config"},
    "store": {"records"},
    "engine": {"config", "experiments", "providers", "records", "tools", "tokens", "study"},
    "runtime": {"config", "engine", "experiments", "pricing", "providers", "records", "store", "tools"},
    "reports": {"runtime", "report", "asgi"},
    "mcpserver": {"runtime", "engine", "config", "routing", "asgi"},
    "asgi": set(),
    "guards": {"asgi", "settings"},
    "attempts": set(),
    "gate": {"asgi", "settings", "attempts"},
    "operator": {"asgi", "settings"},
    "api": {"runtime", "engine", "config", "routing", "settings", "asgi"},
    "ui": {
        "runtime",
        "engine",
        "experiments",
        "store",
        "config",
        "routing",
        "records",
        "export",
        "display",
        "settings",
        "sheets",
        "tokens",
        "study",
        "asgi",
        "operator",
    },
    "server": {
        "runtime",
        "ui",
        "api",
        "mcpserver",
        "reports",
        "config",
        "guards",
        "gate",
        "attempts",
        "operator",
        "asgi",
        "settings",
        "signals",
    },
    "cli": {
        "server",
        "signals",
        "runtime",
        "engine",
        "experiments",
        "store",
        "config",
        "routing",
        "records",
        "export",
        "display",
        "settings",
        "study",
        "report",
        "files",
    },
}
LIVES_IN = {
    "gradio": {"ui"},
    "pandas": {"export"},
    "pyarrow": {"export"},
    "fastapi": {"server", "ui", "api"},
    "fastapi_offline": {"api"},
    "starlette": {"server", "api", "mcpserver"},
    "uvicorn": {"server"},
    "uvloop": {"server", "cli"},
    "httpx": {"providers"},
    "httpx_aiohttp": {"providers"},
    "aiohttp": {"providers"},
    "yarl": {"providers"},
    "certifi": {"providers"},
    "xllamacpp": {"providers"},
    "mcp": {"tools", "mcpserver"},
    "httpx2": {"tools"},
    "genai_prices": {"pricing"},
    "yaml": {"config"},
    "dotenv": {"config"},
    "typer": {"cli"},
    "rich": {"cli"},
    "sqlalchemy": {"store"},
    "platformdirs": {"store"},
    "filelock": {"store"},
    "regex": {"study"},
    "jsonschema": {"study"},
    "referencing": {"study"},
    "ruamel": {"config"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
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


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in ROOT.rglob("*.py")}
    assert rooms - GROUND == set(MAY_IMPORT)


def test_imports_point_down() -> None:
    wrong = []
    for path, module in imports():
        parts = module.split(".")
        if parts[0] != "llamafarm" or len(parts) == 1:
            continue
        here, there = room_of(path), parts[1]
        allowed = GROUND if here in GROUND else GROUND | {here} | MAY_IMPORT[here]
        if there not in allowed:
            wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


@pytest.mark.parametrize("library", sorted(LIVES_IN))
def test_a_library_lives_in_its_rooms(library: str) -> None:
    found = {room_of(path) for path, module in imports() if module.split(".")[0] == library}
    assert found
    assert found <= LIVES_IN[library]


def test_what_lies_below_httpx_is_the_affair_of_its_transport() -> None:
    found = {path.relative_to(ROOT) for path, module in imports() if module.split(".")[0] in BELOW_HTTPX}
    assert found == {TRANSPORT}
