"""The list of projects that can be opened by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.access.operator import Rights
from llamafarm.config import sample_names, sample_path
from llamafarm.core.errors import RequestError
from llamafarm.runtime import open_runtime
from llamafarm.ui.project.projects import Projects
from llamafarm.ui.sessions import Session

TEXT = "version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n    - {name: a, provider: ollama, model: m}\n"


def written(folder: Path, name: str = "llamafarm.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(TEXT)
    return path


async def listed(*configs: Path) -> list[str]:
    async with open_runtime(configs) as runtime:
        return [title for title, _ in Projects(runtime).sources()]


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
        projects = Projects(runtime)
        (key,) = (key for title, key in projects.sources() if title == own.name)
        assert (await projects.named(key)).project is not None
        for key in (f"operator:{other}", f"sample:{other}", "sample:none", ""):
            with pytest.raises(RequestError, match="not in the list"):
                await projects.named(key)


ASKING = TEXT.replace("provider: ollama", "provider: openai, api_key: '${env:HOME}'")


OPERATOR = Rights(trust=True, paths=True)
STRANGER = Rights(by_link=True)


@pytest.mark.parametrize(
    ("rights", "refused"),
    [
        (OPERATOR, None),
        (Rights(trust=True), None),
        (STRANGER, "Open the link that was printed"),
        (Rights(), "without --trust-uploads"),
        (Rights(paths=True), "without --trust-uploads"),
    ],
)
async def test_a_file_from_a_browser_is_trusted_by_whoever_may(rights: Rights, refused: str | None) -> None:
    async with open_runtime() as runtime:
        projects = Projects(runtime)
        session = await projects.text(ASKING, "llamafarm.yaml")
        assert session.project is not None
        assert not session.project.models[0].usable
        assert [ask.name for ask in session.loaded.asks] == ["HOME"]
        if refused is None:
            trusted = (await projects.trust(session, rights)).project
            assert trusted is not None
            assert trusted.models[0].usable
        else:
            with pytest.raises(RequestError, match=refused):
                await projects.trust(session, rights)


async def test_a_path_of_this_machine_is_opened_by_whoever_may(tmp_path: Path) -> None:
    path = written(tmp_path)
    async with open_runtime() as runtime:
        projects = Projects(runtime)
        assert (await projects.path(str(path), OPERATOR)).project is not None
        assert (await projects.path(str(path), Rights(paths=True))).project is not None
        for rights, how in (
            (STRANGER, "Open the link"),
            (Rights(), "without --allow-paths"),
            (Rights(trust=True), "--allow-paths"),
        ):
            with pytest.raises(RequestError, match=how):
                await projects.path(str(path), rights)
        for wrong in ("", str(tmp_path), "/etc/passwd", str(tmp_path / "none.yaml")):
            with pytest.raises(RequestError):
                await projects.path(wrong, OPERATOR)


async def test_no_key_of_a_project_tells_its_folder(tmp_path: Path) -> None:
    own = [written(tmp_path / "a" / "b"), written(tmp_path / "c" / "b")]
    async with open_runtime(own) as runtime:
        keys = [key for _, key in Projects(runtime).sources()]
    assert len(set(keys)) == len(keys)
    assert str(tmp_path) not in " ".join(keys)


KEYED = (
    'version = "v1"\nname = "p"\nnamespace = "n"\n[[runtime.models]]\nname = "a"\nprovider = "openai"\nmodel = "m"\n'
    'base_url = "http://127.0.0.1:9/v1"\napi_key = "sk-own-1"\n'
)


def key_of(session: Session) -> str:
    assert session.project is not None
    key = session.project.models[0].api_key
    return key.get_secret_value() if key else ""


async def test_the_editor_shows_no_key_and_an_edit_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "llamafarm.toml"
    path.write_text(KEYED)
    async with open_runtime([path]) as runtime:
        projects = Projects(runtime)
        uploaded = await projects.text(KEYED, path.name)
        for session in (
            await projects.path(str(path), OPERATOR),
            await projects.named(projects.sources()[0][1]),
            uploaded,
        ):
            assert "sk-own-1" not in session.text + repr(session)
            assert key_of(session) == "sk-own-1"
            edited = await projects.edited(session.text.replace('"m"', '"other"'), session)
            again = await projects.edited(edited.text.replace('"other"', '"third"'), edited)
            for each in (edited, again, await projects.trust(again, OPERATOR)):
                assert key_of(each) == "sk-own-1"
                assert "sk-own-1" not in each.text
            assert (await projects.check(session.text, session)).errors == ()
            elsewhere = await projects.edited(session.text.replace("127.0.0.1:9", "127.0.0.1:8"), session)
            assert elsewhere.project is not None
            assert not elsewhere.project.models[0].usable
            assert "write it anew" in elsewhere.project.models[0].problems[0].message


async def test_a_text_that_can_not_be_read_yet_stays_as_it_was_typed() -> None:
    async with open_runtime() as runtime:
        projects = Projects(runtime)
        session = await projects.text(f"{TEXT}api_key: sk-own-1\nx: [", "llamafarm.yaml")
        assert session.project is None
        assert session.text == f"{TEXT}api_key: sk-own-1\nx: ["
