"""The forms, encodings and mistakes that files of prompts have in the wild."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.remarks import Remarks
from llamafarm.experiments.prompt_file.row import Bad, Row
from llamafarm.experiments.prompt_file.text import LONGEST_TEXT
from llamafarm.experiments.sweep.prompts import prompts_of


def read(name: str, data: bytes | str, **settings: Any) -> list[Row | Bad]:
    whole = data.encode() if isinstance(data, str) else data
    return list(PromptFile(Path(name), data=whole, **settings).rows())


def asked(found: list[Row | Bad]) -> list[str]:
    assert not [str(each) for each in found if isinstance(each, Bad)]
    return [each.prompt for each in found if isinstance(each, Row)]


def notes(name: str, data: str, elsewhere: tuple[str, ...] = (), **settings: Any) -> str:
    remarks = Remarks(name)
    for row in read(name, data, **settings):
        assert isinstance(row, Row), row
        remarks.add(row)
    return "\n".join(remarks.notes(elsewhere))


# --- a prompt a line

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_txt_is_a_prompt_a_line(encoding: str, end: str) -> None:
    text = end.join(["prompt,expected", "Wie heißt du, 你好?", "", '{"prompt": "x"}', "[1, 2]", "a \u2028 b", "last"])
    assert asked(read("p.txt", text.encode(encoding))) == [
        "prompt,expected",
        "Wie heißt du, 你好?",
        '{"prompt": "x"}',
        "[1, 2]",
        "a \u2028 b",
        "last",
    ]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.json", "p.yaml"])
def test_every_form_is_read_in_utf_16(mark: str, name: str) -> None:
    text = {
        "p.csv": "prompt;x\r\nWo ist {{x}}?;Köln\r\n",
        "p.jsonl": '{"prompt": "Wo ist {{x}}?", "x": "Köln"}\r',
        "p.json": '[{"prompt": "Wo ist {{x}}?", "x": "Köln"}]',
        "p.yaml": "- prompt: Wo ist {{x}}?\n  x: Köln\n",
    }[name]
    assert asked(read(name, f"\ufeff{text}".encode(mark))) == ["Wo ist Köln?"]


def test_a_template_takes_the_lines_of_a_txt() -> None:
    assert asked(read("p.txt", "hay\ngrass\n", template="Eat {{prompt}}, {{ how | now }}.")) == [
        "Eat hay, now.",
        "Eat grass, now.",
    ]


@pytest.mark.parametrize("name", ["pasted", "p.dat", "p"])
def test_how_it_begins_tells_where_the_name_says_nothing(name: str) -> None:
    assert asked(read(name, "Why is the sky blue?\nAnd, why?")) == ["Why is the sky blue?", "And, why?"]
    assert asked(read(name, "Prompt;Id\nWhy, oh;7")) == ["Why, oh"]
    assert asked(read(name, '{"prompt": "a"}\n{"prompt": "b"}')) == ["a", "b"]
    assert asked(read(name, '["a", {"prompt": "b"}]')) == ["a", "b"]
    assert asked(read(name, "{{city}} is where?\n[x] or not")) == ["{{city}} is where?", "[x] or not"]
    assert asked(read(name, "town\nRome", template="Where is {{town}}?")) == ["Where is Rome?"]


def test_lines_that_look_like_another_form_are_told() -> None:
    assert ".jsonl" in notes("p.txt", '{"prompt": "a"}\n')
    assert ".csv" in notes("p.txt", "prompt,expected\na,b\n")
    assert notes("p.txt", "Why, oh why?\n") == ""


# --- tables


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_any_delimiter_is_found(sign: str) -> None:
    text = f'ID{sign}Prompt{sign}Note\r\n1{sign}"a{sign}b"{sign}x\r\n'
    assert asked(read("p.csv", text)) == [f"a{sign}b"]


def test_excel_s_separator_line_and_empty_lines_before_the_head_are_passed_over() -> None:
    found = read("p.csv", "sep=;\r\nprompt;x\r\na, b;{{c}}\r\n")
    assert asked(found) == ["a, b"]
    assert found[0].line == 3
    assert asked(read("p.csv", "\n\nprompt,x\na,b\n")) == ["a"]


def test_one_column_needs_no_quotes() -> None:
    assert asked(read("p.csv", 'prompt\nRed, green or blue?\n"Two\nlines, ""quoted"""\n')) == [
        "Red, green or blue?",
        'Two\nlines, "quoted"',
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quote_that_is_never_closed_counts_all_that_it_swallows(end: str) -> None:
    lines = ["prompt,x", "a,b", 'c,"d', *[f"row {n},y" for n in range(200)]]
    found = read("p.csv", end.join(lines) + end)
    assert [type(each) for each in found] == [Row, Bad]
    assert isinstance(found[1], Bad)
    assert found[1].rows == 201
    assert str(found[1]) == (
        "line 3: the quote that opens in line 3 is never closed, so that all behind it, to line 203, is inside of it"
    )


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('"He said "hi" to\nme, ok?"', "lines 2 to 3 are one row, and in line 2 a quote stands alone"),
        ('"6" pipe\nor 7"', "a quote stands alone"),
        ('"a"b\nc"', "a quote stands alone"),
        (f'"{"x" * (LONGEST_TEXT + 1)}\ny"', "a cell is longer than 1,048,576 letters"),
        ('"a\nb",c,d', "there are 4 cells and 2 columns"),
        ('"a\n\0b"', "NUL"),
    ],
)
def test_what_is_wrong_in_a_cell_makes_no_rows_of_its_rest(cell: str, told: str) -> None:
    found = read("p.csv", f"prompt,x\n{cell},y\ngood,z\n")
    assert [type(each) for each in found] == [Bad, Row]
    assert told in str(found[0])
    assert isinstance(found[1], Row)
    assert (found[1].number, found[1].prompt) == (2, "good")


