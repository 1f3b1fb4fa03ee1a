"""For all tests: no network but this machine, no keys of the person who runs them, nothing kept at home."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import Phase, settings

# Numpy reads it once: with two threads, linear algebra on cores that others use takes many times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each program that a test starts would compile everything anew

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)  # to explain takes minutes
settings.register_profile("suite", deadline=None, max_examples=60, phases=PHASES)
settings.register_profile("repeatable", settings.get_profile("suite"), derandomize=True)
settings.register_profile("few", settings.get_profile("repeatable"), max_examples=10)  # what ran in full elsewhere
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """Connecting to anything but loopback fails the test that tries."""
    real = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def nothing_at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers that outlive a test keep their history in a folder of the run."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    for name in ("LF_DATABASE_URL", "LF_DATA_DIR"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def certificates_are_read_once() -> Iterator[None]:
    """Mozilla's list takes 50 ms to read, and most tests open a client: they share what was read of it."""
    real = ssl.create_default_context
    shared = real(cafile=certifi.where())

    def made(*purpose: Any, **given: Any) -> ssl.SSLContext:
        listed = not purpose and given == {"cafile": certifi.where(), "capath": None}
        return shared if listed else real(*purpose, **given)

    patch = pytest.MonkeyPatch()
    patch.setattr(ssl, "create_default_context", made)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_KEYS", "_PROXY", "_proxy")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
