"""The page: its components wired to what they do, mounted on a FastAPI application."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio.blocks import Block
from gradio.events import Dependency

from llamafarm.access.asgi import App
from llamafarm.access.settings import ServerSettings
from llamafarm.runtime import Runtime
from llamafarm.ui.batch.files import add_batch_files
from llamafarm.ui.batch.handlers import BatchHandlers
from llamafarm.ui.batch.wiring import wire_batch
from llamafarm.ui.compare.rerun import Rerun
from llamafarm.ui.compare.runs import Runner
from llamafarm.ui.compare.tool_handlers import ToolHandlers
from llamafarm.ui.conversation.handlers import TalkHandlers
from llamafarm.ui.conversation.panel import talk_outputs
from llamafarm.ui.gradio_workarounds.blocks import QUIET, QuickBlocks, leave_matplotlib_alone
from llamafarm.ui.gradio_workarounds.routes import OwnRoutes
from llamafarm.ui.gradio_workarounds.states import TabStates
from llamafarm.ui.handlers import Handlers
from llamafarm.ui.history.handlers import HistoryHandlers
from llamafarm.ui.history.wiring import wire_history, wire_votes
from llamafarm.ui.lab.handlers import LabHandlers
from llamafarm.ui.lab.past import LabPast
from llamafarm.ui.lab.wiring import wire_lab
from llamafarm.ui.layout import Page, build
from llamafarm.ui.parts.downloads import add_downloads
from llamafarm.ui.parts.temperature import scale
from llamafarm.ui.project.discovered_handlers import DiscoveryHandlers, wire_discovery
from llamafarm.ui.project.probe import ProbePanel
from llamafarm.ui.project.probe_handlers import ProbeHandlers
from llamafarm.ui.project.projects import Projects
from llamafarm.ui.routing.handlers import RoutingHandlers
from llamafarm.ui.routing.wiring import wire_routing
from llamafarm.ui.tabs import Tabs
from llamafarm.ui.theme import css, head, script, theme
from llamafarm.ui.votes.handlers import VoteHandlers
from llamafarm.ui.votes.hiding import hidden_parts

EVENTS_AT_ONCE = 500  # Gradio's own bound is 40 for the whole process: the 41st tab would wait


def build_page(runtime: Runtime, settings: ServerSettings, tabs: Tabs) -> gr.Blocks:
    """The page as Gradio Blocks; nothing is opened and nothing runs before a browser comes in one of `tabs`."""
    leave_matplotlib_alone()
    projects = Projects(runtime, reached=not settings.has_operator)
    demo = QuickBlocks(title="LlamaFarm Playground", fill_width=True, analytics_enabled=False)
    with demo:
        page = build(projects.sources())
        handlers = Handlers(page, projects, Runner(runtime, page), tabs)
        opening = _wire_project(demo, page, handlers)
        discovery = DiscoveryHandlers(handlers, page.discovery)
        wire_discovery(demo, discovery, _shown(page), _asked(page), _running(page))
        _wire_prompt(page, handlers)
        _wire_lanes(page, handlers)
        _wire_talk(page, TalkHandlers(handlers))
        _wire_tools(page, ToolHandlers(handlers))
        _wire_probe(page.panel.probe, ProbeHandlers(handlers, page.panel.probe))
        past = HistoryHandlers(handlers, page.history, shared=settings.protected)
        wire_history(page, opening, past, Rerun(handlers), _refilled(page))
        lab = LabHandlers(handlers, page.lab)
        wire_lab(page, lab, LabPast(lab, past))
        wire_votes(page, VoteHandlers(past), [*_running(page), *page.verdict.outputs])
        wire_batch(page, BatchHandlers(handlers, page.batch))
        wire_routing(page, RoutingHandlers(handlers, page.routing_tab))
    demo.show_progress_at(page.masthead)
    demo.max_threads = EVENTS_AT_ONCE
    demo.queue(default_concurrency_limit=None, api_open=False)
    return demo


def mount(app: FastAPI, runtime: Runtime, *, settings: ServerSettings) -> App:
    """The page at `/` of `app`, after all other routes: what is added later would be shadowed.

    `has_launched` switches on Gradio's check that file inputs were uploaded by their user; mounting
    leaves it off, and then any file of the server could be read through the page.
    """
    add_downloads(app, runtime)
    add_batch_files(app, runtime)
    tabs = Tabs()
    app.router.lifespan_context = tabs.kept_short
    demo = build_page(runtime, settings, tabs)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        demo,
        path="/",
        theme=theme(),
        css=css(),
        head=head(),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size="1mb",
        ssr_mode=False,
        enable_monitoring=False,
    )
    demo.has_launched = True
    _keep_little(mounted, demo, tabs)
    return OwnRoutes(mounted)


def _keep_little(mounted: FastAPI, demo: gr.Blocks, tabs: Tabs) -> None:
    """Put our states in the place of Gradio's own, which keep a copy of the page for each of ten thousand tabs."""
    for page in (getattr(route, "app", None) for route in mounted.routes):
        if isinstance(page, gr.routes.App):
            page.state_holder = TabStates(tabs)
            page.state_holder.set_blocks(demo)


