"""A conversation that goes on in every lane: its turns, each lane's own history, and what it has cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from llamafarm.core import display
from llamafarm.core.characters import excerpt
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, Message
from llamafarm.engine.lane import Question
from llamafarm.experiments.stats.sample import money
from llamafarm.ui.parts.markdown import Views, blocks, soft, strong
from llamafarm.ui.parts.markup import Markup, tag

EXCERPT = 70


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what each lane answered, by lane id; `record` is its id in the history, where it is kept.

    `views` are what is shown of the answers.
    """

    question: Question
    replies: Mapping[str, Reply]
    record: str | None = None
    views: Views = field(default_factory=Views, compare=False, repr=False)

    @property
    def prompt(self) -> str:
        """The words that were asked."""
        return self.question.messages[-1].content


def history(turns: Sequence[Turn], lane: str) -> tuple[Message, ...]:
    """What `lane` was asked and answered, its tool calls included; a turn without an answer is left out."""
    messages: list[Message] = []
    for turn in turns:
        reply = turn.replies.get(lane)
        if reply is not None and reply.text:
            messages += [*turn.question.messages, *(reply.said or (Message("assistant", reply.text),))]
    return tuple(messages)


def transcript(turns: Sequence[Turn], lane: str, newest: str = "") -> str:
    """The earlier turns of `lane` for the Markdown view, then the `newest` prompt; empty where there are none."""
    parts: list[str] = []
    for number, turn in enumerate(turns, 1):
        reply = turn.replies.get(lane)
        said = soft("(not asked)") if reply is None else turn.views.answer(reply) or soft("(no answer)")
        parts.append(f"{strong(f'{number}. {turn.prompt}')}\n\n{said}")
    if parts and newest:
        parts.append(strong(f"{len(turns) + 1}. {newest}"))
    return blocks(*parts)


def turn_names(turns: Sequence[Turn]) -> list[str]:
    """Each turn in a few words, for choosing one."""
    return [f"{number}. {excerpt(turn.prompt, EXCERPT)}" for number, turn in enumerate(turns, 1)]


def ledger(turns: Sequence[Turn]) -> Markup:
    """Every turn's time, tokens and cost in each lane, and the totals."""
    lanes = list(dict.fromkeys(lane for turn in turns for lane in turn.replies))
    head = tag("tr", tag("th", "Turn", scope="col"), *(tag("th", lane, scope="col") for lane in lanes))
    rows = [
        tag("tr", tag("th", name, scope="row"), *(_cell(turn.replies.get(lane)) for lane in lanes))
        for name, turn in zip(turn_names(turns), turns, strict=True)
    ]
    sums = [[reply for turn in turns if (reply := turn.replies.get(lane))] for lane in lanes]
    total = tag("tr", tag("th", "All turns", scope="row"), *map(_total, sums), class_="lf-total")
    table = tag("table", tag("thead", head), tag("tbody", *rows, total), class_="lf-table lf-ledger")
    return tag("div", table, class_="lf-table-wrap", tabindex="0", role="region", aria_label="Turns")


def _cell(reply: Reply | None) -> Markup:
    if reply is None:
        return tag("td", display.NOTHING)
    spans, usage = reply.timings, reply.usage
    ttft = f"TTFT {display.seconds(spans.ttft_s)}, " if spans.ttft_s is not None else ""
    return tag(
        "td",
        tag("div", f"{ttft}{display.seconds(spans.total_s)}"),
        tag("div", f"{display.tokens(usage.input)} → {display.tokens(usage.output)} tokens", class_="lf-sub"),
        tag("div", display.usd(reply.cost.usd, estimated=reply.cost.estimated), class_="lf-sub"),
        None if reply.status == "done" else tag("div", reply.status, class_="lf-sub"),
    )


def _total(replies: Sequence[Reply]) -> Markup:
    spans = [reply.timings.total_s for reply in replies if reply.timings.total_s is not None]
    given, made = (_tokens(replies, pick) for pick in (lambda r: r.usage.input, lambda r: r.usage.output))
    return tag(
        "td",
        tag("div", display.seconds(sum(spans)) if spans else display.NOTHING),
        tag("div", f"{given} → {made} tokens", class_="lf-sub"),
        tag("div", display.money(money([reply.cost for reply in replies])), class_="lf-sub"),
    )


def _tokens(replies: Sequence[Reply], pick: Callable[[Reply], Count | None]) -> str:
    """A sum of counts; `+ ?` where one of them is not known."""
    counts = [count for reply in replies if (count := pick(reply)) is not None]
    if not counts:
        return display.NOTHING
    guessed = any(count.source == "estimated" for count in counts)
    text = display.tokens(Count(sum(count.value for count in counts), "estimated" if guessed else "reported"))
    return text if len(counts) == len(replies) else f"{text} + ?"
