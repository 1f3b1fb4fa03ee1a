import pytest

from llamafarm.engine.metrics import Decoding, Instants, complete_usage, decode_speed, timings
from llamafarm.types import Count, Usage


def reported(output: int, reasoning: int | None = None) -> Usage:
    thought = None if reasoning is None else Count(reasoning, "reported")
    return Usage(input=Count(5, "reported"), output=Count(output, "reported"), reasoning=thought)


def test_speed_counts_the_gaps_between_tokens() -> None:
    assert decode_speed([(Decoding(101.0, 103.0), reported(41))]) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("last", "tokens", "known"), [(101.2, 8, True), (101.19, 8, False), (101.2, 7, False), (110.0, 7, False)]
)
def test_no_speed_over_too_little(last: float, tokens: int, known: bool) -> None:
    assert (decode_speed([(Decoding(101.0, last), reported(tokens))]) is not None) is known


def test_speed_starts_at_the_first_reasoning_token() -> None:
    seen = Decoding()
    seen.came(101.0, reasoning=True)
    seen.came(102.0)
    seen.came(103.0)
    assert decode_speed([(seen, reported(21, reasoning=10))]) == pytest.approx(10.0)


def test_hidden_reasoning_is_not_part_of_the_speed() -> None:
    assert decode_speed([(Decoding(105.0, 106.0), reported(121, reasoning=100))]) == pytest.approx(20.0)


def test_speed_over_turns_leaves_out_the_time_between_them() -> None:
    turns = [(Decoding(101.0, 102.0), reported(21)), (Decoding(160.0, 161.0), reported(11))]
    assert decode_speed(turns) == pytest.approx(15.0)
    silent = (Decoding(last=150.0), reported(500))
    assert decode_speed([*turns, silent]) == pytest.approx(15.0)


def test_no_speed_without_tokens_or_content() -> None:
    assert decode_speed([(Decoding(), reported(50))]) is None
    assert decode_speed([(Decoding(101.0, 103.0), Usage())]) is None
    assert decode_speed([]) is None


def test_spans_are_measured_from_the_start() -> None:
    seen = Instants(started=10.0, first_reasoning=10.5, first_text=11.0, ended=12.25, load_s=0.25)
    spans = timings(seen, [], now=99.0, partial=False)
    assert (spans.ttfr_s, spans.ttft_s, spans.total_s, spans.load_s) == (0.5, 1.0, 2.25, 0.25)
    assert spans.tokens_per_s is None


def test_a_lane_that_goes_on_is_measured_until_now() -> None:
    assert timings(Instants(started=10.0), [], now=13.0, partial=False).total_s == 3.0


def test_what_the_server_left_out_is_filled_in_and_marked() -> None:
    guess = Usage(input=Count(9, "estimated"), output=Count(4, "estimated"))
    whole = complete_usage(Usage(input=Count(8, "reported")), guess)
    assert whole == Usage(input=Count(8, "reported"), output=Count(4, "estimated"))
    assert whole.source == "estimated"
