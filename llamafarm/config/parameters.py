"""The parameters of chat requests that are known by name: which are numbers, and which a provider takes."""

from __future__ import annotations

NUMBERS = frozenset(
    {
        "temperature", "top_p", "min_p", "typical_p", "tfs_z", "frequency_penalty", "presence_penalty",
        "repeat_penalty", "repetition_penalty", "mirostat_tau", "mirostat_eta",
    }
)  # fmt: skip
WHOLE = frozenset(
    {
        "top_k", "max_tokens", "max_completion_tokens", "num_predict", "num_ctx", "n_ctx", "seed", "num_gpu",
        "num_thread", "num_batch", "num_keep", "main_gpu", "repeat_last_n", "mirostat", "top_logprobs", "n_batch",
        "n_gpu_layers", "n_threads", "thinking_budget",
    }
)  # fmt: skip
# https://github.com/ollama/ollama/blob/main/docs/api.md and its api.Options; names of OpenAI that we translate.
OLLAMA = NUMBERS - {"repetition_penalty"} | {
    "top_k", "num_predict", "num_ctx", "seed", "num_gpu", "num_thread", "num_batch", "num_keep", "main_gpu", "mirostat",
    "repeat_last_n", "stop", "use_mmap", "use_mlock", "numa", "low_vram", "f16_kv", "vocab_only", "logits_all",
    "penalize_newline", "draft_num_predict", "max_tokens", "max_completion_tokens", "response_format", "format",
    "think", "keep_alive", "truncate", "shift", "logprobs", "top_logprobs",
}  # fmt: skip
# https://platform.openai.com/docs/api-reference/chat/create
OPENAI = frozenset(
    {
        "audio", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata",
        "modalities", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "reasoning_effort",
        "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "temperature", "tool_choice",
        "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
    }
)  # fmt: skip
OTHERS = NUMBERS | OPENAI | WHOLE | {"min_tokens", "ignore_eos", "grammar", "json_schema", "think", "auto_truncate"}