def test_a_cell_may_be_as_long_as_a_prompt_may_and_the_csv_module_s_limit_stays() -> None:
    before = csv.field_size_limit()
    long = "ä" * (LONGEST_TEXT - 1)
    assert asked(read("p.csv", f'prompt,x\n{long},y\n"{long}""",y\n')) == [long, f'{long}"']
    assert csv.field_size_limit() == before
    assert asked(read("p.jsonl", f'{{"prompt": "{long}"}}')) == [long]
    for name, text in (("p.csv", "prompt\n{}"), ("p.jsonl", '{{"prompt": "{}"}}'), ("p.txt", "{}")):
        (row,) = read(name, text.format("x" * (LONGEST_TEXT + 1)))
        assert isinstance(row, Bad)
        assert "longer than 1,048,576 letters" in row.why


def test_long_lines_are_cut_nowhere() -> None:
    """A quote, an escaped quote and a line end on each side of where the reader's pieces end."""
    for length in range(65_520, 65_545):
        cells = ["x" * length + '"', '""', "\r\n", "y" * length]
        out = StringIO()
        csv.writer(out).writerow(["prompt", "a", "b", "c"])
        csv.writer(out).writerow(cells)
        (row,) = read("p.csv", out.getvalue())
        assert isinstance(row, Row)
        assert [row.prompt, *row.variables.values()] == cells


def test_rows_with_fewer_cells_are_told() -> None:
    assert "Rows with fewer cells than columns: 1." in notes("p.csv", "prompt,x\na\nb,c\n")


