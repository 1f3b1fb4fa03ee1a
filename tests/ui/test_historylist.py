"""The list of past comparisons as HTML: every figure with its mark, and nothing of a prompt steers the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.core.types import Timings
from llamafarm.history.model import ProjectRef, Vote
from llamafarm.history.query import Brief, Filter, Found, LaneBrief
from llamafarm.ui.history.list import Search, list_view, vote_words
from llamafarm.ui.parts.markup import Markup

EVIL = '"><img src=x onerror="alert(1)">'
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def brief(*lanes: LaneBrief, names: tuple[str, ...] = ("fast", "wise")) -> Brief:
    return Brief("01abc", "compare", AT, ProjectRef("default", "farm"), f"Why {EVIL}?", names, lanes)


def lane(name: str, ttft_s: float | None, usd: str | None = "0.001", **changes: Any) -> LaneBrief:
    cost = None if usd is None else Decimal(usd)
    return replace(LaneBrief(name, name, "done", ttft_s, 1.0, cost, "table"), **changes)


def cells(*items: Brief, hidden: tuple[str, ...] = ()) -> list[str]:
    shown = list_view(Found(items), Search(), hidden, first=True, shared=False)
    page = ET.fromstring(f"<div>{shown}</div>")  # noqa: S314 - our own
    return ["".join(cell.itertext()) for cell in page.findall(".//tbody/tr/*")]


def test_a_row_tells_the_best_of_what_ended_and_marks_what_is_not_sure() -> None:
    shown = cells(brief(lane("fast", 0.5), lane("wise", 0.25, estimated=True)))
    assert shown[3:] == ["fast, wise", "default/farm", "compare", "250 ms", "~$0.00200", ""]
    staged = cells(brief(lane("fast", 0.5), lane("wise", 0.01, staged=True)))
    assert staged[3] == "fast, wisestaged fault"
    assert staged[6] == "500 ms"
    broken = cells(brief(lane("fast", 0.1, None, status="failed")))
    assert broken[3] == "fast, wisefast failed; wise never ended"
    assert broken[6:8] == ["–", "unknown"]
    assert cells(brief(lane("fast", 0.1)))[7] == "$0.00100 + 1 unknown"


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({}, "250 ms"),
        ({"timings": Timings(ttft_s=0.35, load_s=0.1)}, "250 mswith 100 ms loading"),
        ({"retries": 1, "lost_s": 0.1, "ttft_lost_s": 0.1}, "250 mswith 100 ms lost to a failed try"),
        ({"reconnects": 2, "ttft_lost_s": 0.0001}, "250 mswith under 1 ms lost to 2 closed connections"),
        ({"fallbacks": 1, "ttft_lost_s": 2.0}, "250 mswith 2.00 s lost to a model that failed before"),
        ({"retries": 1, "lost_s": 0.1}, "250 ms"),  # after the first token
        (
            {"timings": Timings(ttft_s=0.25, ttft_lag_s=0.02), "retries": 3, "ttft_lost_s": 0.1},
            "250 mswith 100 ms lost to 3 failed tries; the playground itself was up to 20 ms late",
        ),
        ({"timings": Timings(ttft_s=0.25, ttft_lag_s=0.004)}, "250 ms"),
    ],
)
def test_what_a_best_time_has_in_it_stands_at_the_figure(changes: dict[str, Any], marked: str) -> None:
    assert cells(brief(lane("fast", 0.25, **changes), lane("wise", None)))[6] == marked


def test_a_doubtful_time_is_best_only_where_all_are() -> None:
    late = Timings(ttft_s=0.1, ttft_lag_s=0.05)
    assert cells(brief(lane("fast", 0.1, timings=late), lane("wise", 0.5)))[6] == "500 ms"
    assert cells(brief(lane("fast", 0.1, timings=late), lane("wise", None)))[6].startswith("100 mswith the playground")


def test_a_prompt_is_shown_as_text_and_opens_by_its_link() -> None:
    shown = list_view(Found((brief(lane("fast", 0.1)),)), Search(), (), first=True, shared=False)
    page = ET.fromstring(f"<div>{shown}</div>")  # noqa: S314 - our own
    (link,) = page.findall(".//tbody//a")
    assert (link.get("href"), link.get("data-comparison")) == ("?comparison=01abc", "01abc")
    assert link.text == f"Why {EVIL}?"
    assert not page.findall(".//img")


def test_while_a_vote_is_open_nothing_tells_the_models() -> None:
    shown = cells(brief(lane("fast", 0.5), lane("wise", 0.25)), hidden=("01abc",))
    assert shown[3:] == ["hidden until the vote", "default/farm", "compare", "–", "–", ""]


def test_an_empty_list_says_so() -> None:
    nothing = Found(())
    assert "Nothing yet." in list_view(nothing, Search(), (), first=True, shared=False)
    assert "Nothing was found." in list_view(nothing, Search(text="zebra"), (), first=True, shared=False)
    assert "Nothing older." in list_view(nothing, Search(), (), first=False, shared=False)
    assert "Everybody who can open this page" in list_view(nothing, Search(), (), first=True, shared=True)


def test_a_search_is_a_filter_and_an_address() -> None:
    search = Search(
        text=" gra & ss ", project="default/farm", model="", kind="chat", since="2026-11-24", until="2026-11-24"
    )
    wanted = search.filter()
    assert (wanted.text, wanted.project, wanted.model, wanted.kind) == ("gra & ss", "default/farm", None, "chat")
    assert wanted.since is not None
    assert wanted.until is not None
    assert (wanted.until - wanted.since).days == 1
    assert parse_qs(urlsplit(search.query("jsonl")).query)["text"] == [" gra & ss "]
    assert Search().filter() == Filter()
    with pytest.raises(RequestError, match="no date"):
        Search(since="yesterday").filter()
    with pytest.raises(RequestError, match="no date"):
        Search(until="9999-12-31").filter()
    with pytest.raises(RequestError, match="no kind"):
        Search(kind="nonsense").filter()


@pytest.mark.parametrize(
    ("vote", "words"),
    [
        (Vote("best", "fast", blind=True, voted_at=AT), "fast is best (blind)"),
        (Vote("tie", None, blind=False, voted_at=AT), "a tie"),
        (Vote("bad", None, blind=False, voted_at=AT), "all bad"),
    ],
)
def test_votes_in_words(vote: Vote, words: str) -> None:
    assert vote_words(vote) == words
    assert not isinstance(vote_words(vote), Markup)
