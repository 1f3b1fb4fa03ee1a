"""The API tells its callers what makes an answer other than it looks."""

from __future__ import annotations

import json

import pytest

from tests.faultserver.speech import chunk, event, plays, said
from tests.server.api.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")
LONG = "The llama eats grass and looks at the mountains. " * 300
COUNTS = {"prompt_tokens": 128, "completion_tokens": 2, "total_tokens": 130}
CUT = plays(
    "openai", [said("openai", "Hay."), chunk({}, "stop"), event({"choices": [], "usage": COUNTS}), event("[DONE]")]
)


async def test_whole_and_streamed(here: World) -> None:
    here.says(CUT)
    told = await here.ask(model="expert", messages=[{"role": "user", "content": LONG}])
    assert told.status_code == 200
    (caution,) = told.json()["llamafarm"]["cautions"]
    assert caution["kind"] == "prompt_cut"
    assert "counted 128 tokens" in caution["text"]
    here.says(CUT)
    streamed = await here.ask(model="expert", messages=[{"role": "user", "content": LONG}], stream=True)
    chunks = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")]
    assert [caution] in [each["llamafarm"].get("cautions") for each in chunks if "llamafarm" in each]


async def test_another_model_is_told_whole_and_streamed(here: World) -> None:
    another = plays("openai", [chunk({"content": "Hay."}, "stop", model="another"), event("[DONE]")])
    here.says(another)
    told = (await here.ask(model="expert", messages=[{"role": "user", "content": "Hi"}])).json()
    assert [each["kind"] for each in told["llamafarm"]["cautions"]] == ["other_model"]
    here.says(another)
    streamed = await here.ask(model="expert", messages=[{"role": "user", "content": "Hi"}], stream=True)
    assert "another answered" in streamed.text
