"""Servers over stdio: a process of ours, which may crash, hang, babble, and must be gone in the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from llamafarm.config.model import ServerTimeouts
from llamafarm.core.errors import ToolServerFailed
from llamafarm.tools import McpServers
from llamafarm.tools.results import KEPT
from tests.tools.helpers import QUICK, calling, raw, runs, with_servers, written


async def test_tools_are_listed_with_their_schemas_and_called() -> None:
    async with McpServers() as servers:
        whole = with_servers(raw())
        offer = await servers.offer(whole, ["raw"])
        echo = next(tool for tool in offer.tools if tool.name == "echo")
        assert (echo.server, echo.call_name, echo.description) == ("raw", "echo", "To echo.")
        assert echo.schema == {"type": "object", "properties": {"text": {"type": "string"}}}
        assert await servers.call(whole, echo, {"text": "hay"}) == await servers.call(whole, echo, {"text": "hay"})
        assert (await servers.call(whole, echo, {"text": "hay"})).text == "hay"
        assert servers.running(whole) == {"raw"}


async def test_many_lanes_share_one_process_and_call_at_once(tmp_path: Path) -> None:
    async with McpServers() as servers:
        whole = with_servers(raw())
        offers = await asyncio.gather(*(servers.offer(whole, ["raw"]) for _ in range(5)))
        where = next(tool for tool in offers[0].tools if tool.name == "where")
        places = await asyncio.gather(*(servers.call(whole, where, {}) for _ in range(10)))
        assert len({place.text for place in places}) == 1


async def test_the_environment_is_the_files_own_with_path_and_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_OF_OURS", "USER", "TERM", "SHELL", "LOGNAME"):
        monkeypatch.setenv(name, "ours")
    async with calling(raw(env={"TOKEN": "given", "TERM": "given"})) as call:
        seen = json.loads((await call("environment")).text)
    seen.pop("LC_CTYPE", None)  # Python's own, in the C locale
    assert seen == {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TOKEN": "given", "TERM": "given"}


async def test_its_secrets_are_in_no_answer_of_it() -> None:
    given = {"TOKEN": "tok-secret-1", "MODE": "read-only", "ROOT": "/data/1"}
    async with calling(raw(env=given)) as call:
        seen = json.loads((await call("environment")).text)
        assert {name: seen[name] for name in given} == given | {"TOKEN": "(hidden)"}
        assert (await call("echo", text="is it tok-secret-1?")).text == "is it (hidden)?"


async def test_it_runs_in_the_projects_folder(tmp_path: Path) -> None:
    async with calling(raw(folder=tmp_path)) as call:
        assert (await call("where")).text.startswith(f"{tmp_path} ")


async def test_a_failing_tool_is_an_answer() -> None:
    async with calling(raw()) as call:
        assert (await call("fail")).is_error
        assert (await call("fail")).text == "it broke"
        broken = await call("undeclared")
        assert broken.is_error
        assert "does not declare" in broken.text
        assert (await call("nothing")).text == "(The tool gave no output.)"


async def test_a_crash_is_an_answer_and_the_server_starts_again() -> None:
    async with calling(raw()) as call:
        first = (await call("where")).text
        crashed = await call("crash")
        assert crashed.is_error
        assert "raw ended" in crashed.text
        assert "last words" in crashed.text
        again = await call("where")
        assert not again.is_error
        assert again.text != first


async def test_crashes_are_bounded() -> None:
    async with calling(raw()) as call:
        for _ in range(QUICK.restarts + 1):
            assert (await call("crash")).is_error
        offer = await call.servers.offer(call.project, ["raw"])
        assert "lost 3 times within 60 s" in offer.missing["raw"]
        assert offer.tools == ()


async def test_an_idle_server_that_was_killed_is_started_before_the_next_call() -> None:
    async with calling(raw()) as call:
        pid = int((await call("where")).text.split()[-1])
        os.kill(pid, 9)
        async with asyncio.timeout(10):
            while call.servers.running(call.project):  # noqa: ASYNC110 - the system tells of the death
                await asyncio.sleep(0.01)
        assert (await call("echo", text="hay")).text == "hay"


async def test_a_call_that_hangs_is_given_up_and_the_session_stays(tmp_path: Path) -> None:
    server = raw(timeout=ServerTimeouts(call=0.3))
    async with calling(server) as call:
        given_up = await call("hang", text=str(tmp_path / "mark"))
        assert given_up.is_error
        assert "within 0.3 s" in given_up.text
        await written(tmp_path / "mark", "cancelled")
        assert (await call("echo", text="hay")).text == "hay"


async def test_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with calling(raw()) as call:
        running = asyncio.create_task(call("hang", text=str(mark)))
        await written(mark, "begun")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await written(mark, "cancelled")
        assert (await call("echo", text="hay")).text == "hay"


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package waits two seconds for a process that does not end by itself."""
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 0.1)


