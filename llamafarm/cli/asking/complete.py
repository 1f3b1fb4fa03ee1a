"""What the shell completes: names of models and of sample projects. Quick, and silent where there is nothing."""

from __future__ import annotations

from pathlib import Path

import typer

from llamafarm.cli.asking.find import NAMES

AUTO = "auto"


def complete_models(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names of the project's models, and `auto`."""
    known = [*_models(ctx.params.get("config")), (AUTO, "the router's pick")]
    return [(name, what) for name, what in known if name.startswith(incomplete)]


def complete_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The next name of a list with commas."""
    before, comma, begun = incomplete.rpartition(",")
    taken = before.split(",")
    return [
        (f"{before}{comma}{name}", what)
        for name, what in _models(ctx.params.get("config"))
        if name.startswith(begun) and name not in taken
    ]


def complete_patterns(incomplete: str) -> list[str]:
    """The names of the sample projects."""
    from llamafarm.config.samples import sample_names

    return [name for name in sample_names() if name.startswith(incomplete)]


def _models(config: object) -> list[tuple[str, str]]:
    """(name, what it is) of the models of a file: read as YAML alone, since a whole project takes half a second."""
    from llamafarm.config.reading.read import read_document, read_file, read_text
    from llamafarm.core.errors import LlamaFarmError

    path = _path(config)
    try:
        value = read_document(read_text(read_file(path)), path.name).value
    except LlamaFarmError:
        return []
    runtime = value.get("runtime") if isinstance(value, dict) else None
    models = runtime.get("models") if isinstance(runtime, dict) else None
    if isinstance(models, dict):
        models = [{"name": name, **(entry if isinstance(entry, dict) else {})} for name, entry in models.items()]
    entries = [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []
    return [(str(entry["name"]), str(entry.get("model") or "")) for entry in entries if entry.get("name")]


def _path(config: object) -> Path:
    """The file that was named, else the one in this folder, else the sample that commands fall back to."""
    if config:
        return Path(str(config)).expanduser()
    for name in NAMES:
        if Path(name).is_file():
            return Path(name)
    from llamafarm.config.samples import FIRST, sample_path

    return sample_path(FIRST)
