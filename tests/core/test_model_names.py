"""Names of models: what servers add is tolerated, another model is not."""

from __future__ import annotations

import pytest

from llamafarm.core.model_names import file_of, same_model

SAME = [
    ("GPT-4o", "gpt-4o"),
    ("gpt-4o-2024-08-06", "gpt-4o"),
    ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
    ("gemini-2.0-flash-001", "gemini-2.0-flash"),
    ("models/gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
    ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
    ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet-latest"),
    ("claude-3-5-sonnet-20241022", "anthropic/claude-3.5-sonnet"),
    ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
    ("mistral-small-2503", "mistral-small-latest"),
    ("deepseek/deepseek-chat-v3-0324", "deepseek/deepseek-chat:free"),
    ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-v3p1-8b-instruct"),
    ("openai/gpt-4o", "gpt-4o"),
    ("llama3.2:latest", "llama3.2"),
    ("llama3.2:3b", "llama3.2"),
    ("llama-3.2", "llama3.2"),
    ("mlx-community/Qwen3-4B-4bit", "qwen3-4b"),
    ("hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", "llama-3.2-1b-instruct"),
    ("/models/smollm2@main", "/models/smollm2"),
    ("/models/smollm2@main", "smollm2"),
    ("/models/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
    ("/models/SmolLM2-135M-Instruct-Q8_0.gguf", "smollm2"),
    ("C:\\models\\Qwen2.5-7B.gguf", "qwen2.5-7b"),
    ("big-00001-of-00003.gguf", "big"),
    ("ggml-org_Tiny-GGUF_Tiny-Q8_0.gguf", "ggml-org/Tiny-GGUF:Q8_0"),
    ("/cache/models--HuggingFaceTB--SmolLM2-135M/snapshots/12fd25f77366fa6b", "HuggingFaceTB/SmolLM2-135M"),
    ("unknown", "gpt-4o"),
    ("anything", ""),
]
OTHER = [
    ("gpt-4o-mini", "gpt-4o"),
    ("gpt-4", "gpt-4o"),
    ("gpt-4.1", "gpt-4"),
    ("gpt-4-turbo", "gpt-4"),
    ("gpt-4o-audio-preview", "gpt-4o"),
    ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
    ("claude-sonnet-4-5", "claude-sonnet-4"),
    ("openai/gpt-4o", "openrouter/auto"),
    ("llama3.2:1b", "llama3.2:3b"),
    ("deepseek-r1:1.5b", "deepseek-r1:8b"),
    ("llama-3.1-8b", "llama-3.1-70b"),
    ("gemini-1.5-pro-001", "gemini-1.5-pro-002"),
    ("mistral-large-latest", "mistral-small-latest"),
    ("x-Q4_K_M.gguf", "x-Q8_0.gguf"),
    ("mini-gpt-4o", "gpt-4o"),
    ("C:\\models\\a.gguf", "b"),
    ("mistral", "m"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_servers_add_to_a_name_is_the_same_model(one: str, other: str) -> None:
    assert same_model(one, other)
    assert same_model(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_size_version_snapshot_or_maker_is_another_model(one: str, other: str) -> None:
    assert not same_model(one, other)
    assert not same_model(other, one)


def test_a_folder_is_told_nobody() -> None:
    assert (file_of("/home/somebody/Tiny-Q8_0.gguf"), file_of("openai/gpt-4o")) == ("Tiny-Q8_0", "openai/gpt-4o")
