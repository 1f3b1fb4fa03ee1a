"""Which parameter of a model's server fixes the random numbers of an answer."""

from __future__ import annotations

from llamafarm.config.model import NamedModel
from llamafarm.core.addresses import host_of

# By the servers' documentation: Mistral's has its own name, Anthropic's compatible address ignores it.
BY_HOST: dict[str, str | None] = {
    "api.mistral.ai": "random_seed",
    "api.anthropic.com": None,
}


def seed_parameter(model: NamedModel) -> str | None:
    """The name under which `model` takes a seed; None where it takes none.

    Taking one is no promise: OpenAI calls it best effort, and batching on a server may change answers all the same.
    """
    return BY_HOST.get(host_of(model.base_url or ""), model.profile.seed)