def _shown(page: Page) -> list[Block]:
    """All that opening a project changes."""
    outputs: list[Block] = [page.masthead, page.banner, page.order, page.models, page.variables]
    outputs += [page.table, page.routing, page.outlook]
    outputs += [page.send, page.stop, *page.verdict.outputs, *_talk(page), page.tools.ask]
    outputs += [page.tools.listed, page.tools.tool, page.tools.result]
    panel = page.panel
    outputs += [
        panel.source,
        panel.path,
        panel.open_path,
        panel.no_path,
        panel.report,
        panel.asks,
        panel.trust,
        panel.editor,
        panel.check,
        panel.probe.told,
        panel.probe.found,
        panel.probe.start,
        panel.probe.stop,
    ]
    outputs += page.fault_panel.faults
    for lane_panel in page.lane_panels:
        tab = lane_panel.tab
        outputs += [
            lane_panel.card.column,
            tab.tab,
            tab.facts,
            tab.guide,
            *tab.controls,
            *lane_panel.live,
            *lane_panel.thoughts,
        ]
    return outputs


def _talk(page: Page) -> list[Block]:
    return talk_outputs(page.talk, page.pictures, page.follow, page.lane_panels)


def _live(page: Page) -> list[Block]:
    """What follows the replies of all lanes."""
    gate = [page.gate.shown, page.gate.key]
    return gate + [
        component for lane_panel in page.lane_panels for component in (*lane_panel.live, *lane_panel.thoughts)
    ]


def _asked(page: Page) -> list[Any]:
    """What Send, Follow up and Retry read."""
    controls = [control for lane_panel in page.lane_panels for control in lane_panel.tab.controls]
    return [page.prompt, page.variables, page.fair, page.tools.ask, page.blind, *page.fault_panel.inputs, *controls]


def _wire_project(demo: gr.Blocks, page: Page, handlers: Handlers) -> Dependency:
    panel, shown = page.panel, _shown(page)
    opened = demo.load(handlers.start, [page.prompt], shown, **QUIET)
    # What was typed while the page opened had no project yet.
    opened.then(handlers.catch_up, [page.prompt], [page.routing, page.table, page.outlook], **QUIET)
    page.here.tick(handlers.here, None, None, queue=False, **QUIET)
    panel.source.input(handlers.open_named, [panel.source, page.prompt], shown, trigger_mode="always_last", **QUIET)
    for trigger in (panel.open_path.click, panel.path.submit):
        trigger(handlers.open_path, [panel.path, page.prompt], shown, **QUIET)
    panel.upload.click(handlers.open_upload, [panel.uploaded, page.prompt], shown, js=script("upload.js"), **QUIET)
    panel.apply.click(handlers.open_text, [panel.editor, page.prompt], shown, **QUIET)
    panel.trust.click(handlers.trust, [page.prompt], shown, **QUIET)
    panel.editor.input(handlers.check, [panel.editor], [panel.check], trigger_mode="always_last", **QUIET)
    return opened


def _wire_prompt(page: Page, handlers: Handlers) -> None:
    running = _running(page)
    page.send.click(handlers.send, _asked(page), running, concurrency_limit=None, **QUIET)
    page.stop.click(handlers.stop, None, None, queue=False, **QUIET)
    routed = [page.routing, page.table, page.outlook]
    page.prompt.change(handlers.route, [page.prompt], routed, trigger_mode="always_last", **QUIET)
    inputs = [page.models, page.prompt]
    page.models.input(handlers.choose, inputs, _chosen(page), trigger_mode="always_last", **QUIET)
    for button, file in ((page.csv, handlers.csv), (page.parquet, handlers.parquet)):
        button.click(file, None, [page.table_file], **QUIET).then(
            None, [page.table_file], None, js=script("download.js")
        )


