"""A past comparison as it was: what was asked, its table, and a card for each lane. Nothing is measured anew. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llamafarm.config.model import NamedModel, Project
from llamafarm.core import display
from llamafarm.core.reply import Reply
from llamafarm.core.types import JsonValue, Message
from llamafarm.history.model import Asked, Ended, LaneSpec, Recorded
from llamafarm.ui.compare.live import reasoning_title, request_text
from llamafarm.ui.compare.table import condition_notes, shared, table
from llamafarm.ui.history.list import link, link_to, vote_words, when
from llamafarm.ui.parts.cards import lane_foot, lane_head, routing_card, summary
from llamafarm.ui.parts.markdown import shown as in_markdown
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.report_link import report_link
from llamafarm.ui.sessions import MAX_LANES
from llamafarm.ui.votes.blind import Blind, blind_foot, blind_head, blind_table

NEVER_ENDED = "never ended: it still runs, or its process was stopped"
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass(frozen=True, slots=True)
class KeptLane:
    """One lane as its card shows it: the values of `Kept.parts`, and the title of its folded reasoning."""

    head: str
    reasoning: str
    answer: str
    foot: str
    title: str = "Reasoning"


NO_LANE = KeptLane("", "", "", "")


def opened_view(recorded: Recorded, project: Project | None) -> Markup:
    """What stands above the cards. `project` is the file as it was then, where it was kept."""
    asked = recorded.asked
    more = len(asked.lanes) - MAX_LANES
    note = f"{more} more lanes are in the table and in the exports." if more > 0 else None
    return tag(
        "section",
        title_line(recorded),
        report_link(asked.run, "Report of its run") if asked.run else None,
        _question(asked),
        routing_card(asked.routes, asked.prompt) if asked.routes else None,
        _table(recorded, project),
        tag("p", note, class_="lf-note") if note else None,
        class_="lf-opened",
    )


def blind_view(recorded: Recorded, blind: Blind) -> Markup:
    """The same without names, models and figures."""
    title, question = title_line(recorded, linked=False), _question(recorded.asked)
    return tag("section", title, question, blind_table(blind, recorded.replies), class_="lf-opened")


def blind_lanes(recorded: Recorded, blind: Blind) -> list[KeptLane]:
    """The cards without names, in the blind order."""
    kept = {lane.spec.id: lane for lane in recorded.lanes}
    lanes = [kept[name] for name in blind.order]
    return [
        KeptLane(
            join(blind_head(place, lane.reply, shown=True), _history(lane.spec.history)),
            "",
            in_markdown(lane.reply.text),
            blind_foot(),
        )
        for place, lane in enumerate(lanes)
    ][:MAX_LANES]


def title_line(recorded: Recorded, *, linked: bool = True) -> Markup:
    """When, by which project and as what it was asked; `linked`: with its link, and its report, which tells names."""
    asked = recorded.asked
    facts = [
        when(asked.started_at),
        f"{asked.project.namespace}/{asked.project.name}",
        asked.kind,
        f"run {asked.run}" if asked.run else "",
        vote_words(recorded.vote) if recorded.vote else "",
    ]
    chips = (tag("span", fact, class_="lf-chip") for fact in facts if fact)
    before = asked.parent
    follows = tag("a", "the one before it", href=link(before), data_comparison=before) if before else None
    return tag(
        "div",
        tag("h2", "Asked before"),
        *chips,
        link_to(asked.id) if linked else None,
        follows,
        class_="lf-lane-title",
    )


def _question(asked: Asked) -> Markup:
    facts = {
        "System prompt": asked.system or "",
        "Variables": _json(asked.variables),
        "Parameters": _json(asked.parameters),
        "Tools": _json([dict(tool) for tool in asked.tools]),
    }
    listed = (join(tag("dt", name), tag("dd", value)) for name, value in facts.items() if value)
    said = (_message(message) for message in asked.messages)
    return tag("div", *said, tag("dl", *listed, class_="lf-facts"), class_="lf-card lf-question")


def _message(message: Message) -> Markup:
    shown = (
        tag("img", alt="picture", src=f"data:{image.media_type};base64,{image.data}")
        for image in message.images
        if image.media_type in PICTURES
    )
    return tag("div", tag("span", message.role, class_="lf-sub"), tag("pre", message.content), *shown)


def _json(value: Mapping[str, JsonValue] | Sequence[JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False, default=dict) if value else ""


def _table(recorded: Recorded, project: Project | None) -> Markup:
    replies = [*recorded.replies.values(), *map(_absent, recorded.unfinished)]
    named = [model for lane in recorded.lanes if project and (model := project.model(lane.spec.model))]
    known = any(reply.sharing is not None for reply in replies)
    notes = [*(() if known else shared(named)), *condition_notes(replies)]
    return table(replies, recorded.asked.routes, project.default_model if project else "", notes)


def _absent(spec: LaneSpec) -> Reply:
    """In the place of an answer that never came."""
    return Reply(spec.id, spec.model, spec.model, "", "", "idle", note=NEVER_ENDED)


def kept_lanes(recorded: Recorded, project: Project | None) -> list[KeptLane]:
    """The cards, in the lanes' order; those that never ended come last."""
    ended = [_kept(lane, recorded, project) for lane in recorded.lanes]
    absent = [
        KeptLane(lane_head(_bare(spec.model, project), _absent(spec)), "", "", lane_foot(_absent(spec)))
        for spec in recorded.unfinished
    ]
    return [*ended, *absent][:MAX_LANES]


