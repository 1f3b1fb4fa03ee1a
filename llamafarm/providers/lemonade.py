"""Lemonade server: OpenAI's form under /api/v1."""

from __future__ import annotations

from llamafarm.providers.openai import OpenAICompatible


class Lemonade(OpenAICompatible):
    """Its API stands under /api/v1."""

    default_path = "/api/v1"
