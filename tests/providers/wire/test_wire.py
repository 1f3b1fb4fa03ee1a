from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.errors import BadAnswer
from llamafarm.providers.wire.lines import MAX_LINE, Lines
from llamafarm.providers.wire.records import Record, Records
from llamafarm.providers.wire.thinking import Thinking
from tests.faultserver.speech import answer, chunk, record

STREAM = (
    "\ufeff: a comment\r\n\r\n".encode()
    + b"".join(answer("openai", "Llamas", " spit\u2028, ", "\U0001f999"))
    + b"event: error\rdata:no space\rdata: second line\r\r"
    + b"id: 7\nretry: 10\n\nnonsense\ndata\n\n"
    + b"data: [DONE]"
)
NDJSON = b"".join(answer("ollama", "Llamas", " spit\u2028, ", "\U0001f999")) + b"\r\n\n" + record({"content": "x"})[:-1]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def events(parts: list[bytes]) -> list[Record]:
    stream = Records()
    return [told for part in parts for told in stream.feed(part)] + list(stream.end())


def records(parts: list[bytes]) -> list[str]:
    decoder = Records()
    told = [each for part in parts for each in decoder.feed(part)] + list(decoder.end())
    return [each.data for each in told]


def lines(parts: list[bytes]) -> list[str]:
    decoder = Lines()
    return [text for part in parts for text in decoder.feed(part)] + list(decoder.end())


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_any_split_of_a_stream_gives_the_same_events(cuts: list[int]) -> None:
    assert events(split(STREAM, cuts)) == events([STREAM])


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_any_split_of_ndjson_gives_the_same_records(cuts: list[int]) -> None:
    assert records(split(NDJSON, cuts)) == records([NDJSON])


@pytest.mark.parametrize(("decode", "data"), [(events, STREAM), (records, NDJSON)])
def test_byte_by_byte(decode: Callable[[list[bytes]], list[object]], data: bytes) -> None:
    assert decode([data[at : at + 1] for at in range(len(data))]) == decode([data])


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=10))
def test_any_bytes_in_any_split(data: bytes, cuts: list[int]) -> None:
    assert lines(split(data, cuts)) == lines([data])


PARTS = ["data: a", "data:b", "data", "data: [DONE]", "event: e", ": c", "id: 1", "\n", "\n\n", "\r\n", "\r", "\ufeff"]


@given(st.lists(st.sampled_from(PARTS), max_size=30), st.lists(st.integers(min_value=0), max_size=10))
def test_whole_events_are_told_as_their_bytes_one_by_one(parts: list[str], cuts: list[int]) -> None:
    data = "".join(parts).encode()
    assert events(split(data, cuts)) == events([data[at : at + 1] for at in range(len(data))])


def test_what_the_stream_says() -> None:
    told = events([STREAM])
    assert [each.data[:6] for each in told[:3]] == ['{"id":', '{"id":', '{"id":']
    assert told[-3:] == [
        Record("error", "no space\nsecond line"),
        Record("message", ""),
        Record("message", "[DONE]"),
    ]
    assert "spit\u2028, " in told[1].data


def test_only_line_ends_end_lines() -> None:
    assert lines(["a\u2028b\x0bc\x0c\x1c\x85d\re\r\nf\n\ng".encode()]) == [
        "a\u2028b\x0bc\x0c\x1c\x85d",
        "e",
        "f",
        "",
        "g",
    ]


def test_a_cr_at_a_chunks_end_takes_the_lf_of_the_next() -> None:
    assert lines([b"a\r", b"\nb\r", b"c"]) == ["a", "b", "c"]


