"""A session's project as the values of the page's components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.sections.template import variables
from llamafarm.core.reply import Reply
from llamafarm.ui.compare.fault_injection import fault_updates
from llamafarm.ui.compare.lane_panel import LanePanel
from llamafarm.ui.compare.live import lane_values, reasoning_title
from llamafarm.ui.compare.settings import Settings
from llamafarm.ui.compare.table import condition_notes, shared, table
from llamafarm.ui.compare.tools import asked_before
from llamafarm.ui.layout import Page
from llamafarm.ui.parts.cards import model_facts, unusable
from llamafarm.ui.parts.shell import banner, masthead
from llamafarm.ui.parts.temperature import scale
from llamafarm.ui.project.file_cards import asks, no_paths, report, too_much
from llamafarm.ui.sessions import MAX_LANES, Session
from llamafarm.ui.votes.blind import blind_table

# What Gradio takes from a listener: components and their new values or gr.update(...) of several kinds.
Updates = dict[Any, Any]


def project_updates(page: Page, session: Session) -> Updates:
    """Everything that changes on the page when a session shows another project."""
    project, loaded = session.project, session.loaded
    untrusted = project is not None and not project.trusted
    panel, rights = page.panel, session.rights
    models = project.models if project else ()
    return {
        page.masthead: masthead(project),
        page.banner: banner_of(session),
        page.order: "",
        panel.source: session.source,
        panel.report: report(loaded, session.title, session.broken),
        panel.path: gr.Textbox(visible=rights.paths),
        panel.open_path: gr.Button(visible=rights.paths),
        panel.no_path: gr.HTML(no_paths(rights), visible=not rights.paths),
        panel.asks: gr.HTML(asks(loaded, rights), visible=untrusted),
        panel.trust: gr.Button(visible=untrusted and rights.trust and not too_much(loaded)),
        panel.editor: session.text,
        panel.check: "",
        panel.probe.told: "",
        panel.probe.found: "",
        panel.probe.start: gr.Button(visible=False),
        panel.probe.stop: gr.Button(visible=False),
        page.models: gr.CheckboxGroup(
            choices=[model.name for model in models],
            value=[model.name for model in session.shown()],
            label="Models that take part",
        ),
        page.variables: variables_box(project),
        page.table: table_of(session),
        **fault_updates(page.fault_panel, session.panel_models()),
        page.tools.ask: asked_before(project.mcp_servers if project else ()),
        page.tools.listed: "",
        page.tools.tool: gr.Dropdown(choices=[], value=None),
        page.tools.result: "",
        **slots_updates(page.lane_panels, session),
    }


def variables_box(project: Project | None) -> gr.Textbox:
    """The box for template variables, seen only where the project's prompts have any."""
    sets = project.prompts if project else ()
    prompts = [message.content for each in sets for message in each.messages]
    every = [text for model in project.models for text in project.templates_for(model)] if project else []
    found = variables([*prompts, *every])
    lines = "\n".join(f"{v.name}={'' if v.default is None else v.default}" for v in found)
    return gr.Textbox(value=lines, visible=bool(found))


def table_of(session: Session) -> str:
    """The live table of the session's lanes; where the file gave no project, why."""
    project = session.project
    if project is None:
        return unusable(session.loaded, session.title)
    if session.blind is not None:
        return blind_table(session.blind, session.replies, [session.trouble] if session.trouble else ())
    replies = [session.replies.get(model.name) or idle(model) for model in session.shown()]
    trouble = [session.trouble] if session.trouble else ()
    fair = any(reply.warmup is not None for reply in replies)
    notes = [*([] if fair else shared(session.shown())), *condition_notes(replies), *trouble]
    return table(replies, session.routes, project.default_model, notes, session.changed)


def banner_of(session: Session) -> str:
    """What stands in the way of answers; nothing while names are hidden."""
    if session.blind is not None:
        return ""
    replies = [session.replies[model.name] for model in session.shown() if model.name in session.replies]
    return banner(session.loaded, session.title, session.shown(), replies, broken=session.broken)


def idle(model: NamedModel) -> Reply:
    """The reply of a lane that nothing was asked of yet."""
    return Reply(
        lane=model.name,
        asked=model.name,
        model=model.name,
        provider=model.provider,
        model_id=model.model,
        status="idle",
        note="" if model.usable else "can't be used",
    )


def slots_updates(lane_panels: Sequence[LanePanel], session: Session, before: Sequence[NamedModel] = ()) -> Updates:
    """The cards and tabs of the session's lanes; those that are not used are hidden.

    Where the same model sat `before`, what a person has set there stays.
    """
    updates: Updates = {}
    panel_models = session.panel_models()
    chosen = {model.name for model in session.shown()}
    for index in range(MAX_LANES):
        lane_panel = lane_panels[index]
        model = panel_models[index] if index < len(panel_models) else None
        updates[lane_panel.card.column] = gr.Column(visible=model is not None and model.name in chosen)
        updates[lane_panel.tab.tab] = gr.Tab(label=model.name if model else "", visible=model is not None)
        stayed = index < len(before) and before[index] == model
        if model is not None and session.project is not None and not stayed:
            updates |= _slot_updates(lane_panel, session.project, model, session)
    return updates


def _slot_updates(lane_panel: LanePanel, project: Project, model: NamedModel, session: Session) -> Updates:
    settings = Settings.of(project, model)
    tab = lane_panel.tab
    return {
        tab.facts: model_facts(project, model),
        tab.system: settings.system,
        tab.send_temperature: settings.send_temperature,
        tab.temperature: settings.temperature,
        tab.guide: scale(settings.temperature if settings.send_temperature else None),
        tab.send_top_p: settings.send_top_p,
        tab.top_p: settings.top_p,
        tab.max_tokens: settings.max_tokens,
        tab.others: settings.others,
        **live_updates(lane_panel, model, session),
    }


def live_updates(lane_panel: LanePanel, model: NamedModel, session: Session) -> Updates:
    """The values of the components that follow the reply of the lane of `model`."""
    reply, changed = session.replies.get(model.name), session.changed.get(model.name, ())
    title = gr.update(label=reasoning_title(reply) if reply else "Reasoning")
    values: Updates = dict(zip(lane_panel.live, lane_values(model, reply, session.views, changed), strict=True))
    return values | dict.fromkeys(lane_panel.thoughts, title)
