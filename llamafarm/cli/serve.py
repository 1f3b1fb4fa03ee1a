"""`lf serve`: the page and the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    config: Annotated[
        list[Path] | None, typer.Option("--config", "-c", help="A project file or a folder of them; may be repeated.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    trust_uploads: Annotated[
        bool, typer.Option("--trust-uploads", help="Files from browsers may be trusted although others reach the page.")
    ] = False,
) -> None:
    """Serve the page until Ctrl-C."""
    from llamafarm.server import serve as run
    from llamafarm.settings import ServerSettings

    run(config or [], ServerSettings(host=host, port=port, trust_uploads=trust_uploads))
