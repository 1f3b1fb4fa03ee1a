"""The server: the page, the API and the MCP endpoint on one port."""

from llamafarm.server.app import build_app
from llamafarm.server.run import http_config, serve

__all__ = ["build_app", "http_config", "serve"]
