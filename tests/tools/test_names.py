"""The names by which models call tools."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamafarm.tools.names import VALID, call_names

NAME = st.one_of(
    st.sampled_from(["look", "look.up", "look_up", "a", "a__look", "x" * 64, "x" * 80]), st.text(max_size=70)
)
PAIRS = st.lists(st.tuples(NAME, NAME), unique=True, max_size=12)


@given(PAIRS, st.sets(NAME, max_size=4))
def test_every_name_is_valid_unique_and_not_taken(pairs: list[tuple[str, str]], taken: set[str]) -> None:
    names = call_names(pairs, taken)
    assert len(names) == len(pairs)
    assert len(set(names)) == len(names)
    assert all(VALID.fullmatch(name) for name in names)
    assert not taken.intersection(names)


@given(PAIRS)
def test_the_order_of_the_servers_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    named = dict(zip(pairs, call_names(pairs), strict=True))
    turned = list(reversed(pairs))
    assert dict(zip(turned, call_names(turned), strict=True)) == named


def test_a_name_of_its_own_is_kept() -> None:
    assert call_names([("fs", "read_file"), ("db", "query")]) == ["read_file", "query"]


def test_a_name_that_two_have_tells_the_server() -> None:
    assert call_names([("fs", "look"), ("db", "look")]) == ["fs__look", "db__look"]
    assert call_names([("fs", "look")], taken={"look"}) == ["fs__look"]
    assert call_names([("my fs", "look.up")]) == ["my_fs__look_up"]


def test_what_is_too_long_or_alike_ends_in_a_digest() -> None:
    long, one, two = call_names([("fs", "x" * 100), ("a b", "c.d"), ("a-b".replace("-", "."), "c.d")])
    assert len(long) == 64
    assert one.startswith("a_b__c_d_")
    assert one != two
