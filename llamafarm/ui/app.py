"""The page: its components wired to what they do, mounted on a FastAPI application."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio.blocks import Block

from llamafarm.runtime import Runtime
from llamafarm.settings import ServerSettings
from llamafarm.ui.handlers import Handlers
from llamafarm.ui.layout import Page, build
from llamafarm.ui.projects import Projects
from llamafarm.ui.runs import Runner
from llamafarm.ui.sessions import Sessions
from llamafarm.ui.temperature import scale
from llamafarm.ui.theme import css, head, script, theme

EVENTS_AT_ONCE = 500  # Gradio's own bound is 40 for the whole process: the 41st tab would wait
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build_page(runtime: Runtime, settings: ServerSettings) -> gr.Blocks:
    """The page as Gradio Blocks; nothing is opened and nothing runs before a browser comes."""
    projects = Projects(runtime, settings)
    demo = gr.Blocks(title="LlamaFarm Playground", fill_width=True, analytics_enabled=False)
    with demo:
        page = build(projects.sources(), paths=settings.loopback)
        handlers = Handlers(page, projects, Runner(runtime, page), Sessions())
        _wire_project(demo, page, handlers)
        _wire_prompt(page, handlers)
        _wire_lanes(page, handlers)
    demo.max_threads = EVENTS_AT_ONCE
    demo.queue(default_concurrency_limit=None, api_open=False)
    return demo


def mount(app: FastAPI, runtime: Runtime, *, settings: ServerSettings) -> FastAPI:
    """Mount the page at `/`, after all other routes: what is added later would be shadowed.

    `has_launched` switches on Gradio's check that file inputs were uploaded by their user; mounting
    leaves it off, and then any file of the server could be read through the page.
    """
    demo = build_page(runtime, settings)
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
    return mounted


def _shown(page: Page) -> list[Block]:
    """All that opening a project changes."""
    outputs: list[Block] = [page.masthead, page.models, page.variables, page.table, page.routing, page.send, page.stop]
    panel = page.panel
    outputs += [panel.report, panel.asks, panel.trust, panel.editor, panel.check]
    outputs += page.theatre.faults
    for slot in page.slots:
        tab = slot.tab
        outputs += [slot.card.column, tab.tab, tab.facts, tab.guide, *tab.controls, *slot.live]
    return outputs


def _wire_project(demo: gr.Blocks, page: Page, handlers: Handlers) -> None:
    panel, shown = page.panel, _shown(page)
    demo.load(handlers.start, [page.prompt], shown, **QUIET)
    demo.load(None, None, None, js=script("start.js"))
    panel.source.input(handlers.open_named, [panel.source, page.prompt], shown, trigger_mode="always_last", **QUIET)
    for trigger in (panel.open_path.click, panel.path.submit):
        trigger(handlers.open_path, [panel.path, page.prompt], shown, **QUIET)
    panel.upload.click(handlers.open_upload, [panel.uploaded, page.prompt], shown, js=script("upload.js"), **QUIET)
    panel.apply.click(handlers.open_text, [panel.editor, page.prompt], shown, **QUIET)
    panel.trust.click(handlers.trust, [page.prompt], shown, **QUIET)
    panel.editor.input(handlers.check, [panel.editor], [panel.check], trigger_mode="always_last", **QUIET)


def _wire_prompt(page: Page, handlers: Handlers) -> None:
    controls = [control for slot in page.slots for control in slot.tab.controls]
    asked = [page.prompt, page.variables, *page.theatre.inputs, *controls]
    live = [component for slot in page.slots for component in slot.live]
    page.send.click(
        handlers.send,
        asked,
        [page.send, page.stop, page.table, page.routing, *live],
        concurrency_limit=None,
        **QUIET,
    )
    page.stop.click(handlers.stop, None, None, queue=False, **QUIET)
    page.prompt.change(handlers.route, [page.prompt], [page.routing, page.table], trigger_mode="always_last", **QUIET)
    columns = [component for slot in page.slots for component in (slot.card.column, slot.tab.tab)]
    seated = [c for slot in page.slots for c in (slot.tab.facts, slot.tab.guide, *slot.tab.controls)]
    chosen = [page.models, page.table, *page.theatre.faults, *columns, *seated, *live]
    page.models.input(handlers.choose, [page.models], chosen, trigger_mode="always_last", **QUIET)
    page.csv.click(handlers.csv, None, [page.csv_text], **QUIET).then(
        None, [page.csv_text], None, js=script("download.js")
    )


def _wire_lanes(page: Page, handlers: Handlers) -> None:
    controls = [control for slot in page.slots for control in slot.tab.controls]
    for seat, slot in enumerate(page.slots):
        tab = slot.tab
        for stop in (slot.card.stop, tab.stop):
            stop.click(handlers.stop_lane(seat), None, None, queue=False, **QUIET)
        for retry in (slot.card.retry, tab.retry):
            retry.click(
                handlers.retry(seat),
                [page.prompt, page.variables, *page.theatre.inputs, *controls],
                [page.table, *slot.live],
                concurrency_limit=None,
                **QUIET,
            )
        for control in (tab.send_temperature, tab.temperature):
            control.change(
                lambda send, value: scale(value if send else None),
                [tab.send_temperature, tab.temperature],
                [tab.guide],
                trigger_mode="always_last",
                **QUIET,
            )
