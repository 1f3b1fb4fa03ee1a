"""Asking again on the page: what goes into it, and what is told to be different."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llamafarm.core.errors import Problem, RequestError
from llamafarm.core.types import Image, JsonValue, Message
from llamafarm.engine.lane import Question, request_for
from llamafarm.history.model import LaneSpec, ProjectRef, Recorded
from llamafarm.ui.compare.refill import refill
from tests.engine.fakes import model, project
from tests.history.database.made import PROJECT, asked, ended

NOW = project([model("fast"), model("wise")], namespace="default", name="farm", digest=PROJECT.digest)


def of(spec: LaneSpec, **changes: Any) -> Recorded:
    whole = asked(lanes=(spec,), **changes)
    lane = ended(whole, spec.id, model=spec.model, provider="openai", model_id=f"{spec.model}-id")
    return Recorded(whole, (replace(lane, spec=spec, parameters=spec.parameters),))


def test_prompt_models_and_settings_ask_the_same_again() -> None:
    parameters: dict[str, JsonValue] = {"temperature": 0.3, "top_k": 4}
    picture = Image("image/png", "AAAA")
    whole = of(
        LaneSpec("wise", "wise", parameters, "Be brief."),
        messages=(Message("user", "What is it?", images=(picture,)),),
        variables={"who": "me", "empty": None},
    )
    found = refill(whole, NOW)
    assert (found.prompt, found.variables, found.images) == ("What is it?", "who=me\nempty=", (picture,))
    assert (found.chosen, found.notes) == (["wise"], ())
    lane = found.settings["wise"].lane(NOW, NOW.models[1])
    request = request_for(NOW, lane, Question.of("What is it?"))
    assert request.parameters == parameters
    assert request.messages[0] == Message("system", "Be brief.")


def test_the_askers_own_parameters_count_for_every_lane() -> None:
    whole = of(
        LaneSpec("fast", "fast", {"temperature": 0.3}), parameters={"temperature": 0.9, "top_p": None}, system="All."
    )
    settings = refill(whole, NOW).settings["fast"]
    assert (settings.temperature, settings.send_temperature, settings.system) == (0.9, True, "All.")


def test_what_cannot_be_the_same_is_told() -> None:
    whole = asked(models=("fast", "wise", "gone", "broken"), tools=({"type": "function"},))
    fast = ended(whole, provider="ollama", parameters={"temperature": 0.3})
    lanes = (fast, ended(whole, "gone"), ended(whole, "wise", model="spare", parameters={"top_p": 1}))
    broken = model("broken", problems=(Problem(None, "x", "No key."),))
    now = project([model("fast"), model("wise"), broken], namespace="default", name="farm", digest="other")
    found = refill(Recorded(whole, lanes), now)
    assert found.chosen == ["fast", "wise"]
    assert set(found.notes) == {
        "gone is no longer in the project: it is left out.",
        "broken can't be used now: it is left out.",
        "The project file has changed since: its prompts and settings are used as they are now.",
        "Its asker's own tools are left out: the page has none.",
        "fast was ollama fast-1 and is openai fast-id now.",
        "fast: temperature was 0.3 and is not sent now.",
    }


def test_lanes_that_the_page_has_no_seat_for_are_told() -> None:
    specs = (LaneSpec("cold", "fast", {"temperature": 0}), LaneSpec("hot", "fast", {"temperature": 1}, auto=True))
    whole = Recorded(asked(lanes=specs, messages=(Message("assistant", "Yes?"), Message("user", "No."))))
    found = refill(whole, NOW)
    assert found.settings["fast"].temperature == 0
    assert "fast had several lanes: it is asked once, as cold was." in found.notes
    assert "Only its newest message is asked: the page can't give the others along." in found.notes
    names = [f"m{index}" for index in range(14)]
    many = project([model(name) for name in names], namespace="default", name="farm")
    crowd = refill(Recorded(asked(models=tuple(names))), many)
    assert len(crowd.chosen) == 12
    assert "It had 14 lanes, and the page has 12: the first are asked." in crowd.notes
    routed = refill(Recorded(asked(lanes=(replace(specs[1], id="fast"),))), NOW)
    assert routed.notes == ("A router had picked fast: now it is asked itself.",)


def test_another_project_or_none_of_its_models_is_refused() -> None:
    with pytest.raises(RequestError, match="asked by the project other/farm"):
        refill(Recorded(asked(project=ProjectRef("other", "farm"))), NOW)
    with pytest.raises(RequestError, match="None of its models"):
        refill(Recorded(asked(models=("gone",))), NOW)
