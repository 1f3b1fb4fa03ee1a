"""A past comparison as HTML: the figures that were recorded, as the Compare tab writes them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

from llamafarm.core.conditions import Sharing, WarmUp
from llamafarm.core.types import Image, Message, Route, SentRequest, Timings
from llamafarm.history.diff import difference
from llamafarm.history.model import LaneSpec, Recorded, Vote
from llamafarm.ui.compare.table import table
from llamafarm.ui.history.diff import difference_view
from llamafarm.ui.history.view import kept_lanes, opened_view
from llamafarm.ui.parts.cards import lane_foot
from tests.engine.fakes import model, project
from tests.history.database.made import START, asked, ended

EVIL = '"><img src=x onerror="alert(1)">'


def parsed(shown: str) -> ET.Element:
    return ET.fromstring(f"<div>{shown}</div>")  # noqa: S314 - our own


def recorded(**changes: Any) -> Recorded:
    whole = asked(f"Why {EVIL}?", routes=(Route("complexity", "fast", "Short."),), **changes)
    return Recorded(whole, (ended(whole, text=f"Grass. {EVIL}"), ended(whole, "wise", "Hay.")))


def test_the_table_is_the_compare_tabs_with_the_recorded_figures() -> None:
    whole = recorded()
    then = project([model("fast"), model("wise", base_url="http://127.0.0.1:8/v1")])
    shown = opened_view(whole, then)
    replies = [lane.reply for lane in whole.lanes]
    assert table(replies, whole.asked.routes, "fast") in shown
    page = parsed(shown)
    assert page.findtext(".//pre") == f"Why {EVIL}?"
    assert page.find(".//h2").text == "Asked before"  # type: ignore[union-attr]
    assert not page.findall(".//img")
    assert "Short." in shown
    assert "share one server" in opened_view(whole, project([model("fast"), model("wise")]))


def test_reports_and_what_is_known_of_its_times_stand_there() -> None:
    whole = recorded()
    assert opened_view(whole, None).count(f'href="report/{whole.asked.id}"') == 1
    assert "Report of its run" not in opened_view(whole, None)
    assert 'href="report/0run"' in opened_view(recorded(run="0run", item="1"), None)
    fair = [
        replace(lane, reply=replace(lane.reply, sharing=Sharing("http://x:1", 0), warmup=WarmUp("fast", 1.0)))
        for lane in whole.lanes
    ]
    shown = opened_view(replace(whole, lanes=tuple(fair)), project([model("fast"), model("wise")]))
    assert "share one server" not in shown
    assert "fast was warmed before: 1.00 s, cost unknown." in shown


def test_a_card_has_all_that_was_kept() -> None:
    whole = recorded(parent="0parent")
    sent = SentRequest("POST", "http://x/v1", {"authorization": "Bearer ***"}, {"model": "x"})
    lane = ended(whole.asked, sent=sent, parameters={"temperature": 0.5})
    first = replace(lane, id="0", reply=replace(lane.reply, text="An earlier word.", timings=Timings(ttft_s=9.0)))
    spec = LaneSpec(
        "fast", "fast", system="Be brief.", history=(Message("user", "Before?"), Message("assistant", "Yes."))
    )
    whole = replace(whole, lanes=(replace(lane, spec=spec), whole.lanes[1]), earlier=(first,))
    fast, wise = kept_lanes(whole, None)
    assert lane_foot(lane.reply) in fast.foot
    for words in (
        "Be brief.",
        '{"temperature": 0.5}',
        "Bearer ***",
        "An earlier try",
        "An earlier word.",
        "TTFT 9.00 s",
    ):
        assert words in ET.tostring(parsed(fast.foot), encoding="unicode").replace("&quot;", '"')
    assert "Cost, fixed on 2026-11-24: per million; table genai-prices 0.2.3" in fast.foot
    assert "Earlier in its conversation (2 messages)" in fast.head
    assert "openai · fast-1" in fast.head
    assert "earlier try" not in wise.foot
    assert 'data-comparison="0parent"' in opened_view(whole, None)


def test_what_answered_in_its_place_does_not_lend_it_its_name() -> None:
    whole = recorded()
    lane = ended(whole.asked, model="spare", provider="ollama", model_id="spare-9")
    whole = replace(whole, lanes=(lane,))
    assert "openai · fast-id" in kept_lanes(whole, project([model("fast")]))[0].head
    unknown = kept_lanes(whole, None)[0].head
    assert "no provider" in unknown
    assert "spare-9" not in unknown


def test_lanes_that_never_ended_and_pictures_are_shown() -> None:
    picture = Message(
        "user", "What is it?", images=(Image("image/png", 'AAAA" onerror="x'), Image("text/html", "AAAA"))
    )
    whole = Recorded(asked(messages=(picture,)), ())
    assert [lane.foot for lane in kept_lanes(whole, None)] == [
        '<div class="lf-lane-foot">never ended: it still runs, or its process was stopped</div>'
    ] * 2
    page = parsed(opened_view(whole, None))
    assert [image.get("src") for image in page.findall(".//img")] == ['data:image/png;base64,AAAA" onerror="x']


def test_a_lane_beside_its_model_and_more_lanes_than_cards() -> None:
    names = tuple(f"m{index}" for index in range(14))
    whole = asked(models=names)
    many = Recorded(whole, tuple(ended(whole, name) for name in names))
    assert len(kept_lanes(many, None)) == 12
    assert "2 more lanes are in the table" in opened_view(many, None)
    twice = asked()
    hot = replace(ended(twice), spec=LaneSpec("hot", "fast"))
    assert "hot (fast)" in kept_lanes(Recorded(twice, (hot,)), None)[0].head


def test_a_vote_is_told() -> None:
    whole = replace(recorded(), vote=Vote("best", "wise", blind=True, voted_at=START))
    assert "wise is best (blind)" in opened_view(whole, None)


def test_two_side_by_side_mark_estimates_and_differences() -> None:
    first = recorded()
    second = Recorded(
        first.asked, (ended(first.asked, text=f"Hay! {EVIL}", timings=Timings(ttft_s=0.5, tokens_per_s=20.0)),)
    )
    shown = difference_view(first, second, difference(first, second))
    page = parsed(shown)
    assert "The same was asked." in shown
    assert "only in the first" in shown
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in page.findall(".//table/tr")}
    assert rows["TTFT"] == ["250 ms", "500 ms"]
    assert rows["Tokens/s"] == ["~16.0 tok/s", "~20.0 tok/s"]
    assert [line.text for line in page.findall(".//span[@class='lf-added']")] == [f"+Hay! {EVIL}\n"]
    assert not page.findall(".//img")
    alike = difference_view(first, first, difference(first, first))
    assert "The same was asked and answered." in alike
    other = replace(first, asked=replace(first.asked, parameters={"temperature": 0.5}))
    assert "parameter temperature" in difference_view(first, other, difference(first, other))