def test_a_column_without_a_name_has_its_number() -> None:
    assert asked(read("p.csv", "prompt,,x\nIs it {{column 2}}?,me,y\n")) == ["Is it me?"]
    assert "column 2" in notes("p.csv", "prompt,,x\na,me,y\n")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (
            "p.csv",
            "question,answer\nWhy?,So\n",
            r"no column prompt; the columns are: question, answer.*\{\{question\}\}",
        ),
        ("p.csv", "Größe;Eingabe\n1;2\n", "no column prompt"),
        ("p.csv", "Prompt,prompt\na,b\n", "names a column twice: prompt"),
        ("p.csv", "prompt,a b,a  b\n", "names a column twice: a b"),
        ("p.csv", 'prompt,"x\na,b\n', "The first line is no CSV"),
        ("p.json", "7", "no list"),
        ("p.json", '[\n"a",\n]', "Line 2: this is not JSON"),
        ("p.yaml", "prompts: x", "no list"),
        ("p.yaml", "- a\n- [", "Line "),
        ("p.txt", b"\xd0\xcf\x11\xe0\xa1", "spreadsheet"),
        ("p.csv", b"\x1f\x8b\x08", "packed"),
        ("p.txt", b"\xff\xfea\x00b", "not utf-16"),
        ("p.txt", " \n", "empty"),
    ],
)
def test_a_file_that_can_t_be_asked_is_told_by_its_name(name: str, data: bytes | str, told: str) -> None:
    with pytest.raises(RequestError, match=told) as raised:
        read(name, data)
    assert str(raised.value).startswith(f"{name}: ")


def test_an_object_is_a_row_or_holds_the_list() -> None:
    assert asked(read("p.json", '{"prompts": ["a", {"prompt": "b"}]}')) == ["a", "b"]
    assert asked(read("p.json", '{\n "prompt": "a"\n}\n')) == ["a"]
    assert asked(read("p.json", '{"prompt": "a"}\n{"prompt": "b"}\n')) == ["a", "b"]


def test_lists_are_read_with_their_lines() -> None:
    found = read("p.json", '[\n  {"prompt": "a\\nb"},\n  "c",\n  7\n]')
    assert [each.line for each in found] == [2, 3, 4]
    assert isinstance(found[2], Bad)
    found = read("p.yml", "prompts:\n  - a\n  - prompt: 'b {{x}}'\n    x: 1\n    expected: 3\n")
    assert asked(found) == ["a", "b 1"]
    assert [each.line for each in found] == [2, 3]


# --- braces are data, unless a name in them has a value


@pytest.mark.parametrize(
    "prompt",
    [
        "What does {{ user.name | upper }} do?",
        "Jinja: {% for x in xs %}{{ x }}{% endfor %}{# no #}",
        r"\frac{{a+b}}{{c}} and {{{deep}}}",
        "${HOME} ${env:KEY} $x {x} {0} %(s)s <%= y %>",
        "f'{{literal}}' and {{ }} and {{}}",
        "{{a\nb}} {{ | }} {{x|y}} {{ unclosed",
        "{{ {{ category }",
        "const a = {b: {c: {{d: 1}}}};",
    ],
)
@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.json", "p.yaml"])
def test_only_names_with_a_value_are_variables(name: str, prompt: str) -> None:
    out = StringIO()
    csv.writer(out).writerows([["prompt", "category", "system"], [prompt, "web", prompt]])
    row = {"prompt": prompt, "category": "web", "system": prompt}
    text = {
        "p.csv": out.getvalue(),
        "p.jsonl": json.dumps(row),
        "p.json": json.dumps([row]),
        "p.yaml": json.dumps([row]),
    }
    (found,) = read(name, text[name], variables={"other": "y"})
    assert isinstance(found, Row), found
    assert (found.prompt, found.system) == (prompt, prompt)


def test_names_hold_spaces_and_any_letters() -> None:
    text = "prompt,first name,Größe (cm),名前,a|b,x-1\n{{first name}} {{ Größe (cm) }} {{名前}} {{a|b}} {{x-1 | 7}},A,B,C,D,E\n"
    assert asked(read("p.csv", text)) == ["A B C D E"]
    assert asked(read("p.csv", "prompt,Gro\u0308\u00dfe\n{{Gr\u00f6\u00dfe}},B\n")) == ["B"]  # composed and not
    assert asked(read("p.csv", "prompt,first\u00a0name\n{{first name}},B\n")) == ["B"]
    assert asked(read("p.jsonl", '{"prompt": "{{ first  name }}", "first name": 1}')) == ["1"]


