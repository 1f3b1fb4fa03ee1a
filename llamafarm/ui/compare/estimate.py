"""What the next message will be to each lane, before it is sent: tokens, cost, and whether it fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from llamafarm.config.model import NamedModel, Project
from llamafarm.core import display
from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Cost, Count, Usage
from llamafarm.engine.fold.metrics import estimated_input
from llamafarm.engine.lane import Lane, Question, request_for
from llamafarm.ui.conversation.conversation import Turn, history
from llamafarm.ui.parts.markup import Markup, join, tag

LIMITS = ("max_tokens", "max_completion_tokens", "num_predict")
Price = Callable[[NamedModel, Usage], Cost]
Window = Callable[[NamedModel], int | None]


@dataclass(frozen=True, slots=True)
class MessageEstimate:
    """One lane's next message, all of it estimated.

    `given`: tokens of the whole prompt; None with pictures, whose tokens nobody here can guess. `answer`: the most that
    may come back, where the project bounds it. `least` and `most`: the cost with an empty and the longest answer.
    `window`: the model's context, where it is known.
    """

    model: NamedModel
    given: int | None
    answer: int | None
    least: Cost
    most: Cost | None
    window: int | None

    @property
    def too_long(self) -> bool:
        """Whether the prompt, or the prompt with the longest answer, is more than the model's context."""
        return self.window is not None and self.given is not None and self.given + (self.answer or 1) > self.window


def look_ahead(
    project: Project,
    models: Sequence[NamedModel],
    turns: Sequence[Turn],
    question: Question,
    *,
    price: Price,
    window: Window,
) -> list[MessageEstimate]:
    """The next message of each of `models`; those whose prompts lack a variable are left out."""
    found: list[MessageEstimate] = []
    for model in models:
        lane = Lane(model.name, model, history=history(turns, model.name))
        try:
            request = request_for(project, lane, question)
        except RequestError:
            continue
        guess = estimated_input(request)
        given = None if guess is None else _given(turns, model, question) or guess.value
        limit = next((value for name in LIMITS if isinstance(value := request.parameters.get(name), int)), None)
        found.append(
            MessageEstimate(
                model,
                given,
                limit,
                price(model, _usage(given, 0)),
                None if limit is None else price(model, _usage(given, limit)),
                window(model),
            )
        )
    return found


def _given(turns: Sequence[Turn], model: NamedModel, question: Question) -> int | None:
    """From what the server counted in the turn before: its prompt, its answer, and the new message."""
    reply = turns[-1].replies.get(model.name) if turns else None
    if reply is None or not _counted(reply):
        return None
    before, made, thought = reply.usage.input, reply.usage.output, reply.usage.reasoning
    fresh = estimated_input(ChatRequest(question.messages))
    if before is None or made is None or fresh is None:
        return None
    return before.value + made.value - (thought.value if thought else 0) + fresh.value


def _counted(reply: Reply) -> bool:
    return reply.status == "done" and reply.model == reply.asked and reply.usage.source == "reported"


def _usage(given: int | None, made: int) -> Usage:
    return Usage(
        input=None if given is None else Count(given, "estimated"),
        output=Count(made, "estimated"),
    )


def outlook_card(outlooks: Sequence[MessageEstimate], *, follows: bool) -> Markup:
    """All lanes in a line, which folds out to one for each, and a warning where one does not fit.

    `follows`: the conversation goes along.
    """
    if not outlooks:
        return Markup("")
    title = tag("p", "As a follow-up, with the conversation so far:", class_="lf-note") if follows else None
    lines = tag("div", title, *map(_line, outlooks), class_="lf-outlook")
    return tag("details", tag("summary", *_short(outlooks)), lines, class_="lf-ahead")


def _short(outlooks: Sequence[MessageEstimate]) -> list[Markup]:
    """The most tokens that a lane is given, and the most that all may cost together where that is bounded."""
    given = [each.given for each in outlooks if each.given is not None]
    tokens = f"~{max(given):,} tokens in" if given else "tokens not known"
    long = [each.model.name for each in outlooks if each.too_long]
    warning = [tag("strong", f" · too long for {', '.join(long)}?", class_="lf-warn-text")] if long else []
    return [join(f"next: {tokens}{_together(outlooks)}"), *warning]


def _together(outlooks: Sequence[MessageEstimate]) -> str:
    least = [each.least.usd for each in outlooks if each.least.usd is not None]
    if len(least) < len(outlooks):
        return ""
    if all(each.least.source == "free" for each in outlooks):
        return " · free"
    most = [top.usd for each in outlooks if (top := each.most or _free(each)) is not None and top.usd is not None]
    bounded = len(most) == len(outlooks)
    bound = sum(most) if bounded else sum(least)
    return f" · {'up to' if bounded else 'from'} {display.usd(Decimal(bound), estimated=True)}"


def _free(each: MessageEstimate) -> Cost | None:
    return each.least if each.least.source == "free" else None


def _line(each: MessageEstimate) -> Markup:
    given = "pictures: tokens not known" if each.given is None else f"~{each.given:,} tokens in"
    parts = [given]
    if each.answer is not None:
        parts.append(f"{each.answer:,} out at most")
    parts.append(_cost(each))
    if each.window is not None and not each.too_long:
        parts.append(f"fits the context of {each.window:,}")
    warning = None
    if each.too_long:
        warning = tag(
            "strong",
            f"May not fit the context of {each.window:,} tokens: remove a turn, clear, or lower max tokens.",
            class_="lf-warn-text",
        )
    return tag("div", tag("strong", each.model.name), f" {' · '.join(parts)} ", warning)


def _cost(each: MessageEstimate) -> str:
    if each.least.usd is None:
        return "cost unknown"
    if each.least.source == "free":
        return "runs here, $0"
    least = display.usd(each.least.usd, estimated=True)
    return f"from {least}" if each.most is None else f"{least} to {display.usd(each.most.usd, estimated=True)}"
