"""Lemonade server: OpenAI's form under /api/v1."""

from __future__ import annotations

from llamafarm.providers.openai import OpenAICompatible, with_path


class Lemonade(OpenAICompatible):
    """Its API stands under /api/v1."""

    def base_url(self) -> str:
        """The address, with /api/v1 where the file gives no path."""
        return with_path(super().base_url(), "/api/v1")
