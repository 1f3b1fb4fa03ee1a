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


async def test_a_sample_that_was_named_is_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    path = sample_path("basic")
    monkeypatch.chdir(path.parent)
    for named in (path, Path(path.name)):
        assert await listed(named) == [
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


ASKING = TEXT.replace("provider: ollama", "provider: openai, api_key: '${env:HOME}'")
ELSEWHERE = "0.0.0.0"  # noqa: S104 - nothing listens here: it is what an operator may write


@pytest.mark.parametrize(
    ("settings", "may"),
    [
        (ServerSettings(), True),
        (ServerSettings(host="localhost"), True),
        (ServerSettings(host="::1"), True),
        (ServerSettings(host=ELSEWHERE), False),
        (ServerSettings(host="playground.example"), False),
        (ServerSettings(host=ELSEWHERE, trust_uploads=True), True),
    ],
)
async def test_a_file_from_a_browser_is_trusted_on_loopback_or_where_the_operator_allows_it(
    settings: ServerSettings, may: bool
) -> None:
    async with open_runtime() as runtime:
        projects = Projects(runtime, settings)
        session = await projects.text(ASKING, "llamafarm.yaml")
        assert session.project is not None
        assert not session.project.models[0].usable
        assert [ask.name for ask in session.loaded.asks] == ["HOME"]
        if may:
            trusted = (await projects.trust(session)).project
            assert trusted is not None
            assert trusted.models[0].usable
        else:
            with pytest.raises(RequestError, match="without --trust-uploads"):
                await projects.trust(session)


async def test_a_path_of_this_machine_is_opened_on_loopback_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    async with open_runtime() as runtime:
        assert (await Projects(runtime, ServerSettings()).path(str(path))).project is not None
        for trust in (False, True):
            with pytest.raises(RequestError, match="only where the page is on loopback"):
                await Projects(runtime, ServerSettings(host=ELSEWHERE, trust_uploads=trust)).path(str(path))
        for wrong in ("", str(tmp_path), "/etc/passwd", str(tmp_path / "none.yaml")):
            with pytest.raises(RequestError):
                await Projects(runtime, ServerSettings()).path(wrong)
