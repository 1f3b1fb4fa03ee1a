"""From a named model to its provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from llamafarm.config.model import NamedModel
from llamafarm.config.secrets.known import model_scrubber
from llamafarm.config.server import server_of
from llamafarm.core.errors import ModelUnusable
from llamafarm.core.types import Fault
from llamafarm.providers.base import Provider, Remote
from llamafarm.providers.http.client import Client
from llamafarm.providers.lemonade import Lemonade
from llamafarm.providers.ollama import Ollama
from llamafarm.providers.openai import OpenAICompatible
from llamafarm.providers.policies.fault_injection import FaultInjection
from llamafarm.providers.policies.in_flight import Watched
from llamafarm.providers.policies.retry import Pauses, Retried
from llamafarm.providers.policies.scrubbed import Scrubbed
from llamafarm.providers.residency import LoadTold, Residency
from llamafarm.providers.servers import Servers
from llamafarm.providers.universal import Universal

REMOTE: dict[str, Callable[[NamedModel, Client], Remote]] = {
    "openai": OpenAICompatible,
    "ollama": Ollama,
    "universal": Universal,
    "lemonade": Lemonade,
}


@dataclass(frozen=True, slots=True)
class Providers:
    """Gives each named model its provider, with the policies that hold for all.

    `faults` are staged for the named models, as a demonstration. `servers` knows who is asked now, `residency`
    which models are in memory.
    """

    client: Client
    embedded: Callable[[NamedModel], Provider]
    pauses: Pauses = Pauses()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    servers: Servers = field(default_factory=Servers)
    residency: Residency = field(default_factory=Residency)

    def staging(self, faults: Mapping[str, Fault]) -> Providers:
        """The same providers with `faults` staged; these here stay as they are."""
        return replace(self, faults=dict(faults))

    def once(self) -> Providers:
        """The same providers, where a request that fails is not sent again."""
        return replace(self, pauses=Pauses(tries=1))

    def for_model(self, model: NamedModel) -> Provider:
        """The provider of `model`. Raises ModelUnusable where the model has problems."""
        if model.problems:
            problem = model.problems[0]
            place = f" (line {problem.line})" if problem.line else ""
            raise ModelUnusable(f"{model.name} can't be used: {problem.message}{place}")
        profile = model.profile
        provider = self.embedded(model) if profile.embedded else REMOTE[model.provider](model, self.client)
        one_at_a_time = model.model if profile.one_at_a_time else ""
        if profile.tells_loaded:
            provider = LoadTold(provider, model, self.residency)
        if scrubber := model_scrubber(model):
            provider = Scrubbed(provider, scrubber)
        if fault := self.faults.get(model.name):
            provider = FaultInjection(provider, model.name, fault)
        return Retried(Watched(provider, server_of(model), self.servers, one_at_a_time), self.pauses)
