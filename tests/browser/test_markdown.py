"""What models write, in a real browser: it becomes nothing that they did not ask for, asks nobody, and is all there.

Gradio's own view is what is tested, with many samples on one page, each told in steps as an answer comes.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from llamafarm.ui.compare.lane_panel import answer_box
from llamafarm.ui.gradio_workarounds.blocks import QuickBlocks
from llamafarm.ui.parts.markdown import Growing
from tests.browser.conftest import OpenPage, Serve
from tests.browser.test_page import model_server, send
from tests.faultserver.speech import answer, plays
from tests.ui.markdowns import CASES, PIECES, asked_for, letters

BOXES = 60
STEPS = 4
FORBIDDEN = re.compile(r"^(script|style|iframe|form|input|img|video|audio|object)\b| (on|src)")
READ = """box => {
  const inner = box.querySelector(".md").cloneNode(true);
  const anywhere = [...inner.querySelectorAll("*")].map((each) => each.tagName.toLowerCase() + " " + [...each.attributes]
    .map((one) => one.name).filter((name) => name.startsWith("on") || name == "src" || name == "srcset").join(" "));
  for (const own of inner.querySelectorAll(".copy_code_button, .lf-language")) own.remove();
  for (const drawn of inner.querySelectorAll(".katex-display, .katex-error, .katex"))
    if (!drawn.parentElement.closest(".katex-display"))
      drawn.replaceWith(drawn.querySelector("annotation")?.textContent ?? drawn.textContent);
  return { all: anywhere, text: inner.textContent,
    tags: [...inner.querySelectorAll("*")].map((each) => each.tagName.toLowerCase()) };
}"""


@contextmanager
def page_of(samples: Sequence[str]) -> Iterator[str]:
    """A page that tells each sample in a box of its own, in steps."""

    def tell() -> Iterator[list[str]]:
        growing = [Growing() for _ in samples]
        for step in range(1, STEPS):
            yield [
                each.of(text[: len(text) * step // STEPS], ended=False)
                for each, text in zip(growing, samples, strict=True)
            ]
        yield [each.of(text, ended=True) for each, text in zip(growing, samples, strict=True)]

    with QuickBlocks(analytics_enabled=False) as page:
        boxes = [answer_box(f"box-{at}") for at in range(len(samples))]
        done = gr.Markdown("", elem_id="done")
        page.load(tell, None, boxes).then(lambda: "all told", None, done)
    _, url, _ = page.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", show_error=True, run_history=False
    )
    try:
        yield url
    finally:
        page.close()


def seen(page: Page, samples: Sequence[str]) -> None:
    """Each sample is in its box as what CommonMark makes of it, and nothing else."""
    page.locator("#done").get_by_text("all told").wait_for()
    page.wait_for_load_state("networkidle")
    for at, sample in enumerate(samples):
        box = page.locator(f".prose.box-{at}")
        if not sample.strip():
            continue
        found, asked = box.evaluate(READ), asked_for(sample)
        there = Counter(tag for tag in found["tags"] if tag not in ("div", "span"))
        links = there.pop("a", 0)
        assert there == Counter({tag: count for tag, count in asked.tags.items() if tag not in ("a", "img")}), sample
        assert links >= asked.tags["a"], sample  # an address that stands bare is one too
        assert letters(found["text"]) == letters(asked.text), sample
        assert [each for each in found["all"] if FORBIDDEN.search(each)] == [], sample


def watched(open_page: OpenPage, url: str) -> tuple[Page, list[str]]:
    asked: list[str] = []
    page = open_page("about:blank")
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(url)
    return page, asked


def strange(asked: Sequence[str], words: str) -> list[str]:
    return [url for url in asked if words in url]


def test_each_known_case_is_text(open_page: OpenPage) -> None:
    samples = list(CASES.values())
    with page_of(samples) as url:
        page, asked = watched(open_page, url)
        seen(page, samples)
        assert page.title() != "1"
        assert not strange(asked, "mermaid")
        assert not strange(asked, ":9/")


@pytest.mark.parametrize("seed", [1, 2])
def test_of_random_markdown_nothing_else_becomes_an_element(seed: int, open_page: OpenPage) -> None:
    made = random.Random(seed)  # noqa: S311 - samples, no secrets
    samples = [
        "".join(
            made.choice(PIECES) + made.choice(("", f"w{made.randrange(99)}w", " "))
            for _ in range(made.randrange(4, 30))
        )
        for _ in range(BOXES)
    ]
    with page_of(samples) as url:
        page, asked = watched(open_page, url)
        seen(page, samples)
        assert not strange(asked, ":9/")
        for at, sample in enumerate(samples):
            told = page.locator(f".prose.box-{at}").evaluate("box => box.querySelector('.md').outerHTML")
            assert [word for word in re.findall(r"w\d+w", sample) if word not in told] == [], sample


def test_formulas_are_typeset_and_money_is_not(open_page: OpenPage) -> None:
    samples = [
        "It is $x^2$, \\(y\\) and\n\n$$\n\\sum_i a_i\n$$\n\n\\[z\\]",
        "It costs $5, or $5 and $6",
        "`$x$` and US$3",
    ]
    with page_of(samples) as url:
        page, asked = watched(open_page, url)
        page.locator(".prose.box-0 .katex-display").nth(1).wait_for()
        assert page.locator(".prose.box-0 .katex").count() == 4
        assert page.locator(".prose.box-1 .katex, .prose.box-2 .katex").count() == 0
        assert page.locator(".prose.box-1").inner_text() == samples[1]
        assert strange(asked, "katex")  # the watch sees what is fetched


RICH = """# The plan

