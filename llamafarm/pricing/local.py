"""Which models run on hardware of one's own, and so cost nothing a token."""

from __future__ import annotations

import ipaddress

from llamafarm.conditions import host_of
from llamafarm.config.model import NamedModel

LOCAL_PROVIDERS = ("ollama", "universal", "lemonade")
CLOUD_MARKS = ("-cloud", ":cloud")
LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def runs_here(model: NamedModel) -> bool:
    """Whether `model` runs on this machine, or on a local provider's server in one's own network.

    Not an `openai` provider on loopback: that may be a proxy to something paid. Not Ollama's cloud models,
    which a local server passes on.
    """
    if model.provider == "embedded":
        return True
    if model.provider not in LOCAL_PROVIDERS or model.model.endswith(CLOUD_MARKS):
        return False
    return _is_own(host_of(model.base_url or ""))


def _is_own(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(LOCAL_NAMES)
    return address.is_loopback or address.is_private or address.is_link_local
