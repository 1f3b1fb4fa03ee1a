"""What a request may ask of an embedded model: known parameters within bounds, and schemas of a size. Pure.

llama.cpp makes a grammar of a schema and expands it while it samples: a short grammar with nested choices, or an
`enum` of thousands, keeps its process busy for minutes, and with it everybody else's answers. `n_predict: -1` has no
end. So nothing passes that is not listed here. The names are those of llama.cpp's server,
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from llamafarm.core.errors import RequestRejected
from llamafarm.core.types import ChatRequest, JsonValue

MOST_TOKENS = 1_000_000
MOST_STOPS, LONGEST_STOP = 16, 200
MOST_BIASES = 300
MOST_PARTS = 200  # of a schema, with what its references stand for written out
DEEPEST = 24
MOST_REPEATS = 2_000
LONGEST_PATTERN = 100
REPEATS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
CHOICES = ("auto", "none", "required")

Refs = tuple[str, ...]
Accepts = Callable[[JsonValue], bool]


def _number(least: float, most: float) -> Accepts:
    def accepts(value: JsonValue) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    return accepts


def _whole(least: int, most: int) -> Accepts:
    within = _number(least, most)
    return lambda value: within(value) and float(str(value)).is_integer()


def _flag(value: JsonValue) -> bool:
    return isinstance(value, bool)


def _words(value: JsonValue) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_STOP


def _stops(value: JsonValue) -> bool:
    texts = value if isinstance(value, list) else [value]
    return len(texts) <= MOST_STOPS and all(map(_words, texts))


def _biases(value: JsonValue) -> bool:
    pairs = value.values() if isinstance(value, dict) else ()
    return isinstance(value, dict) and len(value) <= MOST_BIASES and all(map(_number(-100, 100), pairs))


def _template_values(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.keys() <= {"enable_thinking"} and all(map(_flag, value.values()))


def _choice(value: JsonValue) -> bool:
    return value in CHOICES or isinstance(value, dict)


def _any_schema(_: JsonValue) -> bool:
    return True  # its size is looked at where all schemas are


_TOKENS = _whole(1, MOST_TOKENS)
KNOWN: Mapping[str, Accepts] = {
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "n_predict"), _TOKENS),
    **dict.fromkeys(("top_p", "min_p", "typical_p", "xtc_probability", "xtc_threshold"), _number(0, 1)),
    **dict.fromkeys(("temperature", "repeat_penalty", "dynatemp_range", "dynatemp_exponent"), _number(0, 100)),
    **dict.fromkeys(("frequency_penalty", "presence_penalty", "top_n_sigma"), _number(-100, 100)),
    **dict.fromkeys(("dry_multiplier", "dry_base", "mirostat_tau", "mirostat_eta"), _number(0, 100)),
    **dict.fromkeys(("repeat_last_n", "dry_penalty_last_n", "dry_allowed_length"), _whole(0, 4096)),
    **dict.fromkeys(("cache_prompt", "ignore_eos", "parallel_tool_calls"), _flag),
    **dict.fromkeys(("user", "reasoning_effort"), _words),
    "top_k": _whole(0, 100_000),
    "mirostat": _whole(0, 2),
    "seed": _whole(-(2**53), 2**53),
    "stop": _stops,
    "logit_bias": _biases,
    "tool_choice": _choice,
    "chat_template_kwargs": _template_values,
    "response_format": _any_schema,
    "json_schema": _any_schema,
}
THE_OPERATORS = ("grammar", "chat_template", "samplers", "lora")


def check_request(request: ChatRequest) -> None:
    """Raise RequestRejected where llama.cpp would be asked for what it doesn't know, or can't do within bounds."""
    for name, value in request.parameters.items():
        accepts = KNOWN.get(name)
        if accepts is None:
            hint = "The operator can set it in `extra_body`." if name in THE_OPERATORS else "Leave it out."
            raise RequestRejected(f"Embedded models take no parameter `{name}`.", hint=hint)
        if not accepts(value):
            hint = "Its bounds stand in docs/project-file.md, under Providers."
            raise RequestRejected(f"Embedded models don't take this value of `{name}`.", hint=hint)
    for schema in _schemas(request):
        _check_schema(schema)


def _schemas(request: ChatRequest) -> Iterator[JsonValue]:
    """All that llama.cpp may make a grammar of."""
    yield request.parameters.get("response_format")
    yield request.parameters.get("json_schema")
    yield from (dict(tool) for tool in request.tools)


def _check_schema(schema: JsonValue) -> None:
    parts = 0
    for parts, (part, depth) in enumerate(_parts(schema, schema, 0), 1):
        wrong = ""
        if parts > MOST_PARTS:
            wrong = f"has more than {MOST_PARTS} parts"
        elif depth > DEEPEST:
            wrong = f"is more than {DEEPEST} levels deep"
        elif isinstance(part, dict):
            wrong = _unbounded(part)
        if wrong:
            raise RequestRejected(
                f"The schema {wrong}: llama.cpp would take too long for it.", hint="Ask for a simpler form."
            )


def _unbounded(part: Mapping[str, JsonValue]) -> str:
    """What a part of a schema has too much of; nothing where it is fine."""
    for name in REPEATS:
        times = part.get(name)
        if isinstance(times, int | float) and times > MOST_REPEATS:
            return f"repeats something more than {MOST_REPEATS:,} times (`{name}`)"
    pattern = part.get("pattern")
    if isinstance(pattern, str) and len(pattern) > LONGEST_PATTERN:
        return f"has a pattern of more than {LONGEST_PATTERN} characters"
    return ""


def _parts(root: JsonValue, part: JsonValue, depth: int, within: Refs = ()) -> Iterator[tuple[JsonValue, int]]:
    """All parts of a schema, each `$ref` with what it stands for; a reference to what it is part of ends there."""
    yield part, depth
    if depth > DEEPEST:
        return
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for each in inner:
        if isinstance(each, dict | list):
            yield from _parts(root, each, depth + 1, within)
        elif isinstance(part, list):
            yield each, depth + 1
    ref = part.get("$ref") if isinstance(part, dict) else None
    if isinstance(ref, str) and ref not in within:
        yield from _parts(root, _target(root, ref), depth + 1, (*within, ref))


def _target(root: JsonValue, ref: str) -> JsonValue:
    """What a reference stands for, looked for in the whole request's schema and in the one inside of it."""
    found = root
    if isinstance(root, dict):
        inner = root.get("json_schema")
        found = inner.get("schema", inner) if isinstance(inner, dict) else root.get("schema", root)
    for name in ref.removeprefix("#").strip("/").split("/"):
        if name:
            found = found.get(name) if isinstance(found, dict) else None
    return found
