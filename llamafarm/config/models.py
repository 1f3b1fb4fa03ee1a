"""The entries of `runtime.models`: each is read by itself, so that one bad model never hides the good ones."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.config.checked import checked
from llamafarm.config.document import Findings, Path, kind
from llamafarm.config.env import references
from llamafarm.config.model import PROVIDERS, NamedModel
from llamafarm.config.strings import Strings
from llamafarm.errors import Problem
from llamafarm.parameters import OURS, RESERVED, reserved
from llamafarm.types import JsonValue

# Default addresses and the keys that LlamaFarm's own servers expect; see the README's reference.
ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "ollama": "http://localhost:11434",
    "universal": "http://127.0.0.1:11540/v1",
    "lemonade": "http://127.0.0.1:11534/api/v1",
}
PLACEHOLDER_KEYS = {"universal": "universal", "lemonade": "lemonade"}
OPENAI_VARIABLE = "OPENAI_API_KEY"

TEXTS = ("description", "provider", "model", "base_url", "api_key", "tier", "tool_call_strategy")
RENAMED = {"parameters": "model_api_parameters"}
KEYS = (
    "name", *TEXTS, "model_api_parameters", "extra_body", "prompts", "prompt", "mcp_servers", "tools",
    "default", "pricing", "timeout", "fallback", "context_window", "max_tool_turns",
)  # fmt: skip
PARAMETERS = ("temperature", "top_p", "top_k", "max_tokens", "num_ctx", "repeat_penalty", "seed", "stop")
UNUSED = ("instructor_mode", "lora", "encoder_config", "cache", "rag", "memory")


@dataclass(frozen=True, slots=True)
class Names:
    """What a model may refer to: the names of the file's prompt sets, MCP servers and models."""

    prompts: tuple[str, ...]
    servers: tuple[str, ...]
    known_servers: frozenset[str]
    models: frozenset[str]


