"""The contract of all providers, of a LlamaFarm server that is a model server's front: what it says is what was said."""

from __future__ import annotations

import asyncio

import pytest

from llamafarm.core.events import Finished, ToolCalled
from llamafarm.providers.answers import reading
from tests.providers.helpers import ask, named, reasoning_of, text_of
from tests.providers.test_answers import CALLS, COMPLETE, FAILURES, FORMS, Case
from tests.server.api.world import PROJECT, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize(
    "case",
    [pytest.param(each, id=each.name) for each in (*COMPLETE, *FAILURES, *FORMS, *CALLS) if each.only != "ollama"],
)
async def test_an_answer(case: Case, here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "USAGE_S", 0.2)
    here.says(case.script("openai"))
    events, error = await asyncio.wait_for(ask(named("openai", f"{here.url}{PROJECT}", model="default")), 20)
    calls = [each.call for each in events if isinstance(each, ToolCalled)]
    assert len(here.upstream.requests) == 1
    assert text_of(events) == case.text
    assert reasoning_of(events) == case.reasoning
    assert [(each.name, each.arguments) for each in calls] == [(each.name, each.arguments) for each in case.calls]
    if case.error is None:
        assert error is None
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == case.finish
    else:
        assert error is not None
        assert case.says.strip("“”") in error.message
