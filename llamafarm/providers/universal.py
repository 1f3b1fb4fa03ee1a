"""LlamaFarm's Universal Runtime: OpenAI's form, at an address that may leave out /v1."""

from __future__ import annotations

from llamafarm.providers.openai import OpenAICompatible


class Universal(OpenAICompatible):
    """The documentation writes its address without a path."""

    default_path = "/v1"
