import pytest

from llamafarm.core.types import Count, Usage
from llamafarm.engine.fold.metrics import Decoding, Instants, complete_usage, decode_speed, timings


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


def test_what_is_held_back_takes_its_time() -> None:
    seen = Decoding()
    seen.came(101.0)
    seen.came(102.0, "Here it is.")
    seen.came(103.0, " Good.")
    assert decode_speed([(seen, reported(41))]) == pytest.approx(20.0)


def test_a_lump_at_the_first_instant_has_no_time() -> None:
    """Twenty words at once, as a call of a tool or what a server held back, and then twenty in a second."""
    seen = Decoding()
    seen.came(101.0, "one two three four five ")
    seen.came(101.0, "six seven eight nine ten " * 3)
    seen.came(102.0, "and more")
    assert seen.lump == 20
    assert decode_speed([(seen, reported(40))]) == pytest.approx(20.0)


def test_a_turn_that_came_at_once_has_no_speed() -> None:
    seen = Decoding()
    seen.came(101.0, "all of it")
    assert decode_speed([(seen, reported(400))]) is None
    streamed = (Decoding(101.0, 102.0), reported(21))
    assert decode_speed([(seen, reported(400)), streamed]) == pytest.approx(20.0)


def test_tokens_that_nobody_saw_have_no_speed() -> None:
    """A server that counts reasoning, but neither shows it nor tells how much of it there was."""
    assert decode_speed([(Decoding(101.0, 102.0, seen=10), reported(500))]) is None
    assert decode_speed([(Decoding(101.0, 102.0, seen=10), reported(21))]) == pytest.approx(20.0)
    summary = Decoding(101.0, 102.0, first_reasoning=101.0, seen=30)
    assert decode_speed([(summary, reported(1000, reasoning=980))]) is None


def test_waiting_at_the_server_is_told_and_taken_off() -> None:
    seen = Instants(started=10.0, first_text=16.5, ended=20.0, queue_s=0.5, server_queue_s=5.5)
    spans = timings(seen, [], now=99.0, partial=False)
    assert (spans.server_queue_s, spans.waited_s) == (5.5, 6.0)
    assert (spans.ttft_s, spans.served_ttft_s, spans.served_total_s) == (6.5, 0.5, 4.0)


def test_a_wait_longer_than_the_ttft_was_none_before_it() -> None:
    seen = Instants(started=10.0, first_text=11.0, ended=20.0, server_queue_s=5.5)
    spans = timings(seen, [], now=99.0, partial=False)
    assert (spans.server_queue_s, spans.served_ttft_s) == (None, 1.0)


def test_reasoning_is_never_more_than_the_output_that_holds_it() -> None:
    guess = Usage(output=Count(40, "estimated"), reasoning=Count(30, "estimated"))
    whole = complete_usage(Usage(output=Count(20, "reported"), doubts=("so",)), guess)
    assert (whole.reasoning, whole.doubts) == (Count(20, "estimated"), ("so",))
