"""Provider profiles: default address, placeholder key and every other difference between provider names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llamafarm.config import parameters

BUNDLED = "smollm2-135m-instruct"  # the one embedded model that comes as a package, and needs no file of anybody's


@dataclass(frozen=True, slots=True)
class Profile:
    """A provider as far as it differs from a server that speaks OpenAI's API and tells nothing else of itself.

    address: its own, where the file gives none. placeholder_key: what its server wants to see, and no secret.
    key_variable: the usual environment variable of the key for its own address.
    embedded: its models run on this machine, in processes of the playground's own. runs_models: it loads and runs them
    on its own hardware; what else stands behind an address may be a gateway.
    places: how many of one model's answers go side by side. one_at_a_time: a second one waits for the first, by
    default. context: tokens of prompt and answer together, where that is fixed (else 0). context_parameter: what asks
    for them. context_option: what to raise for more, in words; None where the server's own words tell.
    parameters: all that it takes (at its own address alone, unless it runs models itself). seed: the one that fixes
    the random numbers, None where it takes none.
    refuses_by: the field that, when false, has a prompt that is too long refused instead of cut.
    output_bound: tokens of an answer where none are asked for. tells_cut: it says when an answer ended at its bound.
    thinking_parameter: what has tokens of its own beside the bound, when it is to think.
    lists_models: its list of models is whole. fetches_models: one that is not listed is fetched when it is asked.
    tells_loaded: it says which models are in memory. pull: the command that gets a model. start: the one that starts
    the server.
    """

    address: str = ""
    placeholder_key: str = ""
    key_variable: str = ""
    embedded: bool = False
    runs_models: bool = False
    places: int = 0
    one_at_a_time: bool = False
    context: int = 0
    context_parameter: str = ""
    context_option: str | None = None
    parameters: frozenset[str] | None = None
    seed: str | None = "seed"
    refuses_by: str = ""
    output_bound: int | None = None
    tells_cut: bool = True
    thinking_parameter: str = ""
    lists_models: bool = False
    fetches_models: bool = False
    tells_loaded: bool = False
    pull: str = ""
    start: str = ""


EMBEDDED = Profile(embedded=True, runs_models=True, places=4, context=4096, context_option="")
PROFILES: Mapping[str, Profile] = {
    "embedded": EMBEDDED,
    "ollama": Profile(
        address="http://localhost:11434",
        runs_models=True,
        one_at_a_time=True,  # the default of OLLAMA_NUM_PARALLEL
        context_parameter="num_ctx",
        context_option="num_ctx, an option of Ollama's that model_api_parameters may hold",
        parameters=parameters.OLLAMA,
        refuses_by="truncate",
        lists_models=True,
        tells_loaded=True,
        pull="ollama pull {model}",
        start="ollama serve",
    ),
    "openai": Profile(address="https://api.openai.com/v1", key_variable="OPENAI_API_KEY", parameters=parameters.OPENAI),
    "universal": Profile(
        address="http://127.0.0.1:11540/v1",
        placeholder_key="universal",
        runs_models=True,
        context_option="n_ctx, which the Universal runtime takes beside the parameters",
        seed=None,  # it names none among its parameters
        refuses_by="auto_truncate",
        output_bound=512,
        tells_cut=False,
        thinking_parameter="thinking_budget",
        fetches_models=True,
    ),
    "lemonade": Profile(
        address="http://127.0.0.1:11534/api/v1",
        placeholder_key="lemonade",
        runs_models=True,
        context_option="ctx_size, an option of Lemonade's server (--ctx-size)",
    ),
}
PROVIDERS = tuple(PROFILES)
_OTHER = Profile()


def profile_of(provider: str) -> Profile:
    """The profile of a provider by its name; one without anything particular where nobody knows it."""
    return PROFILES.get(provider, _OTHER)
