"""LlamaFarm's Universal Runtime: OpenAI's form, at an address that may leave out /v1."""

from __future__ import annotations

from llamafarm.providers.openai import OpenAICompatible, with_path


class Universal(OpenAICompatible):
    """The documentation writes its address without a path."""

    def base_url(self) -> str:
        """The address, with /v1 where the file gives no path."""
        return with_path(super().base_url(), "/v1")
