import pytest

from llamafarm.config.sections.template import Variable, render, variables
from llamafarm.core.errors import RequestError


def test_required_and_optional() -> None:
    text = "Hello {{ name }}, you are {{mood | happy}} in {{ place|'the garden' }}{{ end | }}."
    assert variables([text]) == (
        Variable("name", None),
        Variable("mood", "happy"),
        Variable("place", "the garden"),
        Variable("end", ""),
    )
    assert render(text, {"name": "Ada"}) == "Hello Ada, you are happy in the garden."
    assert render(text, {"name": "Ada", "mood": "sad", "place": None}) == "Hello Ada, you are sad in ."


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (1, "1"), (1.5, "1.5"), (True, "true"), (None, "")])
def test_values(value: str | float | bool | None, text: str) -> None:
    assert render("{{ x }}", {"x": value}) == text


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_lists_and_objects_are_refused(value: object) -> None:
    with pytest.raises(RequestError, match="x must be text"):
        render("{{ x }}", {"x": value})  # type: ignore[dict-item]  # what a caller may send


def test_all_missing_ones_are_named() -> None:
    with pytest.raises(RequestError, match="a value for: x, y"):
        render("{{ x }} {{ y }} {{ z | 1 }}", {})


def test_what_is_filled_in_is_not_read_again() -> None:
    assert render("{{ x }}", {"x": "{{ y }}"}) == "{{ y }}"


@pytest.mark.parametrize("text", ["{ x }", "{{}}", "{{ 1x }}", "{{ x", "{% x %}", "{{ a b }}"])
def test_what_is_no_variable_stays(text: str) -> None:
    assert variables([text]) == ()
    assert render(text, {}) == text