@dataclass(slots=True)
class ModelReader:
    """Reads the entries of one file."""

    findings: Findings
    strings: Strings
    names: Names
    _problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path, name: str, entry: Mapping[str, JsonValue]) -> NamedModel:
        """The named model at `path`; what is wrong with it stands in its `problems` and in the findings."""
        self._problems = []
        self._warn_unknown(path, entry)
        filled = self.strings.fill({**entry, "name": name}, path)
        settings = filled.value if isinstance(filled.value, dict) else {}
        self._problems += filled.problems
        values = self._values(path, name, settings)
        key = entry.get("api_key")
        used = references(key) if isinstance(key, str) else ()
        if used:
            values["key_variable"] = used[0]
        self._provider(path, values)
        document = self.findings.document
        model, wrong = checked(document, path, NamedModel, values, RENAMED)
        self._problems += wrong
        if model is None:  # only the name and the provider are required, and both are text here
            raise AssertionError(f"a model without a name or provider: {values}")
        self.findings.errors += self._problems
        return model.model_copy(update={"problems": tuple(self._problems), "line": document.line(path)})

    def _values(self, path: Path, name: str, settings: Mapping[str, JsonValue]) -> dict[str, object]:
        """The entry as the fields of NamedModel; what is absent or null takes the field's default."""
        text = self.findings.document.text
        values: dict[str, object] = {"name": name, "provider": ""}
        for key in TEXTS:
            value = settings.get(key)
            if value is not None and (written := text((*path, key), value)) is None:
                self._problem((*path, key), f"`{key}` must be text, but is {kind(value)}.")
            elif value is not None and written:
                values[key] = written.strip() if key != "description" else written
        for key, field_name in (("model_api_parameters", "parameters"), ("extra_body", "extra_body")):
            values[field_name] = self._fields((*path, key), settings.get(key))
        for key in ("tools", "pricing", "timeout", "context_window", "max_tool_turns"):
            if settings.get(key) is not None:
                values[key] = settings[key]
        values["prompts"] = self._prompts(path, settings)
        values["mcp_servers"] = self._servers(path, settings)
        fallback = self.findings.names((*path, "fallback"), settings.get("fallback")) or ()
        for other in fallback:
            if other not in self.names.models:
                self._problem((*path, "fallback"), f"There is no model `{other}` to fall back to.")
        values["fallback"] = fallback
        return values

    def _provider(self, path: Path, values: dict[str, object]) -> None:
        provider = str(values["provider"])
        if not provider:
            self._problem(path, f"`provider` is missing: write one of {', '.join(PROVIDERS)}.")
            return
        if provider not in PROVIDERS:
            near = difflib.get_close_matches(provider, PROVIDERS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"write one of {', '.join(PROVIDERS)}."
            self._problem((*path, "provider"), f"The provider `{provider}` is not known: {hint}")
            return
        if not values.get("model"):
            self._problem(path, "`model` is missing: write the provider's name of the model.")
        self._address(path, provider, values)

    def _address(self, path: Path, provider: str, values: dict[str, object]) -> None:
        """The provider's own address and key where the file gives none."""
        own_address = "base_url" not in values
        if provider == "embedded":
            if not own_address:
                self.findings.warn((*path, "base_url"), "An embedded model runs on this machine: ignored.")
            values.pop("base_url", None)
            return
        if own_address:
            values["base_url"] = ADDRESSES[provider]
        elif not str(values["base_url"]).startswith(("http://", "https://")):
            self._problem((*path, "base_url"), "`base_url` must start with http:// or https://.")
        if "api_key" in values or "key_variable" in values:
            return
        if provider in PLACEHOLDER_KEYS:
            values["api_key"] = PLACEHOLDER_KEYS[provider]
        elif provider == "openai" and own_address:
            self._openai_key(path, values)

    def _openai_key(self, path: Path, values: dict[str, object]) -> None:
        """OpenAI's own address without a key: its usual variable, as the openai package does."""
        values["key_variable"] = OPENAI_VARIABLE
        filled = self.strings.fill(f"${{env:{OPENAI_VARIABLE}}}", (*path, "api_key"))
        self._problems += filled.problems
        values["api_key"] = filled.value or None

    def _prompts(self, path: Path, settings: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The sets that apply: `prompts`, then `prompt`; none named = every set, in order."""
        named = self.findings.names((*path, "prompts"), settings.get("prompts")) or ()
        single = self.findings.names((*path, "prompt"), settings.get("prompt")) or ()
        wanted = tuple(dict.fromkeys((*named, *single)))
        for name in wanted:
            if name not in self.names.prompts:
                known = ", ".join(self.names.prompts) or "none"
                key = "prompts" if name in named else "prompt"
                self._problem((*path, key), f"There is no prompt set `{name}`; the file has: {known}.")
        return tuple(name for name in wanted if name in self.names.prompts) if wanted else self.names.prompts

    def _servers(self, path: Path, settings: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The MCP servers that the model may use: absent = all, `[]` = none."""
        wanted = self.findings.names((*path, "mcp_servers"), settings.get("mcp_servers"))
        if wanted is None:
            return self.names.servers
        for name in wanted:
            if name not in self.names.known_servers:
                known = ", ".join(sorted(self.names.known_servers)) or "none"
                self._problem((*path, "mcp_servers"), f"There is no MCP server `{name}`; the file has: {known}.")
        return tuple(name for name in wanted if name in self.names.servers)

    def _fields(self, path: Path, value: JsonValue) -> Mapping[str, JsonValue]:
        """The fields of a request's body, without those that are never the file's to set."""
        fields = self._mapping(path, value)
        among = OURS if path[-1] == "extra_body" else RESERVED
        for name in fields:
            if wrong := reserved([name], among):
                self._problem((*path, name), wrong)
        return {name: each for name, each in fields.items() if not reserved([name], among)}

    def _mapping(self, path: Path, value: JsonValue) -> Mapping[str, JsonValue]:
        if value is not None and not isinstance(value, dict):
            self._problem(path, f"This must be a mapping of names to values, but is {kind(value)}.")
        return value if isinstance(value, dict) else {}

    def _problem(self, path: Path, message: str) -> None:
        self._problems.append(self.findings.document.problem(path, message))

    def _warn_unknown(self, path: Path, entry: Mapping[str, JsonValue]) -> None:
        for key in entry:
            if key in UNUSED:
                self.findings.warn((*path, key), f"`{key}` is not used by the playground: ignored.")
            elif key not in KEYS:
                near = difflib.get_close_matches(key, (*KEYS, *PARAMETERS), 1)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                if near and near[0] in PARAMETERS:
                    hint = f" Put `{near[0]}` under `model_api_parameters`."
                self.findings.warn((*path, key), f"`{key}` is not known: ignored.{hint}")