def test_a_value_is_never_a_template() -> None:
    text = '{"prompt": "{{a}} {{b}}", "a": "{{b}}", "b": "{{a}} {{ c | d }}"}'
    assert asked(read("p.jsonl", text)) == ["{{b}} {{a}} {{ c | d }}"]


def test_the_plan_names_what_is_sent_as_it_is() -> None:
    text = '{"prompt": "{{ user.name | upper }} {{category}}", "category": "web"}\n' * 3
    assert notes("p.jsonl", text) == (
        "Sent as it is written, since no column and no variable is called so: {{ user.name | upper }} (3)."
    )


# --- expected answers under other names


@pytest.mark.parametrize(
    "column",
    ["__expected", "expected_output", "answer", "Ideal", "reference", "target", "Correct Answer", "ground-truth"],
)
def test_the_plan_offers_what_a_column_may_be(column: str) -> None:
    told = notes("p.csv", f"prompt,{column},lang\na,b,de\n")
    assert f"Column {column} fills nothing. If it is the expected answer, name it expected" in told
    assert f"check contains:{{{{{column}}}}}." in told
    assert "Column lang fills nothing." in told


def test_columns_that_fill_something_are_not_named() -> None:
    text = "prompt,answer,tone,who\nIs it {{who}}?,b,kind,me\n"
    assert notes("p.csv", text, elsewhere=("tone",), checks=("contains:{{answer}}",)) == ""
    assert "Column prompt fills nothing" in notes("p.csv", "prompt,x\na,b\n", template="{{x}}")
    assert "name it system" in notes("p.csv", "prompt,system_prompt\na,b\n")
    assert "name it checks" in notes("p.jsonl", '{"prompt": "a", "assert": "contains:b"}')


def test_checks_take_columns() -> None:
    text = 'prompt,answer\na,"x.y ""z"""\nb,\n'
    checks = ("contains:{{answer}}", "regex:^{{ answer }}$", 'schema:{"const": "{{answer}}"}', "not-contains:{{no|b}}")
    first, second = read("p.csv", text, checks=checks[:3])
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.checks[0].text == 'contains:x.y "z"'
    assert first.checks[1]('x.y "z"').passed
    assert not first.checks[1]('xzy "z"').passed
    assert first.checks[2]('"x.y \\"z\\""').passed
    assert second.checks == ()


def test_columns_of_ours_may_stand_in_texts_too() -> None:
    text = '{"id": 7, "prompt": "Hi", "expected": "Ho"}'
    (row,) = read("p.jsonl", text, template="{{id}}: {{prompt}}", checks=("equals:{{expected}}",))
    assert isinstance(row, Row)
    assert (row.prompt, [check.text for check in row.checks]) == ("7: Hi", ["equals:Ho", "contains:Ho"])
    assert row.variables == {}


def test_a_check_of_a_column_that_is_not_there_is_told() -> None:
    (row,) = read("p.csv", "prompt,answer\na,b\n", checks=("contains:{{anser}}",))
    assert isinstance(row, Bad)
    assert row.why == "the check needs a value for: anser; there are: answer"


# --- sweeps read the same


def test_a_sweep_reads_what_a_batch_reads() -> None:
    text = "prompt;expected;system;x\nWas ist {{x}}?;7;Kurz.;9\n"
    (prompt,), remarks = prompts_of(PromptFile(Path("p.csv"), data=text.encode(), checks=("json",)))
    assert (prompt.text, prompt.system, prompt.variables) == ("Was ist 9?", "Kurz.", {"x": "9"})
    assert [check.text for check in prompt.checks] == ["json", "contains:7"]
    assert list(remarks.notes()) == []
    with pytest.raises(RequestError, match="line 3: the prompt is empty"):
        prompts_of(PromptFile(Path("p.csv"), data=b'prompt,x\na,b\n"",c\n'))