Some **bold** words, `code`, $e = mc^2$ and https://example.org/path. It costs $5, not $6.

## Steps

1. Install it:
   ```bash
   pip install llama
   ```
2. Run it.

| Name | An incomprehensibly-long-heading | Quantity | Throughput | Characteristics | Recommendation |
|------|:--------------------------------:|---------:|-----------:|-----------------|----------------|
| Alpaca | counterrevolutionaries | 12 | 34.5 | internationalization | unquestionably |

### Small

$$
\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}
$$

> A quotation.
"""


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_an_answer_fits_its_card(
    width: int, dark: bool, tmp_path: Path, open_page: OpenPage, serve: Serve, artifacts: Path
) -> None:
    with model_server(plays("openai", answer("openai", *re.findall(".{1,9}", RICH, re.DOTALL)))) as server:
        model = {"name": "m0", "provider": "openai", "model": "x", "base_url": server.url}
        project = {"version": "v1", "name": "rich", "namespace": "tests"}
        path = tmp_path / "llamafarm.yaml"
        path.write_text(json.dumps(project | {"runtime": {"models": [model, model | {"name": "m1"}]}}))
        with serve([path]) as url:
            page = open_page(url, width=width, dark=dark)
            send(page)
            box = page.locator("#card-0 .prose.lf-answer")
            box.locator(".katex-display").wait_for()
            size = "each => Number.parseFloat(getComputedStyle(each).fontSize)"
            title = page.locator("#card-0 .lf-lane-title h3").evaluate(size)
            assert box.locator("h4, h5, h6").evaluate_all(f"all => Math.max(...all.map({size}))") < title
            assert box.locator("h1, h2, h3").count() == 0
            table = box.locator(".lf-scroll")
            wide, shown = table.evaluate("each => [each.scrollWidth, each.clientWidth]")
            assert wide > shown  # it scrolls in itself, and its card does not
            assert box.evaluate("each => each.scrollWidth <= each.clientWidth")
            lines = "each => each.getClientRects().length == 1 && each.offsetHeight < 60"
            assert table.locator("tbody td").nth(4).evaluate(lines)  # a long word is not broken
            expect(box.locator(".code_wrap button")).to_be_attached()
            page.screenshot(path=artifacts / f"answer-{width}.png", full_page=True)
