"""The conversation's panel, and what of the page follows from its turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from llamafarm.ui.compare.lane_panel import LanePanel, html
from llamafarm.ui.conversation.conversation import Turn, ledger, transcript, turn_names
from llamafarm.ui.parts.markup import tag
from llamafarm.ui.parts.pictures import shown
from llamafarm.ui.parts.shell import starters
from llamafarm.ui.sessions import Session
from llamafarm.ui.votes.blind import HIDDEN


@dataclass(frozen=True, slots=True)
class Pictures:
    """The row under the prompt: what goes with it."""

    attach: gr.Button
    uploaded: gr.JSON
    shown: gr.HTML
    remove: gr.Button


@dataclass(frozen=True, slots=True)
class Talk:
    """All turns with their figures, and what can be done with one of them."""

    panel: gr.Accordion
    ledger: gr.HTML
    turn: gr.Dropdown
    edit: gr.Button
    remove: gr.Button
    clear: gr.Button
    editing: gr.HTML
    starters: gr.HTML


def build_pictures() -> Pictures:
    """Build the row inside the current Blocks."""
    with gr.Row(elem_id="pictures"):
        attach = gr.Button("Attach pictures…", size="sm", min_width=140, scale=0, elem_id="attach")
        chips = html(elem_id="attached")
        remove = gr.Button("Remove pictures", size="sm", min_width=140, scale=0, elem_id="detach")
        uploaded = gr.JSON(visible=False)
    return Pictures(attach, uploaded, chips, remove)


def build_talk(editing: gr.HTML, begin: gr.HTML) -> Talk:
    """Build the panel inside the current Blocks; `editing` stands by the prompt, and says which turn is in it.

    `begin` stands where the answers will be.
    """
    with gr.Accordion("Conversation", open=False, elem_id="talk") as panel:
        book = html(elem_id="ledger")
        with gr.Row(elem_id="talk-tools"):
            turn = gr.Dropdown([], label="Turn", elem_id="turn", scale=3, min_width=220)
            edit = gr.Button("Edit and ask again", size="sm", min_width=130, elem_id="edit-turn")
            remove = gr.Button("Remove this turn", size="sm", min_width=130, elem_id="remove-turn")
            clear = gr.Button("Clear all", size="sm", min_width=90, elem_id="clear-turns")
    return Talk(panel, book, turn, edit, remove, clear, editing, begin)


def talk_outputs(talk: Talk, pictures: Pictures, follow: gr.Button, lane_panels: Sequence[LanePanel]) -> list[Any]:
    """All components that `talk_updates` may change."""
    past: list[Component] = [component for lane_panel in lane_panels for component in lane_panel.past]
    return [talk.panel, talk.ledger, talk.turn, talk.editing, talk.starters, pictures.shown, follow, *past]


def talk_updates(
    talk: Talk,
    pictures: Pictures,
    follow: gr.Button,
    lane_panels: Sequence[LanePanel],
    session: Session,
    *,
    running: bool = False,
) -> dict[Any, Any]:
    """The panel and every lane's earlier turns; while a question runs, its own turn is not counted yet."""
    turns = session.turns if running else session.all_turns()
    updates: dict[Any, Any] = {
        talk.panel: gr.update(label=f"Conversation ({len(turns)})" if turns else "Conversation"),
        talk.ledger: _ledger(session, turns),
        talk.turn: gr.Dropdown(choices=[(name, at) for at, name in enumerate(turn_names(turns))], value=None),
        talk.editing: _editing(session),
        talk.starters: starters() if session.question is None and not turns else "",
        pictures.shown: shown(session.pictures),
        follow: gr.Button(interactive=bool(turns) and not running),
    }
    newest = session.question.messages[-1].content if session.question else ""
    for index in range(min(len(lane_panels), len(session.panel_models()))):
        lane = session.lane_at(index)
        updates |= dict.fromkeys(
            lane_panels[index].past, "" if lane is None else transcript(session.turns, lane, newest)
        )
    return updates


def _ledger(session: Session, turns: Sequence[Turn]) -> str:
    if not turns:
        return tag("p", "Nothing has been asked yet.", class_="lf-sub")
    return tag("p", HIDDEN, class_="lf-sub") if session.blind else ledger(turns)


def _editing(session: Session) -> str:
    if session.editing is None:
        return ""
    words = f"Turn {session.editing + 1} is being edited: Follow up asks it again, and what came after it goes."
    return tag("p", words, class_="lf-note lf-warn-text")
