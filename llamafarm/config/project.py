"""From a file to a Project: every section in its turn, every problem with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from llamafarm.config.model import Ask, Loaded, NamedModel, Project
from llamafarm.config.nearest import there_are
from llamafarm.config.reading.document import LONGEST_KEY, Document, Findings, Path, kind, shortened
from llamafarm.config.reading.env import environment
from llamafarm.config.reading.read import MAX_BYTES, read_document, read_file, read_text
from llamafarm.config.reading.strings import Strings
from llamafarm.config.secrets.mask import masked_text
from llamafarm.config.sections.mcp import read_servers, server_names
from llamafarm.config.sections.models import ModelReader, Names
from llamafarm.config.sections.prompts import read_prompts
from llamafarm.config.sections.routing import read_routing
from llamafarm.config.trust import other_variables, server_asks, untrusted
from llamafarm.core.errors import ConfigError, Problem
from llamafarm.core.types import JsonValue

VERSION = "v1"
NAMESPACE, NAME = "default", "my-project"
USED = ("version", "name", "namespace", "runtime", "prompts", "mcp")
FRAGMENT = ("version", "name", "namespace")
RUNTIME = ("models", "default_model", "fallback", "routing")
LEGACY = ("provider", "model", "base_url", "api_key", "model_api_parameters", "prompt", "tier")
MOST_MODELS = 200
MOST_ASKS = 100
Entry = tuple[Path, str, Mapping[str, JsonValue]]  # place, name, settings of a named model


def load(path: FilePath, *, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read the project file at `path`, trusted: `${…}` comes from `environ` and the `.env` beside it."""
    try:
        data = read_file(path)
        text = read_text(data)
    except ConfigError as error:
        return _unreadable(error)
    return _read(text, path.name, path, environment(path.parent, environ), frozenset())


def parse(
    text: str,
    *,
    name: str = "llamafarm.yaml",
    trusted: bool,
    environ: Mapping[str, str] | None = None,
    known_addresses: Collection[str] = (),
    outside_only: bool = False,
) -> Loaded:
    """Read a project file's text that came from a browser.

    Untrusted, no `${…}` is filled in, and a model that carries a key may call only `known_addresses`
    (origins, as `addresses` gives them); `asks` says what trusting the file would allow.
    """
    values = environment(None, environ) if trusted else None
    return _read(text, name, None, values, known_addresses, outside_only=outside_only)


def _unreadable(error: ConfigError, shown: str = "") -> Loaded:
    return Loaded(project=None, errors=error.problems or (Problem(None, "", str(error)),), text=shown)


def _read(
    text: str,
    name: str,
    source: FilePath | None,
    values: Mapping[str, str] | None,
    known: Collection[str],
    *,
    outside_only: bool = False,
) -> Loaded:
    shown = masked_text(text, name) if len(text) <= MAX_BYTES else ""
    try:
        document = read_document(text, name)
    except ConfigError as error:
        return _unreadable(error, shown)
    if not isinstance(document.value, dict):
        return Loaded(project=None, errors=(Problem(1, "", _not_a_project(document.value)),), text=shown)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    reader = _Reader(document, Findings(document), Strings(document, values), known, shown, digest, outside_only)
    return reader.read(document.value, source)


def _not_a_project(value: JsonValue) -> str:
    if isinstance(value, list):
        return "A project file is a mapping, but this is a list: put models under `runtime:` and `models:`."
    return f"A project file is a mapping with `version`, `name`, `namespace` and `runtime`, but this is {kind(value)}."