def test_bytes_that_are_no_utf8_lose_one_character_alone() -> None:
    assert lines([b"a\xff", b"\xe2\x82", b"\xacb\n"]) == ["a\ufffd\u20acb"]


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    decoder = Lines()
    piece = b"x" * (MAX_LINE // 4)

    def feed() -> Iterator[str]:
        for _ in range(5):
            yield from decoder.feed(piece)

    with pytest.raises(BadAnswer, match="16 MiB"):
        list(feed())


@pytest.mark.parametrize("size", [1000, 2**16, 3 * MAX_LINE])
def test_a_long_line_among_short_ones_is_told_in_any_split(size: int) -> None:
    data = b"short\n" + b"y" * MAX_LINE + b"\nshort\nrest"
    found = lines([data[at : at + size] for at in range(0, len(data), size)])
    assert [len(line) for line in found] == [5, MAX_LINE, 5, 4]


def test_lines_before_one_that_is_too_long_are_told() -> None:
    seen: list[str] = []
    with pytest.raises(BadAnswer, match="16 MiB"):
        seen.extend(Lines().feed(b"a\nb\n" + b"y" * (MAX_LINE + 1) + b"\nc\n"))
    assert seen == ["a", "b"]


def test_a_line_of_ten_megabytes_in_small_pieces() -> None:
    data = chunk({"content": "y" * 10_000_000})
    (told,) = events([data[at : at + 4096] for at in range(0, len(data), 4096)])
    assert len(told.data) > 10_000_000


def test_an_event_without_end_is_refused_before_it_fills_the_memory() -> None:
    stream = Records()
    piece = b"data: " + b"x" * (MAX_LINE // 8) + b"\n"
    assert sum(len(list(stream.feed(piece + b"\n"))) for _ in range(10)) == 10
    with pytest.raises(BadAnswer, match="an event of more than 16 MiB"):
        _ = [list(stream.feed(piece)) for _ in range(10)]


def test_a_hundred_thousand_blank_lines_before_the_answer() -> None:
    for answer_text in ("x", "<think>x</think>"):
        thinking = Thinking()
        pieces = [piece for text in (*["\n"] * 100_000, answer_text) for piece in thinking.feed(text)]
        assert [len(piece.text) for piece in pieces] == [100_001 if answer_text == "x" else 1]


THINKING = [
    ("<think>why</think>because", "why", "because"),
    ("  \n<think>\nwhy\n</think>\n\nbecause", "\nwhy\n", "because"),
    ("no <think>tag</think> here", "", "no <think>tag</think> here"),
    ("<think>never ends", "never ends", ""),
    ("<thin", "", "<thin"),
    ("<think></think>", "", ""),
    ("<think>a</thin b</think>c", "a</thin b", "c"),
    ("", "", ""),
    ("  x", "", "  x"),
]


MARKED = [
    ("okay, so\n</think>\n\nbecause", "okay, so\n", "because"),
    ("why</think>because", "why", "because"),
    ("</think>\n\nbecause", "", "because"),
    ("why</THINK>because", "why", "because"),
    ("<Thinking>why</thinking>because", "why", "because"),
    ("<thought>why</thought>because", "why", "because"),
    ("<reasoning>\nwhy</reasoning>\nbecause", "\nwhy", "because"),
    ("<seed:think>why</seed:think>because", "why", "because"),
    ("[THINK]why[/THINK]because", "why", "because"),
    ("why[/THINK]because", "why", "because"),
    ("◁think▷why◁/think▷because", "why", "because"),
    ("<|begin_of_thought|>why<|end_of_thought|>\n<|begin_of_solution|>\nbecause<|end_of_solution|>", "why",
     "because"),
    ("<|START_THINKING|>why<|END_THINKING|><|START_RESPONSE|>because<|END_RESPONSE|>", "why", "because"),
    ("<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>because<|return|>", "why",
     "because"),
    ("<|start|>assistant<|channel|>analysis<|message|>why<|end|>\n<|start|>assistant<|channel|>final<|message|>because",
     "why", "because"),
    ("<|channel|>final<|message|>because", "", "because"),
    ("<|channel|>analysis<|message|>why never ends", "why never ends", ""),
    ("In code: `</think>` ends it.", "", "In code: `</think>` ends it."),
    ("So:\n```\n</think>\n```\nand on", "", "So:\n```\n</think>\n```\nand on"),
    ("So:\n~~~~\n</think>\n~~~\n</think>\n~~~~\n", "", "So:\n~~~~\n</think>\n~~~\n</think>\n~~~~\n"),
    ("It's `one\n\ntwo\n</think>\nso", "It's `one\n\ntwo\n", "so"),
    ("```\nx\n```\n</think>so", "```\nx\n```\n", "so"),
    ("Use <think> and </think> around it.", "", "Use <think> and </think> around it."),
    ("a < b [1] </thin", "", "a < b [1] </thin"),
    ("<thinker>x</thinker>", "", "<thinker>x</thinker>"),
    ("why</think>because</think>too", "why", "because</think>too"),
]  # fmt: skip


def thought(parts: list[str]) -> tuple[str, str]:
    """The reasoning and the answer in a text that comes in `parts`."""
    thinking = Thinking()
    reasoning = visible = calls = ""
    for part in (*parts, None):
        if part is not None and thinking.plain(part):
            visible += part
            continue
        for piece in thinking.end() if part is None else thinking.feed(part):
            if piece.call:
                calls += f"{piece.number}{piece.call}" if not piece.text else piece.text
            elif piece.before:
                reasoning, visible = reasoning + visible, ""
            elif piece.reasoning:
                reasoning += piece.text
            else:
                visible += piece.text
    return reasoning, visible + calls


@pytest.mark.parametrize(("text", "reasoning", "visible"), [*THINKING, *MARKED])
def test_thinking_is_told_apart_wherever_it_is_split(text: str, reasoning: str, visible: str) -> None:
    for size in range(1, len(text) + 2):
        assert thought([text[at : at + size] for at in range(0, len(text), size)]) == (reasoning, visible)


def test_words_of_an_answer_take_the_short_way() -> None:
    thinking = Thinking()
    assert "".join(piece.text for piece in thinking.feed("Llamas")) == "Llamas"
    assert thinking.plain(" eat grass, and")
    assert not thinking.plain(" a < b")


CALL = "<|channel|>commentary to=functions.look <|constrain|>json<|message|>"
CALLS: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    (f'{CALL}{{"x": 1}}<|call|>', "", "", [("look", '{"x": 1}')]),
    (f'{CALL}{{"x": 1}}', "", "", [("look", '{"x": 1}')]),
    (f'<|channel|>analysis<|message|>hm<|end|><|start|>assistant{CALL}{{"x": 1}}<|call|>', "hm", "",
     [("look", '{"x": 1}')]),
    ('<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{"x": 1}<|call|>', "", "",
     [("look", '{"x": 1}')]),
    (' to=functions.look<|channel|>commentary <|constrain|>json<|message|>{"x": 1}<|call|>', "", "",
     [("look", '{"x": 1}')]),
    (f'{CALL}{{"x": 1}}<|call|><|start|>assistant{CALL}{{"x": 2}}<|call|>', "", "",
     [("look", '{"x": 1}'), ("look", '{"x": 2}')]),
    (f"{CALL}{{}}\n<|call|>", "", "", [("look", "{}\n")]),
    (f'{CALL}{{"x": <|call|>', "", "", [("look", '{"x": ')]),
    (f'{CALL}{{"a": "<b> </think> `"}}<|call|>', "", "", [("look", '{"a": "<b> </think> `"}')]),
    ("<|channel|>analysis to=python code<|message|>print(1)<|call|>", "", "", [("python", "print(1)")]),
    ("<|channel|>commentary to=browser.search<|message|>{}<|call|>", "", "", [("browser.search", "{}")]),
    ("<|channel|>commentary to=functions.get-it.now<|message|>{}<|call|>", "", "", [("get-it.now", "{}")]),
    (f"{CALL}<|call|><|start|>assistant<|channel|>final<|message|>so", "", "so", [("look", "")]),
    ("<|channel|>commentary to=user<|message|>I will look.<|end|>", "I will look.", "", []),
    ("<|channel|>commentary<|message|>I will look.<|end|>", "I will look.", "", []),
    ("to=5 is what I mean", "", "to=5 is what I mean", []),
    ("to=", "", "to=", []),
    ("too", "", "too", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reasoning", "visible", "calls"), CALLS)
def test_a_message_to_a_tool_is_a_call_wherever_it_is_split(
    text: str, reasoning: str, visible: str, calls: list[tuple[str, str]]
) -> None:
    for size in range(1, len(text) + 2):
        thinking = Thinking()
        told = [*(text[at : at + size] for at in range(0, len(text), size))]
        pieces = [piece for part in told for piece in thinking.feed(part)]
        pieces += thinking.end()
        numbers = list(dict.fromkeys(piece.number for piece in pieces if piece.call))
        written = [[piece for piece in pieces if piece.call and piece.number == number] for number in numbers]
        assert [(each[0].call, "".join(piece.text for piece in each)) for each in written] == calls
        assert all(not each[0].text and all(piece.text for piece in each[1:]) for each in written)
        rest = [piece for piece in pieces if not piece.call]
        assert "".join(piece.text for piece in rest if piece.reasoning) == reasoning
        assert "".join(piece.text for piece in rest if not piece.reasoning) == visible
        assert not thinking.calling


SNIPPETS = ["</think>", "<think>", "`", "```", "~~~", "\n", "\n\n", "a", " ", "<", "</", "[/THINK]", "<|channel|>",
            "final", "analysis", "<|message|>", "<|end|>", "<|start|>assistant", "◁/think▷", "to=", " to=f.x", "<|call|>", "t"]  # fmt: skip


@given(st.lists(st.sampled_from(SNIPPETS), max_size=14).map("".join), st.lists(st.integers(min_value=0), max_size=10))
def test_marks_mean_the_same_in_any_split(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    assert thought([text[start:end] for start, end in pairwise(edges)]) == thought([text])


@given(st.text(alphabet="<>/think a\n", max_size=40), st.lists(st.integers(min_value=0), max_size=8))
def test_thinking_is_the_same_in_any_split(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    assert thought([text[start:end] for start, end in pairwise(edges)]) == thought([text])
