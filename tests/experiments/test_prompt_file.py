"""Files of prompts: what is written is what is read, and what is wrong is told with its line."""

from __future__ import annotations

import csv
import json
import tracemalloc
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamafarm.core.errors import RequestError
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.row import Bad, Row, item_number

# What a file can hold: UTF-8, and in CSV no NUL.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=40)
PROMPTS = TEXTS.filter(lambda text: bool(text.strip()) and "{{" not in text)
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("prompt", "id", "expected", "system", "variables", "checks")
)


def rows(folder: Path, data: bytes | str, **settings: Any) -> list[Row | Bad]:
    path = folder / "prompts"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(PromptFile(path, **settings).rows())


def good(found: list[Row | Bad]) -> list[Row]:
    assert not [each for each in found if isinstance(each, Bad)]
    return [each for each in found if isinstance(each, Row)]


def bad(found: list[Row | Bad]) -> list[str]:
    return [str(each) for each in found if isinstance(each, Bad)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(PROMPTS, st.lists(TEXTS, min_size=2, max_size=2)), min_size=1, max_size=6),
    st.lists(NAMES, min_size=2, max_size=2, unique=True),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
)
def test_csv_comes_back_as_it_was_written(
    tmp_path: Path,
    written: list[tuple[str, list[str]]],
    names: list[str],
    separator: str,
    end: str,
    marked: bool,
) -> None:
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end)
    writer.writerow(["prompt", *names])
    writer.writerows([prompt, *cells] for prompt, cells in written)
    data = out.getvalue().encode("utf-8-sig" if marked else "utf-8")
    found = good(rows(tmp_path, data))
    assert [(row.prompt, [row.variables[name] for name in names]) for row in found] == written
    assert [row.number for row in found] == list(range(1, len(written) + 1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({"prompt": PROMPTS, "id": st.integers(), "x": TEXTS}), min_size=1, max_size=6))
def test_json_lines_come_back_as_they_were_written(tmp_path: Path, written: list[dict[str, Any]]) -> None:
    data = "\n".join(json.dumps(each) for each in written)
    found = good(rows(tmp_path, data))
    assert [{"prompt": row.prompt, "id": int(row.id), **row.variables} for row in found] == written
    assert [row.line for row in found] == list(range(1, len(written) + 1))
    assert [item_number(row.item) for row in found] == [row.number for row in found]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_told(tmp_path: Path, data: bytes) -> None:
    found: list[Row | Bad] = []
    with suppress(RequestError):
        found = rows(tmp_path, data)
    assert all(row.prompt.strip() for row in found if isinstance(row, Row))
    assert all(each.why for each in found if isinstance(each, Bad))


def test_a_row_fills_its_prompt_and_has_its_checks(tmp_path: Path) -> None:
    text = (
        "Prompt,ID,expected,system,variables,checks,town\n"
        'Where is {{town}} {{n}}?,q 1,France,Be brief,"{""n"": 3}","contains:a\nnot-contains:b",Paris\n'
        "And {{town}}?,,,,,,Rome\n"
    )
    first, second = good(rows(tmp_path, text, checks=("json",)))
    assert (first.prompt, first.system, first.item) == ("Where is Paris 3?", "Be brief", "1 q 1")
    assert [check.text for check in first.checks] == ["json", "contains:France", "contains:a", "not-contains:b"]
    assert (second.prompt, second.system, second.item, second.line) == ("And Rome?", None, "2", 4)
    assert [check.text for check in second.checks] == ["json"]


def test_a_template_is_the_prompt_of_all_rows(tmp_path: Path) -> None:
    found = good(rows(tmp_path, "text\nhay\ngrass\n", template="Eat {{text}} {{how}}", variables={"how": "now"}))
    assert [row.prompt for row in found] == ["Eat hay now", "Eat grass now"]


def test_braces_are_left_alone_where_there_are_no_values_at_all(tmp_path: Path) -> None:
    (row,) = good(rows(tmp_path, '{"prompt": "style={{color}}"}'))
    assert row.prompt == "style={{color}}"
    assert row.left == ("color",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"prompt": "a"}\n{"prompt": ', "line 2: this is not JSON"),
        ('{"prompt": "a"}\n\n[1]', "line 3: write an object"),
        ('{"id": 1}', "line 1: there is no prompt"),
        ('{"prompt": 7}', "prompt is no text"),
        ('{"prompt": " "}', "the prompt is empty"),
        ('{"prompt": "a", "x": NaN}', "NaN is no JSON"),
        ('{"prompt": "a", "checks": "json"}', "checks are a list"),
        ('{"prompt": "a", "checks": ["python:x"]}', "'python:x' is no check. There are: equals:TEXT"),
        ('{"prompt": "a", "checks": ["regex:("]}', "no regular expression"),
        ('{"prompt": "a", "variables": []}', "variables are an object"),
        ('{"prompt": "a {{b}}", "b": [1]}', "must be text, a number"),
        ('{"prompt": "\\ud800"}', "surrogate"),
        ('{"prompt": "a", "id": true}', "id is no text"),
        ("prompt,x\na,b,c\n", "line 2: there are 3 cells and 2 columns"),
        ('prompt,x\na,"b\nc', "line 2: the quote that opens in line 2 is never closed"),
        ('prompt,x\n"a"b,c"\nd,e', "line 2: a quote stands alone"),
        ("prompt,x\n ,b\n", "line 2: the prompt is empty"),
        ('prompt,variables\na,"{"\n', "line 2: variables: this is not JSON"),
        ("prompt,checks\na,schema:{\n", "line 2: The schema is no JSON"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_is_read(tmp_path: Path, text: str, told: str) -> None:
    assert told in bad(rows(tmp_path, text))[0]


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    assert bad(rows(tmp_path, b"prompt\nsch\xf6n\ngut\n")) == ["line 2: this is not UTF-8"]
    assert bad(rows(tmp_path, b'{"prompt": "sch\xf6n"}\n{"prompt": "gut"}\n')) == ["line 1: this is not UTF-8"]


def test_a_line_without_end_is_told_and_passed_over(tmp_path: Path) -> None:
    data = '{"prompt": "a"}\n{"prompt": "' + "x" * 9_000_000 + '"}\n{"prompt": "b"}\n'
    found = rows(tmp_path, data)
    assert [row.number for row in found if isinstance(row, Row)] == [1, 3]
    assert "longer than 8,388,608 letters" in bad(found)[0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b'[{"prompt": "a"}', "Line 1: this is not JSON"),
        (b'["a", NaN]', "NaN"),
        (b"PK\x03\x04xl/workbook.xml", "spreadsheet"),
        ("prompt\nHi".encode("utf-16-le"), "UTF-16 without its mark"),
        (b"prompt,prompt\n", "twice"),
        (b"prompt,\xff\n", "UTF-8"),
    ],
)
def test_a_file_that_is_none_of_prompts_is_told(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        rows(tmp_path, data)


def test_memory_holds_a_row_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("prompt,id,expected\n")
        for number in range(20_000):
            file.write(f"What is {number} times two? {'x' * 100},{number},{2 * number}\n")
    tracemalloc.start()
    count = sum(1 for _ in PromptFile(path).rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert path.stat().st_size > 2_000_000
    assert peak < 1_000_000
