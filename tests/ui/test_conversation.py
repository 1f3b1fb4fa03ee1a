"""Turns, histories and what they cost; what the next message would be."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from llamafarm.config.model import NamedModel, Pricing, Project
from llamafarm.core import display
from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Count, Image, Message, Usage
from llamafarm.engine.lane import Question
from llamafarm.experiments.stats.sample import money
from llamafarm.pricing import PriceBook
from llamafarm.ui.compare.estimate import MessageEstimate, look_ahead, outlook_card
from llamafarm.ui.conversation.conversation import Turn, history, ledger, transcript
from llamafarm.ui.parts.pictures import MOST, MOST_BYTES, media_type, read_pictures, shown
from tests.engine.fakes import model, project
from tests.ui.test_table import reply

ONE = Turn(Question.of("one"), {"a": reply("a", text="uno"), "b": reply("b", text="", status="failed")})
TWO = Turn(Question.of("two"), {"a": reply("a", text="dos", status="stopped")})
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_lane_hears_its_own_words_and_skips_what_it_did_not_answer() -> None:
    assert history([ONE, TWO], "a") == (
        Message("user", "one"), Message("assistant", "uno"), Message("user", "two"), Message("assistant", "dos"),
    )  # fmt: skip
    assert history([ONE, TWO], "b") == ()
    assert history([], "a") == ()


def test_a_transcript_shows_every_turn_and_the_newest_question() -> None:
    text = transcript([ONE, TWO], "b", "three <b>")
    assert "<p><strong>1. one</strong></p>\n\n<p><em>(no answer)</em></p>" in text
    assert "<p><strong>2. two</strong></p>\n\n<p><em>(not asked)</em></p>" in text
    assert text.endswith("<p><strong>3. three &lt;b&gt;</strong></p>")
    assert transcript([], "a", "one") == ""


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ([Cost(Decimal("0.01"), "table"), Cost(Decimal("0.002"), "config")], "$0.0120"),
        ([Cost(Decimal("0.01"), "table", estimated=True), Cost(Decimal(0), "free")], "~$0.0100"),
        ([Cost(Decimal("0.01"), "table"), Cost(None, "unknown")], "$0.0100 + 1 unknown"),
        ([Cost(None, "unknown")], "unknown"),
        ([], "unknown"),
    ],
)
def test_unknown_is_never_zero_in_a_sum(costs: Sequence[Cost], text: str) -> None:
    assert display.money(money(costs)) == text


def test_the_ledger_sums_what_is_known_and_says_what_is_not() -> None:
    unknown = reply("a", usage=Usage(Count(5, "estimated"), None))
    html = ledger([ONE, Turn(Question.of("two"), {"a": unknown})])
    assert "~15 → 20 + ? tokens" in html
    assert '<th scope="row">All turns</th>' in html


def looked(asked: NamedModel, turns: Sequence[Turn], question: Question, window: int | None = None) -> MessageEstimate:
    whole: Project = project([asked])
    [found] = look_ahead(
        whole, [asked], turns, question, price=lambda m, usage: PriceBook().price(m, usage), window=lambda _: window
    )
    return found


def test_the_next_message_is_counted_from_what_the_server_counted() -> None:
    asked = model("a", parameters={"max_tokens": 100}, pricing=Pricing(input=Decimal(10), output=Decimal(20)))
    turn = Turn(Question.of("one"), {"a": reply("a", usage=Usage(Count(1000, "reported"), Count(50, "reported")))})
    found = looked(asked, [turn], Question.of("go on"), window=2000)
    assert found.given is not None
    assert 1050 < found.given < 1070
    assert found.least.usd == Decimal(found.given) / 100_000
    assert found.most is not None
    assert found.most.usd == Decimal(found.given) / 100_000 + Decimal("0.002")
    assert not found.too_long


def test_what_does_not_fit_says_so_first() -> None:
    asked = model("a", parameters={"max_tokens": 100})
    found = looked(asked, [], Question.of("word " * 100), window=150)
    assert found.too_long
    assert "As a follow-up" in outlook_card([found], follows=True)
    assert "May not fit the context of 150 tokens" in outlook_card([found], follows=False)


def test_pictures_are_not_guessed_and_a_missing_variable_leaves_the_lane_out() -> None:
    asked = model("a")
    found = looked(asked, [], Question.of("what?", images=(Image("image/png", PNG),)), window=10)
    assert (found.given, found.too_long, found.least.usd) == (None, False, None)
    assert "pictures: tokens not known" in outlook_card([found], follows=False)


def test_pictures_are_taken_by_what_they_are() -> None:
    [picture] = read_pictures({"files": [{"name": "a.txt", "data": PNG}]})
    assert (picture.image.media_type, picture.size) == ("image/png", 70)
    assert "a.txt · 1 kB" in shown([picture])
    assert media_type(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp"
    assert media_type(b"<svg onload=alert(1)>") is None


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        ({"refused": "Too large."}, "Too large."),
        ({"files": [{"name": "x.png", "data": "d29yZHM="}]}, "x.png is no picture"),
        ({"files": [{"name": "x.png", "data": "***"}]}, "x.png can't be read"),
        ({"files": [{"name": "x.png", "data": PNG}] * (MOST + 1)}, f"{MOST} pictures at most"),
    ],
)
def test_what_is_not_taken(upload: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words.replace(".", r"\.")):
        read_pictures(upload)


def test_all_pictures_together_are_bounded() -> None:
    [one] = read_pictures({"files": [{"name": "x.png", "data": PNG}]})
    heavy = type(one)(one.name, MOST_BYTES, one.image)
    with pytest.raises(RequestError, match="MiB together"):
        read_pictures({"files": [{"name": "x.png", "data": PNG}]}, [heavy])


def partial(name: str) -> Reply:
    return reply(name, status="stopped", text="half")


def test_a_partial_answer_stays_in_the_history() -> None:
    assert history([Turn(Question.of("one"), {"a": partial("a")})], "a")[-1] == Message("assistant", "half")
