"""`lf serve`: the page and the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import SecretStr

KEYS, LOGIN, HOSTS = "LF_API_KEYS", "LF_LOGIN", "LF_ALLOWED_HOSTS"


def serve(
    file: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Project files or folders of them, as by --config.")
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option("--config", "-c", help="A project file or a folder of them; may be repeated.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    api_key: Annotated[
        list[str] | None,
        typer.Option(help=f"A key that callers need; may be repeated. Better kept in {KEYS}, with commas."),
    ] = None,
    login: Annotated[str | None, typer.Option(help=f"user:password that people need. Better kept in {LOGIN}.")] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A name under which this machine may be called, too; may be repeated. Or {HOSTS}, with commas."
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="A site whose pages may call the API and /mcp, such as https://example.org."),
    ] = None,
    max_generations: Annotated[
        int | None, typer.Option(min=1, help="Answers that one caller may have running, on every face. Default: 256.")
    ] = None,
    record_completions: Annotated[
        bool,
        typer.Option(
            "--record-completions",
            help="Keep the API's completions in the history too, where all who may see the page see them.",
        ),
    ] = False,
    trust_uploads: Annotated[
        bool,
        typer.Option("--trust-uploads", help="Whoever sees the page may trust files, which may start commands."),
    ] = False,
    allow_paths: Annotated[
        bool,
        typer.Option("--allow-paths", help="Whoever sees the page may open files of this machine by path."),
    ] = False,
    forwarded_allow_ips: Annotated[
        list[str] | None,
        typer.Option(help="A proxy (an address or network) whose X-Forwarded headers count; may be repeated."),
    ] = None,
) -> None:
    """Serve the page at / and the API at /v1 until Ctrl-C; /docs describes the API."""
    from llamafarm.access.settings import GENERATIONS, Login, ServerSettings
    from llamafarm.server import serve as run

    person = login or os.environ.get(LOGIN)
    settings = ServerSettings(
        host=host,
        port=port,
        trust_uploads=trust_uploads,
        allow_paths=allow_paths,
        forwarded_allow_ips=tuple(forwarded_allow_ips or ()),
        api_keys=_keys(api_key or []),
        allowed_hosts=_listed(allowed_host or [], HOSTS),
        login=Login.of(person) if person else None,
        cors_origins=tuple(origin.rstrip("/") for origin in cors_origin or []),
        generations=max_generations or GENERATIONS,
        record_completions=record_completions,
    )
    run([*(file or []), *(config or [])], settings)


def _keys(named: list[str]) -> tuple[SecretStr, ...]:
    """The keys of the command line, and those of the environment."""
    from pydantic import SecretStr

    return tuple(map(SecretStr, _listed(named, KEYS)))


def _listed(named: list[str], variable: str) -> tuple[str, ...]:
    """What options named, and what the environment's variable has with commas; each once."""
    each = (name.strip() for name in [*named, *os.environ.get(variable, "").split(",")])
    return tuple(dict.fromkeys(filter(None, each)))
