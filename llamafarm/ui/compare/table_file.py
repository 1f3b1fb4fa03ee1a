"""The live table as a file that the browser saves: see download.js."""

from __future__ import annotations

from base64 import b64encode

import gradio as gr

from llamafarm.output.sheet import REPLIES
from llamafarm.output.tables import TableForm, whole
from llamafarm.ui.parts.downloads import PARQUET
from llamafarm.ui.sessions import Session


async def table_file(session: Session, form: TableForm) -> str:
    """The CSV, or an address that holds the Parquet file; empty where there is nothing to save."""
    if session.blind is not None:
        gr.Warning("Vote first: the figures are hidden until then.")
        return ""
    replies = [session.replies[m.name] for m in session.shown() if m.name in session.replies]
    if not replies:
        return ""
    data = await whole(replies, REPLIES, form)
    return data.decode() if form == "csv" else f"data:{PARQUET};base64,{b64encode(data).decode()}"
