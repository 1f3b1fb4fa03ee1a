from collections.abc import Mapping

import pytest

from llamafarm.config import load, sample_path
from llamafarm.config.model import Project
from llamafarm.routing import complexity, suggest, token_budget
from tests.engine.fakes import model, project


def of(names: Mapping[str, str | None], default: str | None = None, broken: str = "") -> Project:
    from llamafarm.core.errors import Problem  # noqa: PLC0415 - only here

    problems = (Problem(1, "k", "m"),)
    models = [model(name, tier=tier, problems=problems if name == broken else ()) for name, tier in names.items()]
    return project(models, default_model=default or next(iter(names)))


TIERS = of({"default": None, "fast": None, "expert": None})


# the documentation's function, as it stands there
def documented(query: str) -> str:
    if len(query) < 50 and "?" in query:
        return "fast"
    if any(word in query.lower() for word in ("analyze", "compare", "explain why", "evaluate")):
        return "expert"
    return "default"


@pytest.mark.parametrize(
    "prompt",
    [
        "Hello",
        "What is the capital of France?",
        "x" * 49 + "?",
        "x" * 48 + "?",
        "Analyze the market for llamas in Peru",
        "Please COMPARE hay and grass as fodder",
        "explain why the sky is blue in the daytime",
        "Compare A and B?",
        "Evaluate this plan: first hay, then grass, then water. Which of them is best for llamas?",
        "Tell me a long story about a llama that walks over the mountains to the sea",
    ],
)
def test_complexity_does_what_the_documentation_says(prompt: str) -> None:
    assert complexity(prompt, TIERS).model == documented(prompt)


@pytest.mark.parametrize(
    ("prompt", "model"),
    [
        ("An incomparable and comparison-free story", "default"),
        ("Analysing this would help, I believe, in the long run", "expert"),
        ("巴黎在哪里？", "fast"),
        ("", "default"),
        ("   ", "default"),
    ],
)
def test_complexity_takes_whole_words_and_other_scripts(prompt: str, model: str) -> None:
    assert complexity(prompt, TIERS).model == model


def test_the_reason_tells_the_signals_and_the_mapping() -> None:
    route = complexity("Is it?", of({"medium": None, "instant": None}))
    assert route.model == "instant"
    assert "6 characters" in route.reason
    assert "“instant” stands for fast" in route.reason
    assert route.signals == {"tier": "fast", "characters": 6, "question_mark": True, "keywords": []}


@pytest.mark.parametrize(("words", "model"), [(10, "fast"), (800, "default"), (3000, "powerful")])
def test_token_budget(words: int, model: str) -> None:
    tiers = of({"default": None, "fast": None, "powerful": None})
    assert token_budget("llama " * words, tiers).model == model


@pytest.mark.parametrize(
    ("names", "expert", "how"),
    [
        ({"a": "expert", "expert": None}, "a", "gives it the tier"),
        ({"a": None, "powerful": None}, "powerful", "stands for expert"),
        ({"a": None, "my-large-one": None}, "my-large-one", "“large” in its name"),
        ({"a": None, "enlarged": None}, "a", "no model of the expert tier"),
        ({"a": "fast", "expert": "fast"}, "a", "no model of the expert tier"),
    ],
)
def test_tiers_are_mapped_and_never_guessed(names: dict[str, str | None], expert: str, how: str) -> None:
    route = complexity("Analyze this at length, please, with all that belongs to it", of(names))
    assert route.model == expert
    assert how in route.reason


def test_a_model_that_cannot_be_used_is_not_picked() -> None:
    assert complexity("Who?", of({"default": None, "fast": None}, broken="fast")).model == "default"
    route = complexity("Who?", of({"a": None, "b": None}, default="a", broken="a"))
    assert (route.model, "no default that can be used" in route.reason) == ("b", True)


@pytest.mark.parametrize(
    ("sample", "question", "analysis"),
    [
        ("basic", "fast", "expert"),
        ("speed_tiers", "instant", "powerful"),
        ("local_cloud_hybrid", "local", "cloud"),
        ("task_specific", "general", "analyst"),
        ("embedded", "fast", "expert"),
    ],
)
def test_the_samples_tiers(sample: str, question: str, analysis: str) -> None:
    whole = load(sample_path(sample), environ={"OPENAI_API_KEY": "k"}).project
    assert whole is not None
    assert complexity("What is hay?", whole).model == question
    assert complexity("Please analyze the history of hay at some length", whole).model == analysis


def test_suggest_gives_every_strategy() -> None:
    assert [route.strategy for route in suggest("Hi", TIERS)] == ["complexity", "token_budget"]


def test_a_very_long_prompt_is_looked_at_where_its_instructions_stand() -> None:
    filler = "hay " * 200_000
    assert complexity(f"Analyze this: {filler}", TIERS).model == "expert"
    assert complexity(f"{filler} Now compare them.", TIERS).model == "expert"
    assert complexity(filler, TIERS).model == "default"
