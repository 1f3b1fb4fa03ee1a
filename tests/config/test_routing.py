"""`runtime.routing`: what is read, and what is told of what can't be."""

from __future__ import annotations

import pytest

from llamafarm.config import parse
from llamafarm.config.model import Loaded, Routing
from llamafarm.config.patch import routed_text
from llamafarm.core.errors import RequestError

TEXT = """version: v1
name: farm
namespace: default
runtime:
  routing: {routing}
  models:
    - {{name: fast, provider: ollama, model: llama3}}
"""


def read(routing: str) -> Loaded:
    return parse(TEXT.format(routing=routing), trusted=True, environ={})


@pytest.mark.parametrize(
    ("text", "routing"),
    [
        ("", Routing()),
        ("learned", Routing(strategy="learned")),
        ("{strategy: token_budget}", Routing(strategy="token_budget")),
        ("{strategy: learned, budget: 50}", Routing(strategy="learned", budget=50)),
        ("{per_dollar: 2.5, per_second: 0.01, votes: blind}", Routing(per_dollar=2.5, per_second=0.01, votes="blind")),
    ],
)
def test_what_is_written_is_read(text: str, routing: Routing) -> None:
    loaded = read(text)
    assert loaded.project is not None
    assert loaded.project.routing == routing
    assert (loaded.errors, loaded.warnings) == ((), ())


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        ("{strategy: learnt}", "runtime.routing.strategy", "did you mean `learned`?"),
        ("random", "runtime.routing.strategy", "There is no strategy `random`; there is: `complexity`"),
        ("{strategy: [learned]}", "runtime.routing.strategy", "There is no strategy"),
        ("{budget: -1}", "runtime.routing.budget", "greater than or equal to 0"),
        ("{budget: lots}", "runtime.routing.budget", "number"),
        ("{budget: .inf}", "runtime.routing.budget", "finite"),
        ("{budget: 5, per_dollar: 1}", "runtime.routing.per_dollar", "Both"),
        ("{votes: mine}", "runtime.routing.votes", "'all', 'blind' or 'open'"),
        ("[learned]", "runtime.routing", "list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_rest_is_used(text: str, key: str, told: str) -> None:
    loaded = read(text)
    assert loaded.project is not None
    assert [(each.line, each.key) for each in loaded.errors] == [(5, key)]
    assert told in loaded.errors[0].message
    assert loaded.project.model("fast") is not None


def test_a_key_that_is_none_is_a_warning() -> None:
    (warning,) = read("{strategy: learned, budgets: 5}").warnings
    assert warning.key == "runtime.routing.budgets"
    assert "did you mean `budget`?" in warning.message


PATCHED = TEXT.replace("  routing: {routing}\n", "{routing}")


@pytest.mark.parametrize(
    "before", ["", "  routing: learned\n", "  routing: {strategy: complexity, budget: 5}  # mine\n", "  routing:\n"]
)
def test_the_dial_is_written_and_the_rest_stays(before: str) -> None:
    text = PATCHED.format(routing=before)
    after = routed_text(text, "llamafarm.yaml", {"strategy": "learned", "per_dollar": 20.5})
    loaded = parse(after, trusted=True, environ={})
    assert loaded.project is not None
    assert loaded.project.routing == Routing(strategy="learned", per_dollar=20.5)
    assert [(model.name, model.model) for model in loaded.project.models] == [("fast", "llama3")]
    assert loaded.errors == ()


@pytest.mark.parametrize("text", ["- a\n", "name: x\n", "runtime: 3\n"])
def test_what_has_no_place_for_a_dial_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        routed_text(text, "llamafarm.yaml", {"strategy": "learned"})
    with pytest.raises(RequestError, match="Only YAML"):
        routed_text("{}", "llamafarm.json", {"strategy": "learned"})