def _running(page: Page) -> list[Block]:
    """All that asking changes."""
    frame = [page.send, page.stop, page.banner, page.notice, page.gate.shown, page.gate.key, *page.verdict.outputs]
    return [*frame, *_talk(page), *hidden_parts(page)]


def _refilled(page: Page) -> list[Block]:
    """All that putting a past comparison into the page changes."""
    own = [
        page.prompt,
        page.variables,
        *(control for lane_panel in page.lane_panels for control in lane_panel.tab.controls),
    ]
    guides = [lane_panel.tab.guide for lane_panel in page.lane_panels]
    columns = [lane_panel.card.column for lane_panel in page.lane_panels]
    return [page.pages, *own, *guides, *columns, *_running(page)]


def _chosen(page: Page) -> list[Block]:
    """All that choosing models changes."""
    columns = [
        component for lane_panel in page.lane_panels for component in (lane_panel.card.column, lane_panel.tab.tab)
    ]
    seated = [
        c
        for lane_panel in page.lane_panels
        for c in (lane_panel.tab.facts, lane_panel.tab.guide, *lane_panel.tab.controls)
    ]
    return [
        page.models,
        page.banner,
        page.table,
        page.outlook,
        *page.fault_panel.faults,
        *columns,
        *seated,
        *_live(page),
    ]


def _wire_talk(page: Page, handlers: TalkHandlers) -> None:
    talk, pictures = page.talk, page.pictures
    running = _running(page)
    page.follow.click(handlers.follow_up, _asked(page), running, concurrency_limit=None, **QUIET)
    page.follow.click(None, None, None, js=script("select.js"))
    talk.edit.click(handlers.edit, [talk.turn], [page.prompt, *_talk(page)], **QUIET)
    anew = _running(page)
    talk.remove.click(handlers.remove, [talk.turn, page.prompt], anew, **QUIET)
    talk.clear.click(handlers.clear, [page.prompt], anew, **QUIET)
    attached = [page.table, page.routing, page.outlook, *_talk(page)]
    pictures.attach.click(
        handlers.attach, [pictures.uploaded, page.prompt], attached, js=script("pictures.js"), **QUIET
    )
    pictures.remove.click(handlers.detach, [page.prompt], attached, **QUIET)
    for index, lane_panel in enumerate(page.lane_panels):
        for alone in (lane_panel.card.alone, lane_panel.tab.alone):
            alone.click(handlers.alone(index), [page.prompt], _chosen(page), **QUIET)


def _wire_tools(page: Page, handlers: ToolHandlers) -> None:
    gate, tools = page.gate, page.tools
    for button, answer in ((gate.allow, handlers.allow), (gate.deny, handlers.deny)):
        button.click(answer, [gate.key], [gate.shown, gate.key], **QUIET)
    slow = QUIET | {"show_progress": "minimal"}
    tools.find.click(handlers.find, None, [tools.listed, tools.tool], **slow)
    tools.call.click(handlers.call, [tools.tool, tools.arguments], [tools.result], **slow)


def _wire_probe(panel: ProbePanel, handlers: ProbeHandlers) -> None:
    shown: list[Block] = [panel.told, panel.found, panel.start, panel.stop]
    panel.plan.click(handlers.plan, None, shown, **QUIET)
    panel.start.click(handlers.start, None, shown, concurrency_limit=None, **QUIET)
    panel.stop.click(handlers.stop, None, None, queue=False, **QUIET)


def _wire_lanes(page: Page, handlers: Handlers) -> None:
    for index, lane_panel in enumerate(page.lane_panels):
        tab = lane_panel.tab
        for stop in (lane_panel.card.stop, tab.stop):
            stop.click(handlers.stop_lane(index), None, None, queue=False, **QUIET)
        followed = [
            page.send,
            page.stop,
            page.banner,
            page.table,
            page.gate.shown,
            page.gate.key,
            page.notice,
            *page.verdict.outputs,
            *_talk(page),
        ]
        for retry in (lane_panel.card.retry, tab.retry):
            retry.click(
                handlers.retry(index),
                _asked(page),
                [*followed, *lane_panel.live, *lane_panel.thoughts],
                concurrency_limit=None,
                **QUIET,
            )
        # One listener for both: two would race, and the first one's answer could stay. It hears only what a person
        # does: wherever the page sets the values it sets the guide too.
        gr.on(
            [tab.send_temperature.input, tab.temperature.input],
            _guide,
            [tab.send_temperature, tab.temperature],
            [tab.guide],
            trigger_mode="always_last",
            **QUIET,
        )


async def _guide(sent: object, temperature: float) -> str:
    return scale(temperature if sent else None)
