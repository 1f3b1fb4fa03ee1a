"""The list of projects that can be opened by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.config import sample_names, sample_path
from llamafarm.errors import RequestError
from llamafarm.runtime import open_runtime
from llamafarm.settings import ServerSettings
from llamafarm.ui.projects import Projects

TEXT = "version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n    - {name: a, provider: ollama, model: m}\n"


def written(folder: Path, name: str = "llamafarm.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(TEXT)
    return path


async def listed(*configs: Path) -> list[str]:
    async with open_runtime(configs) as runtime:
        return [title for title, _ in Projects(runtime, ServerSettings()).sources()]


async def test_a_sample_that_was_named_is_listed_once() -> None:
    assert await listed(sample_path("basic")) == [
        "sample: basic",
        *(f"sample: {name}" for name in sample_names() if name != "basic"),
    ]


async def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    own = [written(tmp_path / "shop"), written(tmp_path / "help"), written(tmp_path / "help", "other.yaml")]
    assert (await listed(*own))[:4] == ["shop/llamafarm.yaml", "help/llamafarm.yaml", "other.yaml", "sample: embedded"]


async def test_only_what_is_listed_can_be_opened_by_name(tmp_path: Path) -> None:
    own, other = written(tmp_path / "own"), written(tmp_path / "other")
    async with open_runtime([own]) as runtime:
        projects = Projects(runtime, ServerSettings())
        assert (await projects.named(f"operator:{own}")).project is not None
        for key in (f"operator:{other}", f"sample:{other}", "sample:none", ""):
            with pytest.raises(RequestError, match="not in the list"):
                await projects.named(key)
