"""The entries of `runtime.models`: each is read by itself, so that one bad model never hides the good ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from llamafarm.config.model import OWN_FIRST_TOKEN_S, NamedModel
from llamafarm.config.nearest import nearest, there_are
from llamafarm.config.profiles import PROVIDERS, Profile, profile_of
from llamafarm.config.reading.document import Findings, Path, Problems, kind
from llamafarm.config.reading.env import references, unknown_form
from llamafarm.config.reading.strings import Strings
from llamafarm.config.sections.checked import checked
from llamafarm.config.sections.model_options import as_numbers, unknown_options, wrong_number
from llamafarm.config.sections.model_tools import read_tools
from llamafarm.core.addresses import is_address, on_own_network
from llamafarm.core.parameters import OURS, RESERVED, reserved
from llamafarm.core.types import JsonValue

TEXTS = ("description", "provider", "model", "base_url", "api_key", "tier", "tool_call_strategy")
MOST_NAMED_KEYS = 60  # of an entry whose unknown keys are looked at for slips: each hint is tried
RENAMED = {"parameters": "model_api_parameters"}
CHECKED = ("pricing", "timeout", "context_window", "max_tool_turns", "max_answer_mib")  # by the shapes themselves
KEYS = (
    "name", *TEXTS, "model_api_parameters", "extra_body", "prompts", "prompt", "mcp_servers", "tools",
    "default", "fallback", *CHECKED,
)  # fmt: skip
PARAMETERS = ("temperature", "top_p", "top_k", "max_tokens", "num_ctx", "repeat_penalty", "seed", "stop")
# Keys of LlamaFarm's schema and of the templates that come with it, which say nothing about a chat from here.
UNUSED = (
    "instructor_mode", "lora", "encoder_config", "cache", "rag", "memory", "prompt_format", "lemonade",
    "provider_config", "deployment", "environments", "tools_mode", "prompts_mode", "keep_loaded", "quantization",
    "embedding", "monitoring", "metadata", "tags", "enabled",
)  # fmt: skip
FILLED = ("provider", "model", "base_url", "api_key")  # where a form of `${…}` that we don't know is no value
WORDS = ("name", "description", "prompts", "prompt")  # which people write


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
    hints: bool = True
    _problems: Problems = field(default_factory=Problems)

    def read(self, path: Path, name: str, entry: Mapping[str, JsonValue]) -> NamedModel:
        """The named model at `path`; what is wrong with it stands in its `problems` and in the findings."""
        self._problems = Problems()
        self._warn_unknown(path, name, entry)
        self._check_forms(path, entry)
        filled = self.strings.fill({**entry, "name": name}, path)
        settings = filled.value if isinstance(filled.value, dict) else {}
        self._problems.extend(filled.problems)
        self._problems.extend(self.strings.hidden({k: v for k, v in entry.items() if k not in WORDS}, path))
        values = self._values(path, name, entry, settings)
        key = entry.get("api_key")
        used = references(key) if isinstance(key, str) else ()
        if used:
            values["key_variable"] = used[0]
        self._provider(path, values)
        document = self.findings.document
        model, wrong = checked(document, path, NamedModel, values, RENAMED)
        self._problems.extend(wrong)
        if model is None:  # only the name and the provider are required, and both are text here
            raise AssertionError(f"a model without a name or provider: {values}")
        self.findings.errors.extend(self._problems)
        return model.model_copy(update={"problems": self._problems.told(), "line": document.line(path)})

    def _values(
        self, path: Path, name: str, entry: Mapping[str, JsonValue], settings: Mapping[str, JsonValue]
    ) -> dict[str, object]:
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
            values[field_name] = self._fields((*path, key), settings.get(key), entry.get(key))
        values["tools"] = self._tools((*path, "tools"), settings.get("tools"))
        for key in CHECKED:
            if settings.get(key) is not None:
                values[key] = settings[key]
        values["prompts"] = self._prompts(path, settings)
        values["mcp_servers"] = self._servers(path, settings)
        fallback = self.findings.names((*path, "fallback"), settings.get("fallback")) or ()
        for other in fallback:
            if other not in self.names.models:
                others = self.names.models - {name}
                told = f": {there_are(other, others)}" if others else "."
                self._problem((*path, "fallback"), f"There is no model `{other}` to fall back to{told}")
        values["fallback"] = fallback
        return values

    def _tools(self, path: Path, value: JsonValue) -> list[dict[str, JsonValue]]:
        tools = read_tools(path, value)
        for place, message in tools.wrong:
            self._problem(place, message)
        for place, message in tools.ignored:
            self.findings.warn(place, message)
        return tools.found

    def _provider(self, path: Path, values: dict[str, object]) -> None:
        provider = str(values["provider"])
        if not provider:
            self._problem(path, f"`provider` is missing: write one of {', '.join(PROVIDERS)}.")
            return
        if provider not in PROVIDERS:
            near = nearest(provider, PROVIDERS)
            others = "servers that speak OpenAI's API are `openai`, with their `base_url`"
            hint = f"did you mean `{near}`?" if near else f"write one of {', '.join(PROVIDERS)}; {others}."
            self._problem((*path, "provider"), f"The provider `{provider}` is not known: {hint}")
            return
        if not values.get("model"):
            self._problem(path, "`model` is missing: write the provider's name of the model.")
        profile = profile_of(provider)
        self._address(path, profile, values)
        bounds = values.get("timeout", {})
        if isinstance(bounds, dict) and (profile.embedded or on_own_network(str(values.get("base_url") or ""))):
            values["timeout"] = {"first_token": OWN_FIRST_TOKEN_S, **bounds}
        parameters = values["parameters"]
        for name, message in unknown_options(
            provider, str(values.get("base_url") or ""), parameters if isinstance(parameters, dict) else {}
        ):
            self.findings.warn((*path, "model_api_parameters", name), message)

    def _address(self, path: Path, profile: Profile, values: dict[str, object]) -> None:
        """The provider's own address and key where the file gives none."""
        own_address = "base_url" not in values
        if profile.embedded:
            if not own_address:
                self.findings.warn((*path, "base_url"), "An embedded model runs on this machine: ignored.")
            values.pop("base_url", None)
            return
        if own_address:
            values["base_url"] = profile.address
        elif not str(values["base_url"]).startswith(("http://", "https://")):
            self._problem((*path, "base_url"), "`base_url` must start with http:// or https://.")
        elif not is_address(str(values["base_url"])):
            self._problem((*path, "base_url"), "`base_url` is no address that can be called: look at host and port.")
        if "api_key" in values or "key_variable" in values:
            return
        if profile.placeholder_key:
            values["api_key"] = profile.placeholder_key
        elif profile.key_variable and own_address:
            self._usual_key(path, profile.key_variable, values)

    def _usual_key(self, path: Path, variable: str, values: dict[str, object]) -> None:
        """OpenAI's own address without a key: its usual variable, as the openai package does."""
        values["key_variable"] = variable
        filled = self.strings.fill(f"${{env:{variable}}}", (*path, "api_key"))
        self._problems.extend(filled.problems)
        values["api_key"] = filled.value or None

    def _prompts(self, path: Path, settings: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The sets that apply: `prompts`, then `prompt`; none named = every set, in order."""
        named = self.findings.names((*path, "prompts"), settings.get("prompts")) or ()
        single = self.findings.names((*path, "prompt"), settings.get("prompt")) or ()
        wanted = tuple(dict.fromkeys((*named, *single)))
        for name in wanted:
            if name not in self.names.prompts:
                key = "prompts" if name in named else "prompt"
                self._undeclared((*path, key), "prompt set", name, self.names.prompts)
        return tuple(name for name in wanted if name in self.names.prompts) if wanted else self.names.prompts

    def _servers(self, path: Path, settings: Mapping[str, JsonValue]) -> tuple[str, ...]:
        """The MCP servers that the model may use: absent = all, `[]` = none."""
        wanted = self.findings.names((*path, "mcp_servers"), settings.get("mcp_servers"))
        if wanted is None:
            return self.names.servers
        for name in wanted:
            if name not in self.names.known_servers:
                self._undeclared((*path, "mcp_servers"), "MCP server", name, self.names.known_servers)
        return tuple(name for name in wanted if name in self.names.servers)

    def _undeclared(self, path: Path, what: str, name: str, declared: Collection[str]) -> None:
        """A name of something that the file does not have: a slip where it has others; else another file has them."""
        if declared:
            self._problem(path, f"There is no {what} `{name}`; {there_are(name, declared)}")
        else:
            self.findings.warn(path, f"There is no {what} `{name}`, and the file declares none: ignored.")

    def _fields(self, path: Path, value: JsonValue, written: JsonValue) -> Mapping[str, JsonValue]:
        """The fields of a request's body, without those that are never the file's to set; `written` before filling."""
        fields = as_numbers(written if isinstance(written, dict) else {}, self._mapping(path, value))
        for name, each in fields.items():
            if wrong := wrong_number(name, each):
                self._problem((*path, name), wrong)
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

    def _check_forms(self, path: Path, entry: Mapping[str, JsonValue]) -> None:
        """A key or an address that is to be filled in, and can't be, is none."""
        for key in FILLED:
            value = entry.get(key)
            if isinstance(value, str) and (form := unknown_form(value)):
                self._problem((*path, key), f"`{form}` is not filled in: write `${{env:NAME}}` for a variable.")

    def _warn_unknown(self, path: Path, name: str, entry: Mapping[str, JsonValue]) -> None:
        for key in entry:
            if key in UNUSED:
                self.findings.warn((*path, key), f"`{key}` is not used by the playground: ignored.")
            elif key not in KEYS:
                hint = self._hint(path, name, entry, key) if self.hints and len(entry) <= MOST_NAMED_KEYS else ""
                self.findings.warn((*path, key), f"`{key}` is not known: ignored.{hint}")

    def _hint(self, path: Path, name: str, entry: Mapping[str, JsonValue], key: str) -> str:
        """What may have been meant by `key`, where the file would load so: each hint is tried."""
        others = {other: value for other, value in entry.items() if other != key}
        near = nearest(key, [each for each in (*KEYS, *PARAMETERS) if each not in others])
        if near is None:
            return ""
        section = entry.get("model_api_parameters") or {}
        moved = {**others, near: entry[key]}
        hint = f" Did you mean `{near}`?"
        if near in PARAMETERS:
            if not isinstance(section, dict) or near in section:
                return ""
            moved = {**others, "model_api_parameters": {**section, near: entry[key]}}
            hint = f" Put `{near}` under `model_api_parameters`."
        return hint if self._troubles(path, name, moved) <= self._troubles(path, name, others) else ""

    def _troubles(self, path: Path, name: str, entry: Mapping[str, JsonValue]) -> int:
        """How many problems and warnings `entry` would have."""
        findings = Findings(self.findings.document)
        model = ModelReader(findings, self.strings, self.names, hints=False).read(path, name, entry)
        return len(model.problems) + len(findings.warnings)