def _kept(lane: Ended, recorded: Recorded, project: Project | None) -> KeptLane:
    reply = lane.reply
    named = as_asked(lane, project)
    if lane.spec.id != named.name:
        named = named.model_copy(update={"name": f"{lane.spec.id} ({named.name})"})
    head = join(lane_head(named, reply), _history(lane.spec.history))
    earlier = (_try(each) for each in recorded.earlier if each.spec.id == lane.spec.id)
    foot = join(lane_foot(reply), _details(lane), *earlier)
    return KeptLane(head, in_markdown(reply.reasoning), in_markdown(reply.text), foot, reasoning_title(reply))


def as_asked(lane: Ended, project: Project | None) -> NamedModel:
    """The lane's named model as it was; what answered itself tells its provider and model id."""
    model, reply = _bare(lane.spec.model, project), lane.reply
    if reply.model != lane.spec.model:
        return model
    return model.model_copy(update={"provider": reply.provider, "model": reply.model_id})


def _bare(name: str, project: Project | None) -> NamedModel:
    model = project.model(name) if project else None
    return model.model_copy(update={"problems": ()}) if model else NamedModel(name=name, provider="")


def _history(messages: Sequence[Message]) -> Markup | None:
    if not messages:
        return None
    said = (tag("div", tag("span", each.role, class_="lf-sub"), tag("pre", each.content)) for each in messages)
    return _folded(f"Earlier in its conversation ({len(messages)} messages)", *said)


def _details(lane: Ended) -> Markup:
    """The settings and the exact request."""
    cost = lane.reply.cost.detail
    return join(
        tag("p", f"Cost, fixed on {lane.priced_on}: {cost}", class_="lf-mark") if cost else None,
        tag("p", f"System prompt of its own: {lane.spec.system}", class_="lf-mark") if lane.spec.system else None,
        tag("p", f"Parameters: {_json(lane.parameters)}", class_="lf-mark") if lane.parameters else None,
        _folded("The exact request (keys hidden)", tag("pre", request_text(lane.reply.sent)))
        if lane.reply.sent
        else None,
    )


def _try(lane: Ended) -> Markup:
    """An earlier try of the same lane."""
    failure = lane.reply.failure
    said = display.why_failed(failure) if failure else ""
    figures = tag("p", f"{lane.reply.status} · {summary(lane.reply)}", class_="lf-mark")
    return _folded(f"An earlier try, {when(lane.ended_at)}", figures, tag("pre", lane.reply.text or said))


def _folded(title: str, *children: Markup) -> Markup:
    return tag("details", tag("summary", title), *children, class_="lf-folded")
