"""The `lf` command. Each command imports what it needs when it runs, so that `lf --help` is quick."""

from llamafarm.cli.main import main

__all__ = ["main"]
