"""What was found: a model that a server lists, and a cloud provider whose key is in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that `server` (its name for people) lists at `base_url`, under its own name `model`.

    `billions` are its parameters, and `abilities` what it can do beside text, as far as the server or the name tells.
    `context_window`: how many tokens prompt and answer have together, where the server is bound to that.
    """

    server: str
    provider: str
    base_url: str
    model: str
    billions: float | None = None
    quantization: str = ""
    abilities: tuple[str, ...] = ()
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class Cloud:
    """A provider on the internet that speaks OpenAI's API; `model` is one of its smaller ones, to begin with."""

    variable: str
    name: str
    base_url: str
    model: str


# Names of variables and addresses as each provider's own documentation has them.
CLOUDS = (
    Cloud("OPENAI_API_KEY", "OpenAI", "https://api.openai.com/v1", "gpt-4o-mini"),
    Cloud("ANTHROPIC_API_KEY", "Anthropic", "https://api.anthropic.com/v1", "claude-haiku-4-5"),
    Cloud(
        "GEMINI_API_KEY", "Gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash-lite"
    ),
    Cloud("MISTRAL_API_KEY", "Mistral", "https://api.mistral.ai/v1", "mistral-small-latest"),
    Cloud("GROQ_API_KEY", "Groq", "https://api.groq.com/openai/v1", "llama-3.1-8b-instant"),
    Cloud("TOGETHER_API_KEY", "Together", "https://api.together.xyz/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    Cloud("OPENROUTER_API_KEY", "OpenRouter", "https://openrouter.ai/api/v1", "openrouter/auto"),
    Cloud("DEEPSEEK_API_KEY", "DeepSeek", "https://api.deepseek.com/v1", "deepseek-chat"),
    Cloud("XAI_API_KEY", "xAI", "https://api.x.ai/v1", "grok-3-mini"),
    Cloud("CEREBRAS_API_KEY", "Cerebras", "https://api.cerebras.ai/v1", "llama3.1-8b"),
    Cloud(
        "FIREWORKS_API_KEY", "Fireworks", "https://api.fireworks.ai/inference/v1",
        "accounts/fireworks/models/llama-v3p3-70b-instruct",
    ),
    Cloud("HF_TOKEN", "Hugging Face", "https://router.huggingface.co/v1", "meta-llama/Llama-3.1-8B-Instruct"),
)  # fmt: skip


def clouds_of(variables: Mapping[str, str]) -> tuple[Cloud, ...]:
    """The providers whose variable is among `variables`, and not empty; what it holds is not kept."""
    return tuple(cloud for cloud in CLOUDS if variables.get(cloud.variable))
