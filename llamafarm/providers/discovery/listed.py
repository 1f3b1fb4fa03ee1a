"""From a server's list to the models that can chat: in the words of Ollama, LM Studio, Lemonade, llama.cpp and vLLM.

https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models,
https://lmstudio.ai/docs/developer/rest/endpoints, https://lemonade-server.ai/docs/server/server_spec/. What a server
says is held to what such a thing can be: a size is a number of parameters, a quantization one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from llamafarm.config.discovery.draft import can_be_offered
from llamafarm.config.discovery.found import FoundModel
from llamafarm.core.types import JsonValue
from llamafarm.providers.discovery.places import Place

MOST_READ = 500  # entries of one list
MOST_BILLIONS = 100_000.0
MOST_CONTEXT = 100_000_000
WORDS = {"tools": "tools", "tool_use": "tools", "tool-calling": "tools", "vision": "vision", "multimodal": "vision",
         "thinking": "reasoning", "reasoning": "reasoning", "vlm": "vision", "audio": "audio"}  # fmt: skip
CHATS = frozenset(("completion", "chat", "llm", "vlm"))
OTHER_WORK = frozenset(
    ("embedding", "embeddings", "reranking", "rerank", "transcription", "tts", "speech", "image", "image-generation")
)
_SIZE = re.compile(r"(?<![\d.])(?:(\d{1,3})x)?(\d{1,5}(?:\.\d{1,3})?)([bmt])(?![a-z0-9])")
_QUANTIZATION = re.compile(r"[A-Za-z0-9_.-]{1,16}")
# Names and families of models that embed, rank, hear, speak or draw.
_NO_CHAT = re.compile(
    r"embed|rerank|whisper|stable-diffusion|minilm|colbert"
    r"|(?:^|[-_/:. ])(?:bge|gte|e5|clip|tts|kokoro|piper|sd\d?|sdxl|flux|bark|bert|roberta)(?=$|[-_/:. ])"
)
_IN_BILLIONS = {"m": 1e-3, "b": 1.0, "t": 1e3}


def models_in(body: JsonValue, place: Place, base_url: str) -> tuple[FoundModel, ...]:
    """The models of a list that can chat, in its order, each name once.

    A playground's own list, which names those of other servers, has none. Neither has anything that is no list.
    """
    entries = list(_entries(body))
    if any("llamafarm" in entry for entry in entries):
        return ()
    found: dict[str, FoundModel] = {}
    for entry in entries:
        name = next((value for key in ("id", "name", "model") if isinstance(value := entry.get(key), str)), "")
        if can_be_offered(name) and _chats(name, entry):
            found.setdefault(name, _model(name, entry, place, base_url))
    return tuple(found.values())


def _entries(body: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    """The entries in OpenAI's form (`data`), else in Ollama's (`models`), else of a bare list."""
    lists = [body.get("data"), body.get("models")] if isinstance(body, dict) else [body]
    first = next((each for each in lists if isinstance(each, list)), [])
    for entry in islice(first, MOST_READ):
        if isinstance(entry, dict):
            yield entry


def _model(name: str, entry: Mapping[str, JsonValue], place: Place, base_url: str) -> FoundModel:
    details = _mapping(entry.get("details"))
    quantization = details.get("quantization_level") or entry.get("quantization")
    known = isinstance(quantization, str) and _QUANTIZATION.fullmatch(quantization) and quantization != "unknown"
    abilities = tuple(dict.fromkeys(WORDS[word] for word in _words(entry) if word in WORDS))
    if entry.get("remote_host"):  # a model of Ollama's cloud
        abilities = (*abilities, "runs elsewhere")
    return FoundModel(
        place.server,
        place.provider,
        base_url,
        name,
        _told_billions(entry, details) or billions_of(name),
        str(quantization) if known else "",
        abilities,
        _count(entry.get("max_model_len"), MOST_CONTEXT),
    )


def billions_of(name: str) -> float | None:
    """The parameters in billions that a name tells, as `8b`, `135m`, `8x7b` or `0.5B` do; None where it tells none."""
    found = _SIZE.search(name.lower())
    if found is None:
        return None
    size = int(found[1] or 1) * float(found[2]) * _IN_BILLIONS[found[3]]
    return size if 0 < size < MOST_BILLIONS else None


def _told_billions(entry: Mapping[str, JsonValue], details: Mapping[str, JsonValue]) -> float | None:
    told = details.get("parameter_size")
    if isinstance(told, str) and _SIZE.fullmatch(told.lower()):
        return billions_of(told)
    count = _count(_mapping(entry.get("meta")).get("n_params"), int(MOST_BILLIONS * 1e9))
    return count / 1e9 if count else None


def _chats(name: str, entry: Mapping[str, JsonValue]) -> bool:
    """Whether it answers prompts: as its server says; where that says nothing of it, as its name and family do."""
    words = _words(entry)
    if CHATS.intersection(words):
        return True
    if OTHER_WORK.intersection(words):
        return False
    details = _mapping(entry.get("details"))
    families = [details.get("family"), *_list(details.get("families"))]
    return not any(_NO_CHAT.search(each.lower()) for each in (name, *families) if isinstance(each, str))


def _words(entry: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """What the server says that a model is or can do, in the order in which it says so."""
    told = [entry.get("type"), *_list(entry.get("capabilities")), *_list(entry.get("labels"))]
    return tuple(word.lower() for word in told if isinstance(word, str))


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value[:MOST_READ] if isinstance(value, list) else []


def _count(value: JsonValue, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < most else None
