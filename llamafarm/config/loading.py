"""Groups named models by what a server must load for them, so that those with the same load run together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from llamafarm.config.model import NamedModel
from llamafarm.core.types import JsonValue

# Parameters for whose change a server loads a model anew: Ollama's, then those of LlamaFarm's Universal runtime.
LOADED_WITH = (
    "num_ctx", "num_gpu", "num_thread", "num_batch", "main_gpu", "use_mmap", "use_mlock",
    "n_ctx", "n_batch", "n_gpu_layers", "n_threads", "flash_attn", "cache_type_k", "cache_type_v",
)  # fmt: skip
Loading = tuple[str, ...]
Item = TypeVar("Item")


def loading_of(model: NamedModel, parameters: Mapping[str, JsonValue]) -> Loading:
    """What is loaded for `model` with `parameters` over its own; empty where its server loads nothing for it."""
    if not model.profile.runs_models:
        return ()
    asked = {**model.parameters, **parameters}
    return (model.model, *(f"{name}={asked[name]}" for name in LOADED_WITH if asked.get(name) is not None))


def grouped(items: Sequence[tuple[Loading, Item]]) -> list[list[Item]]:
    """The items that need the same loaded, together, in the order in which each group first comes."""
    groups: dict[Loading, list[Item]] = {}
    for loading, item in items:
        groups.setdefault(loading, []).append(item)
    return list(groups.values())
