"""The `mcp.servers` section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from llamafarm.config.model import McpServer
from llamafarm.config.reading.document import Document, Findings, Path, shortened
from llamafarm.config.reading.env import unknown_form
from llamafarm.config.reading.strings import Strings
from llamafarm.config.sections.checked import checked
from llamafarm.core.types import JsonValue

SETTINGS = ("command", "args", "env", "headers", "timeout")
FILLED = ("base_url", "url", "env", "headers")  # where a form of `${…}` that we don't know is no value
MOST_SERVERS = 50
KEYS = ("name", "transport", "base_url", "url", *SETTINGS)


def read_servers(
    findings: Findings, value: JsonValue, strings: Strings, folder: FilePath | None
) -> tuple[McpServer, ...]:
    """The MCP servers of a project in `folder`. One that is wrong is an error with its line, and is left out."""
    path: Path = ("mcp", "servers")
    section = findings.mapping(("mcp",), value)
    servers: dict[str, McpServer] = {}
    entries = _entries(findings, path, section.get("servers"))
    if len(entries) > MOST_SERVERS:
        findings.error(
            path,
            f"A file has {MOST_SERVERS} MCP servers at most: the last {len(entries) - MOST_SERVERS:,} are left out.",
        )
    for place, name, entry in entries[:MOST_SERVERS]:
        if name in servers:
            findings.error((*place, "name"), f"There are two MCP servers `{shortened(name)}`: rename one.")
        elif (server := _server(findings, place, name, entry, strings)) is not None:
            servers[name] = server.model_copy(update={"folder": folder})
    return tuple(servers.values())


def servers_as_written(document: Document) -> Iterator[tuple[str, int | None, McpServer | None, JsonValue]]:
    """(name, line, server, its settings) of each server that the file would start or call if it were trusted.

    Read as `read_servers` reads them, but that `${…}` stay as they stand; a server is None where its form depends on
    what they become.
    """
    root = document.value if isinstance(document.value, dict) else {}
    findings = Findings(document)
    section = findings.mapping(("mcp",), root.get("mcp"))
    for place, name, entry in _entries(findings, ("mcp", "servers"), section.get("servers")):
        server = _server(findings, place, name, entry, Strings(document, None, written=True))
        yield name, document.line(place), server, dict(entry)


def server_names(value: JsonValue) -> set[str]:
    """The names of all servers that a file lists, also of those that are wrong."""
    servers = value.get("servers") if isinstance(value, dict) else None
    if isinstance(servers, dict):
        return set(servers)
    entries = servers if isinstance(servers, list) else []
    return {str(entry["name"]) for entry in entries if isinstance(entry, dict) and entry.get("name") is not None}


def _entries(findings: Findings, path: Path, value: JsonValue) -> list[tuple[Path, str, Mapping[str, JsonValue]]]:
    """(place, name, settings) of each server, from a list or a mapping by name."""
    if isinstance(value, dict):
        return [((*path, name), name, findings.mapping((*path, name), each)) for name, each in value.items()]
    if value is not None and not isinstance(value, list):
        findings.error(path, "`mcp.servers` must be a list of servers.")
    entries = []
    for index, each in enumerate(value if isinstance(value, list) else []):
        place = (*path, index)
        settings = findings.mapping(place, each)
        name = findings.document.text((*place, "name"), settings.get("name"))
        if name:
            entries.append((place, name, settings))
        else:
            findings.error(place, "This MCP server has no `name`: add one.")
    return entries


def _unknown_forms(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts that are to be filled in, in a form that we don't know."""
    if isinstance(value, str) and (form := unknown_form(value)):
        yield path, form
    for key, each in value.items() if isinstance(value, dict) else ():
        yield from _unknown_forms(each, (*path, key))


def _server(
    findings: Findings, path: Path, name: str, entry: Mapping[str, JsonValue], strings: Strings
) -> McpServer | None:
    for key in entry.keys() - set(KEYS):
        findings.warn((*path, key), f"`{shortened(key)}` of an MCP server is not used by the playground: ignored.")
    for place, form in _unknown_forms({key: entry.get(key) for key in FILLED}, path):
        findings.error(place, f"`{form}` is not filled in: write `${{env:NAME}}` for a variable.")
    filled = strings.fill(dict(entry), path)
    filled.problems += strings.hidden(dict(entry), path)
    settings = filled.value if isinstance(filled.value, dict) else {}
    address = settings.get("base_url") or settings.get("url")
    transport = settings.get("transport") or ("stdio" if settings.get("command") else "http")
    values = {key: settings[key] for key in SETTINGS if settings.get(key) is not None}
    server, problems = checked(
        findings.document,
        path,
        McpServer,
        {**values, "name": name, "transport": transport, "base_url": address},
    )
    for problem in [*problems, *filled.problems]:
        findings.errors.append(problem)
    if server is None or problems or filled.problems:
        return None
    if server.transport == "stdio" and not server.command:
        findings.error(path, f"The MCP server `{name}` has transport stdio but no `command`: add one.")
        return None
    if server.transport != "stdio" and not server.base_url:
        findings.error(path, f"The MCP server `{name}` has transport {server.transport} but no `base_url`: add one.")
        return None
    return server