@pytest.mark.usefixtures("short_grace")
async def test_a_slow_start_is_bounded_and_leaves_no_process() -> None:
    async with McpServers() as servers:
        offer = await servers.offer(with_servers(raw("slow", timeout=ServerTimeouts(connect=0.5))), ["raw"])
    assert "did not start within 0.5 s" in offer.missing["raw"]
    assert "timeout: {connect" in offer.missing["raw"]


@pytest.mark.usefixtures("short_grace")
async def test_stopping_in_a_slow_start_and_closing_leaves_no_process(tmp_path: Path) -> None:
    async with McpServers() as servers:
        waiting = asyncio.create_task(servers.offer(with_servers(raw("slow")), ["raw"]))
        await asyncio.sleep(0.3)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mcp")]


HOLDER = """
import asyncio
from tests.tools.helpers import calling, raw

async def hold():
    async with calling(raw()) as call:
        print((await call("child")).text, flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.mark.usefixtures("short_grace")
async def test_closing_ends_a_process_that_does_not_end_by_itself_and_what_it_started() -> None:
    async with calling(raw("stubborn")) as call:
        pids = [int(pid) for pid in (await call("child")).text.split()]
        assert all(runs(pid) for pid in pids)
    assert not any(runs(pid) for pid in pids)


async def ended(pids: list[int]) -> bool:
    """Wait until none of the processes runs."""
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            while any(runs(pid) for pid in pids):  # noqa: ASYNC110 - other processes end
                await asyncio.sleep(0.02)
    return not any(runs(pid) for pid in pids)


@pytest.mark.parametrize("kind", ["child", "deaf_child"])
async def test_what_a_server_started_ends_with_it_although_it_ends_by_itself(kind: str) -> None:
    async with calling(raw()) as call:
        pids = [int(pid) for pid in (await call(kind)).text.split()]
        assert all(runs(pid) for pid in pids)
    assert await ended(pids)


async def test_what_a_server_started_ends_with_it_although_it_crashed() -> None:
    async with calling(raw()) as call:
        pids = [int(pid) for pid in (await call("child")).text.split()]
        os.kill(pids[0], signal.SIGKILL)
        assert await ended(pids)


async def test_what_a_server_started_ends_with_it_although_the_playground_was_killed() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in (await process.stdout.readline()).split()]
    assert all(runs(pid) for pid in pids)
    process.kill()
    await process.communicate()
    assert await ended(pids)


async def test_closing_in_mid_call_leaves_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with calling(raw()) as call:
        pid = int((await call("where")).text.split()[-1])
        running = asyncio.create_task(call("hang", text=str(mark)))
        await written(mark, "begun")
    assert not runs(pid)
    assert (await running).is_error
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mcp")]


async def test_a_huge_result_is_cut_with_a_note() -> None:
    async with calling(raw()) as call:
        result = await call("huge", text=str(3 * KEPT))
    assert len(result.text) < KEPT + 200
    assert result.text.endswith("[Cut here: 2,000,000 of 3,000,000 characters are left out.]")


async def test_the_list_is_read_again_when_the_server_says_so() -> None:
    async with calling(raw()) as call:
        before = await call.names()
        await call("grow")
        assert len(await call.names()) == len(before) + 1
        assert (await call("grow")).text == "grown"
        assert len(await call.names()) == len(before) + 2


async def test_a_list_in_pages() -> None:
    async with calling(raw("paged")) as call, calling(raw()) as whole:
        assert await call.names() == await whole.names()


async def test_other_text_on_the_output_does_no_harm() -> None:
    async with calling(raw("chatty")) as call:
        assert (await call("echo", text="hay")).text == "hay"


async def test_a_server_without_tools() -> None:
    async with calling(raw("no_tools")) as call:
        assert await call.names() == []


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (raw("dead", env={"TOKEN": "tok-secret-1"}), "ended before it was ready: “No key: (hidden).”"),
        (raw(command="llamafarm-no-such-command"), "can't be started: no such command (llamafarm-no-such-command)"),
        (raw(folder="/no/such/folder"), "can't be started: No such file or directory (/no/such/folder)"),
        (raw("bad_list"), "answers in a form that is not MCP's: tools.0.inputSchema: "),
    ],
    ids=["dead", "no command", "no folder", "bad list"],
)
async def test_a_server_that_cant_be_used_says_why_and_keeps_its_secrets(server: object, words: str) -> None:
    async with McpServers() as servers:
        whole = with_servers(server)  # type: ignore[arg-type]
        offer = await servers.offer(whole, ["raw"])
        assert words in offer.missing["raw"]
        assert "tok-secret-1" not in str(offer)


async def test_one_that_fails_does_not_take_the_others_away() -> None:
    async with McpServers() as servers:
        offer = await servers.offer(with_servers(raw(), raw("dead", name="dead")), ["raw", "dead"])
    assert list(offer.missing) == ["dead"]
    assert offer.tools


async def test_the_same_tool_of_two_servers_stays_reachable() -> None:
    async with McpServers() as servers:
        whole = with_servers(raw(), raw(name="other.one"))
        offer = await servers.offer(whole, ["raw", "other.one"], taken={"raw__where"})
        names = {(tool.server, tool.name): tool.call_name for tool in offer.tools}
        assert names["raw", "echo"] == "raw__echo"
        assert names["other.one", "echo"] == "other_one__echo"
        assert names["raw", "where"].startswith("raw__where_")
        places = {(await servers.call(whole, tool, {})).text for tool in offer.tools if tool.name == "where"}
    assert len(places) == 2


async def test_nothing_is_started_for_a_project_that_is_not_trusted(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    server = raw(command="touch", args=(str(mark),))
    whole = with_servers(server, trusted=False)
    async with McpServers() as servers:
        offer = await servers.offer(whole, ["raw"])
        assert "not trusted" in offer.missing["raw"]
        tool = (await servers.offer(with_servers(raw()), ["raw"])).tools[0]
        refused = await servers.call(whole, tool, {})
        assert refused.is_error
        assert "not trusted" in refused.text
        assert not servers.running(whole)
    assert not mark.exists()


def test_secrets_are_told_by_nothing() -> None:
    server = raw(env={"TOKEN": SecretStr("tok-secret-1")}, headers={"X": "tok-secret-1"})
    assert "tok-secret-1" not in repr(server)
    assert "tok-secret-1" not in str(ToolServerFailed("x"))


async def test_the_server_that_was_idle_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamafarm.tools.servers.MAX_SERVERS", 2)
    async with McpServers() as servers:
        projects = [with_servers(raw(name=name)) for name in ("a", "b", "c")]
        for whole, name in zip(projects, "abc", strict=True):
            await servers.offer(whole, [name])
        assert [bool(servers.running(whole)) for whole in projects] == [False, True, True]
