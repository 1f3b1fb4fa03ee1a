"""Hides the names on the page while lanes are blind, and shows them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import gradio as gr
from gradio.blocks import Block

from llamafarm.core.types import Route
from llamafarm.ui.layout import Page
from llamafarm.ui.parts.cards import model_facts, routing_card
from llamafarm.ui.parts.markup import Markup, tag
from llamafarm.ui.project.file_cards import report
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates, live_updates, table_of
from llamafarm.ui.votes.blind import HIDDEN, Blind, all_ended, blind_foot, blind_head, blind_routing
from llamafarm.ui.votes.verdict import Ballot, answered

MODELS = "Models that take part"


def hidden_parts(page: Page) -> list[Block]:
    """All that `hide` and `unhide` change."""
    parts: list[Block] = [page.order, page.lanes, page.models, page.table, page.routing, page.outlook]
    probe = page.panel.probe
    parts += [page.panel.report, page.panel.editor, probe.told, probe.found, probe.start, *page.fault_panel.faults]
    return parts + [
        part
        for lane_panel in page.lane_panels
        for part in (lane_panel.tab.tab, lane_panel.tab.facts, *lane_panel.live, *lane_panel.thoughts)
    ]


def hide(page: Page, session: Session) -> Updates:
    """Everything that names a model goes; the answers come with `blind_answers`."""
    panel = page.panel
    updates: Updates = {
        page.lanes: gr.Tabs(selected="all"),
        page.order: "",
        page.models: gr.CheckboxGroup(choices=[], value=[], label=f"{MODELS}: {HIDDEN.lower()}"),
        page.routing: blind_routing(),
        page.outlook: "",
        panel.report: "",
        panel.editor: "",
        panel.probe.told: "",
        panel.probe.found: "",
        panel.probe.start: gr.Button(visible=False),
        **{fault: gr.Dropdown(label=f"Model {at}") for at, fault in enumerate(page.fault_panel.faults, 1)},
    }
    for at, lane_panel in enumerate(page.lane_panels, 1):
        tab = lane_panel.tab
        updates |= {tab.tab: gr.Tab(label=f"Lane {at}"), tab.facts: ""}
        updates |= dict.fromkeys([tab.head, tab.reasoning, tab.answer, tab.foot, tab.request], "")
        updates |= dict.fromkeys(lane_panel.thoughts, gr.update(label="Reasoning"))
    return updates | blind_answers(page, session)


def blind_answers(page: Page, session: Session) -> Updates:
    """The cards: letters alone while anything runs, then all answers at once."""
    updates: Updates = {page.table: table_of(session)}
    blind = session.blind
    shown = blind is not None and all_ended(blind, session.replies)
    for place, index in enumerate(session.places()):
        card, lane = page.lane_panels[index].card, session.lane_at(index) or ""
        reply = session.replies.get(lane)
        updates |= {
            card.head: blind_head(place, reply, shown=shown),
            card.reasoning: "",
            card.answer: session.views.answer(reply) if shown and reply else "",
            card.foot: blind_foot(),
        }
    return updates


def unhide(page: Page, session: Session, prompt: str, routes: Sequence[Route]) -> Updates:
    """Everything that `hide` took away; `routes` are of `prompt`. What the lanes' controls hold has stayed."""
    panel, project = page.panel, session.project
    session.routes = routes
    updates: Updates = {
        page.models: gr.CheckboxGroup(
            choices=[model.name for model in session.models],
            value=[model.name for model in session.shown()],
            label=MODELS,
        ),
        page.table: table_of(session),
        page.routing: routing_card(session.routes, prompt),
        panel.report: report(session.loaded, session.title, session.broken),
        panel.editor: session.text if session.draft is None else session.draft,
        **_named_faults(page, session),
    }
    for lane_panel, model in zip(page.lane_panels, session.panel_models(), strict=False):
        updates |= live_updates(lane_panel, model, session)
        updates[lane_panel.tab.tab] = gr.Tab(label=model.name)
        updates[lane_panel.tab.facts] = model_facts(project, model) if project else ""
    return updates


def _named_faults(page: Page, session: Session) -> Updates:
    pairs = zip(page.fault_panel.faults, session.panel_models(), strict=False)
    return {fault: gr.Dropdown(label=model.name) for fault, model in pairs}


def kept_places(session: Session, blind: Blind) -> Markup:
    """A style by which the cards stay where they stood while their names were hidden."""
    rules = (
        f"#card-{seat}{{order:{blind.order.index(model.name)}}}"
        for seat, model in enumerate(session.panel_models())
        if model.name in blind.order
    )
    return tag("style", Markup("".join(rules)))


def ballot_of(session: Session) -> Ballot | None:
    """What of the newest question can be voted on; None while it runs, and where it is not kept."""
    record = session.record
    if session.runs or not session.replies:
        return None
    if record is None or session.trouble:  # then names can be told, but no vote is kept
        return Ballot(None, session.blind.order, frozenset(), session.blind) if session.blind else None
    shown = tuple(model.name for model in session.shown() if model.name in session.replies)
    lanes = session.blind.order if session.blind else shown
    return Ballot(record, lanes, answered(session.replies), session.blind, session.votes.get(record))


def names_of(session: Session) -> Mapping[str, str]:
    """Each lane's name with its model, to be told after the vote."""
    return {model.name: f"{model.name} ({model.provider} {model.model})" for model in session.panel_models()}
