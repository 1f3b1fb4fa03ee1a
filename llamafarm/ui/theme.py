"""The look: one Gradio theme for light and dark, the style sheet, and the page's few lines of script."""

from __future__ import annotations

from importlib.resources import files

import gradio as gr


def theme() -> gr.themes.Base:
    """Quiet slate with one green; only fonts that Gradio carries, in weights whose files are whole."""
    sans = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    mono = gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700))
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.emerald,
        secondary_hue=gr.themes.colors.emerald,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
        font=(sans, "ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=(mono, "ui-monospace", "Consolas", "monospace"),
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary_dark="*neutral_900",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_shadow="none",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
        button_border_width="1px",
        block_label_text_weight="400",
        block_title_text_weight="700",
        block_title_text_size="*text_sm",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_large_text_weight="700",
        button_secondary_text_color="*neutral_800",
        button_secondary_text_color_dark="*neutral_100",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_800",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        slider_color="*primary_600",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_950",
    )


def css() -> str:
    """The style sheet."""
    return "".join(map(_asset, ("style.css", "shell.css", "compare.css", "history.css")))


def head() -> str:
    """What goes into the page's head: the stream of its events made whole, the frame, the lanes, and the keys."""
    return f"<script>{''.join(map(script, ('stream.js', 'page.js', 'shell.js', 'lanes.js')))}</script>"


def script(name: str) -> str:
    """A script of the page, as text."""
    return _asset(name)


def _asset(name: str) -> str:
    return (files("llamafarm.ui") / "assets" / name).read_text(encoding="utf-8")
