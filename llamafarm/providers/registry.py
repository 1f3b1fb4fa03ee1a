"""From a named model to its provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from llamafarm.config.model import NamedModel
from llamafarm.errors import ModelUnusable
from llamafarm.providers.base import Provider
from llamafarm.providers.lemonade import Lemonade
from llamafarm.providers.ollama import Ollama
from llamafarm.providers.openai import OpenAICompatible
from llamafarm.providers.retry import Pauses, Retried
from llamafarm.providers.universal import Universal

REMOTE: dict[str, Callable[[NamedModel, httpx.AsyncClient], Provider]] = {
    "openai": OpenAICompatible,
    "ollama": Ollama,
    "universal": Universal,
    "lemonade": Lemonade,
}


@dataclass(frozen=True, slots=True)
class Providers:
    """Gives each named model its provider, with the policies that hold for all."""

    client: httpx.AsyncClient
    embedded: Callable[[NamedModel], Provider]
    pauses: Pauses = Pauses()

    def for_model(self, model: NamedModel) -> Provider:
        """The provider of `model`. Raises ModelUnusable where the model has problems."""
        if model.problems:
            problem = model.problems[0]
            place = f" (line {problem.line})" if problem.line else ""
            raise ModelUnusable(f"{model.name} can't be used: {problem.message}{place}")
        if model.provider == "embedded":
            return self.embedded(model)
        return Retried(REMOTE[model.provider](model, self.client), self.pauses)