@dataclass(slots=True)
class _Reader:
    document: Document
    findings: Findings
    strings: Strings
    known: Collection[str]
    shown: str
    digest: str
    outside_only: bool = False

    def read(self, root: Mapping[str, JsonValue], source: FilePath | None) -> Loaded:
        """The whole file."""
        findings = self.findings
        findings.errors.extend(self.document.duplicates)
        self._unused(root)
        version_fits = self._version(root)
        runtime = findings.mapping(("runtime",), root.get("runtime"))
        prompts = read_prompts(findings, root.get("prompts"))
        servers = read_servers(findings, root.get("mcp"), self.strings, source.absolute().parent if source else None)
        entries = self._entries(root, runtime)
        names = Names(
            tuple(each.name for each in prompts),
            tuple(each.name for each in servers),
            frozenset(server_names(root.get("mcp"))) | {each.name for each in servers},
            frozenset(name for _, name, _ in entries),
        )
        reader = ModelReader(findings, self.strings, names)
        models = [reader.read(path, name, entry) for path, name, entry in entries]
        models, asks = self._trust(models, entries)
        if not models or not version_fits:
            return self._loaded(None, asks)
        project = Project(
            namespace=self._title(root, "namespace", NAMESPACE),
            name=self._title(root, "name", NAME),
            models=tuple(models),
            default_model=self._default(runtime, entries),
            prompts=prompts,
            mcp_servers=servers,
            fallback=self._fallback(runtime, names.models),
            routing=read_routing(findings, runtime.get("routing")),
            source=source,
            digest=self.digest,
            text=self.shown,
            trusted=self.strings.values is not None,
        )
        return self._loaded(project, asks)

    def _loaded(self, project: Project | None, asks: list[Ask]) -> Loaded:
        findings = self.findings
        return Loaded(
            project=project,
            errors=findings.errors.told(),
            warnings=findings.warnings.told(),
            asks=tuple(asks[:MOST_ASKS]),
            more_asks=max(len(asks) - MOST_ASKS, 0),
            text=self.shown,
        )

    def _unused(self, root: Mapping[str, JsonValue]) -> None:
        absent = [key for key in FRAGMENT if root.get(key) is None]
        if absent and "runtime" in root:
            names = ", ".join(f"`{key}`" for key in absent)
            self.findings.warn((), f"{names} missing: read as a fragment of {NAMESPACE}/{NAME}, version {VERSION}.")
        for key in root:
            if key not in USED:
                self.findings.warn((key,), f"`{shortened(key)}` is not used by the playground: ignored.")

    def _version(self, root: Mapping[str, JsonValue]) -> bool:
        version = self.document.text(("version",), root.get("version"))
        if version is None and root.get("version") is not None:
            self.findings.error(("version",), f"`version` must be text, but is {kind(root['version'])}.")
        elif version is not None and version != VERSION:
            self.findings.error(("version",), f"The version `{version}` is not supported: write `version: {VERSION}`.")
            return False
        return True

    def _title(self, root: Mapping[str, JsonValue], key: str, default: str) -> str:
        value = root.get(key)
        text = self.document.text((key,), value)
        if value is not None and text is None:
            self.findings.error((key,), f"`{key}` must be text, but is {kind(value)}.")
        return shortened(text) if text else default

    def _entries(self, root: Mapping[str, JsonValue], runtime: Mapping[str, JsonValue]) -> list[Entry]:
        """(place, name, settings) of every named model: a list, a mapping by name, or the one of old files."""
        path: Path = ("runtime", "models")
        legacy = {key: value for key, value in runtime.items() if key not in RUNTIME and value is not None}
        match runtime.get("models"):
            case list() as entries if entries:
                named = [self._named((*path, index), entry) for index, entry in enumerate(entries)]
            case dict() as entries if entries:
                named = [self._by_name((*path, name), name, entry) for name, entry in entries.items()]
            case None | [] | {} if legacy.keys() & set(LEGACY):
                return [(("runtime",), "default", legacy)]
            case None | [] | {}:
                self._no_models(root)
                return []
            case other:
                self.findings.error(path, f"`runtime.models` must be a list of models, but is {kind(other)}.")
                return []
        for key in legacy:
            self.findings.warn(("runtime", key), f"`runtime.{key}` is ignored, because there is `runtime.models`.")
        return self._first(self._different(named))

    def _first(self, entries: list[Entry]) -> list[Entry]:
        """As many entries as a page can show, and a request can be made of."""
        if len(entries) > MOST_MODELS:
            more = len(entries) - MOST_MODELS
            self.findings.error(
                entries[MOST_MODELS][0],
                f"A file has {MOST_MODELS} models at most: the {more:,} from here on are left out.",
            )
        return entries[:MOST_MODELS]

    def _no_models(self, root: Mapping[str, JsonValue]) -> None:
        where: Path = ("runtime",) if "runtime" in root else ()
        advice = "add `runtime:` with `models:`, each with `name`, `provider` and `model`"
        if isinstance(root.get("models"), list | dict):
            where, advice = ("models",), "put `models` under `runtime:`"
        self.findings.error(where, f"The project names no models: {advice}.")

    def _named(self, path: Path, entry: JsonValue) -> Entry:
        settings = self.findings.mapping(path, entry)
        name = self.document.text((*path, "name"), settings.get("name"))
        if not name:
            name = f"model-{int(path[-1]) + 1}"
            self.findings.error(path, f"This model has no `name`: add one. It is shown as `{name}`.")
        return path, self._named_short(path, name), settings

    def _by_name(self, path: Path, name: str, entry: JsonValue) -> Entry:
        return path, self._named_short(path, name), self.findings.mapping(path, entry)

    def _named_short(self, path: Path, name: str) -> str:
        if len(name) > LONGEST_KEY:
            self.findings.error((*path, "name"), f"A name has {LONGEST_KEY} characters at most.")
        return shortened(name)

    def _different(self, named: list[Entry]) -> list[Entry]:
        """The entries with different names; of two with the same name the first stays."""
        first: dict[str, Entry] = {}
        for entry in named:
            path, name, _ = entry
            if name in first:
                line = self.document.line(first[name][0])
                self.findings.error(
                    (*path, "name"),
                    f"There is a model `{name}` already (line {line}): rename one. The first is used.",
                )
            first.setdefault(name, entry)
        return list(first.values())

    def _default(self, runtime: Mapping[str, JsonValue], entries: list[Entry]) -> str:
        """The key, else the first `default: true`, else the first model."""
        names = [name for _, name, _ in entries]
        marked = [(path, name) for path, name, entry in entries if entry.get("default") is True]
        path: Path = ("runtime", "default_model")
        wanted = self.document.text(path, runtime.get("default_model"))
        if wanted is None and runtime.get("default_model") is not None:
            self.findings.error(path, f"`default_model` must be a name, but is {kind(runtime['default_model'])}.")
        elif wanted is not None and wanted not in names:
            self.findings.error(path, f"There is no model `{wanted}`; {there_are(wanted, names)}")
            wanted = None
        for place, name in marked:
            if name != (wanted or marked[0][1]):
                chosen = wanted or marked[0][1]
                self.findings.warn((*place, "default"), f"`{name}` is marked as default, but `{chosen}` is used.")
        return wanted or (marked[0][1] if marked else names[0])

    def _fallback(self, runtime: Mapping[str, JsonValue], models: frozenset[str]) -> tuple[str, ...]:
        path: Path = ("runtime", "fallback")
        names = self.findings.names(path, runtime.get("fallback")) or ()
        for name in names:
            if name not in models:
                self.findings.error(path, f"There is no model `{name}` to fall back to: {there_are(name, models)}")
        return tuple(dict.fromkeys(name for name in names if name in models))

    def _trust(self, models: list[NamedModel], entries: list[Entry]) -> tuple[list[NamedModel], list[Ask]]:
        if self.strings.values is not None:
            return models, []
        held = [untrusted(model, self.known, outside_only=self.outside_only) for model in models]
        written = {name: entry for _, name, entry in entries}
        asks = [ask for model, wants in held for ask in (*wants, *other_variables(model, written[model.name]))]
        asks += server_asks(self.document)
        return [model for model, _ in held], list(dict.fromkeys(asks))
