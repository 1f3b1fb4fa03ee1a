"""Which models run on hardware of one's own, and so cost nothing a token."""

from __future__ import annotations

from llamafarm.config.model import NamedModel
from llamafarm.core.addresses import on_own_network

CLOUD_MARKS = ("-cloud", ":cloud")


def runs_here(model: NamedModel) -> bool:
    """Whether `model` runs on this machine, or on a local provider's server in one's own network.

    Not an `openai` provider on loopback: that may be a proxy to something paid. Not Ollama's cloud models,
    which a local server passes on.
    """
    if model.profile.embedded:
        return True
    if not model.profile.runs_models or model.model.endswith(CLOUD_MARKS):
        return False
    return on_own_network(model.base_url or "")
